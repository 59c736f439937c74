"""What means, sds and correlations don't see, and what has none of them."""

from collections.abc import Callable

import numpy as np
import pytest

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.health import Health
from bayescore.agreement.pairs import Pair, judge_pair
from bayescore.agreement.quantiles import LEVELS, NORMAL, Standardized, rank_differences, shape_difference
from bayescore.density.coordinates import for_method
from bayescore.density.guide import gaussian_moments
from bayescore.density.target import Scalars
from bayescore.methods import NUTS, SVI
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior, label
from bayescore.model.transforms import REAL
from bayescore.tables import problem

WELL = Health({}, (), {})
Make = Callable[[np.random.Generator], Array]


def candidate(draws: Array, root: Array | None = None, *, gaussian: bool = True) -> Candidate:
    """Four chains of draws (chain, draw, d) of independent coordinates, with a Gaussian's log joint or without one."""
    d = draws.shape[-1]
    theta = draws if root is None else draws @ root.T
    names = Scalars(tuple(f"x{j}" for j in range(d)), (REAL,) * d)
    log_joint = -0.5 * np.sum(draws**2, axis=-1)
    posterior = Posterior({f"x{j}": theta[..., j] for j in range(d)})
    return Candidate("c", names, NUTS(), posterior, WELL, None, log_joint if gaussian else None)


def judged(a: Candidate, b: Candidate) -> Pair:
    return judge_pair(a, b, scale=None, cov=None, margin=0.1, alpha=0.01)


def normal(rng: np.random.Generator, d: int = 3) -> Array:
    return rng.standard_normal((4, 2500, d))


def with_first(change: Callable[[np.random.Generator, Array], Array]) -> Make:
    def make(rng: np.random.Generator) -> Array:
        z = normal(rng)
        return np.concatenate([change(rng, z)[..., None], z[..., 1:]], axis=-1)

    return make


SIZE = (4, 2500)
SHAPES: dict[str, Make] = {
    "skewed": with_first(lambda rng, z: rng.exponential(size=SIZE) - 1.0),
    "bimodal": with_first(lambda rng, z: 0.9 * rng.choice([-1.0, 1.0], SIZE) + np.sqrt(0.19) * z[..., 0]),
    "uniform": with_first(lambda rng, z: np.sqrt(3.0) * rng.uniform(-1.0, 1.0, SIZE)),
    "sizes equal": with_first(lambda rng, z: rng.choice([-1.0, 1.0], SIZE) * np.abs(z[..., 2])),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_another_shape_with_the_same_moments_does_not_agree(shape: str, seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    pair = judged(candidate(normal(rng)), candidate(SHAPES[shape](rng)))
    if shape == "uniform":  # it is 0.18 sd off, and the margin is 0.15
        assert pair.verdict in {"disagree", "inconclusive"}
    else:
        assert (pair.verdict, pair.reasons[0].code) == ("disagree", "other-shape")


@pytest.mark.parametrize("shape", ["skewed", "bimodal", "uniform"])
def test_where_all_have_another_shape_it_is_seen_through_correlation(shape: str) -> None:
    rng = np.random.default_rng(2)
    root = np.linalg.cholesky(np.array([[1.0, -0.87, 0.3], [-0.87, 1.0, 0.0], [0.3, 0.0, 1.0]]))
    draws = np.stack([SHAPES[shape](rng)[..., 0] for _ in range(3)], axis=-1)
    assert judged(candidate(normal(rng), root), candidate(draws, root)).reasons[0].code == "other-shape"


def test_the_same_shape_agrees() -> None:
    for seed in range(8):
        rng = np.random.default_rng([seed, 3])
        for make in SHAPES.values():
            assert judged(*(candidate(make(rng), gaussian=False) for _ in range(2))).verdict == "agree"


@pytest.mark.parametrize("name", ["normal", "exponential", "t12"])
def test_errors_of_shapes_are_calibrated(name: str) -> None:
    """100 replicates: the sd of the differences in their errors, to 4 standard errors."""
    rng = np.random.default_rng(4)
    drawn = {"normal": rng.standard_normal, "exponential": lambda size: rng.exponential(size=size)}
    values = drawn[name]((200, 4, 500)) if name != "t12" else rng.standard_t(12, (200, 4, 500))
    a, b = Standardized.of(values[:100]), Standardized.of(values[100:])
    difference, cut, unit = shape_difference(a, b)
    for level in range(len(LEVELS)):
        chosen = np.full(100, level)
        error = np.hypot(a.error(cut, chosen), b.error(cut, chosen)) * unit[level]
        assert np.isclose(np.std(difference[level] / error), 1.0, atol=0.3)
    if name == "normal":
        np.testing.assert_allclose(a.quantiles.mean(axis=1), NORMAL, atol=0.02)


def test_rank_differences_are_sds_of_a_gaussian_and_antisymmetric() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal((2, 1, 4, 2500))
    there, error = rank_differences(a + 0.3, b)
    back, _ = rank_differences(b, a + 0.3)
    np.testing.assert_allclose(there, -back)
    assert np.all(np.abs(there - 0.3) < 4 * error)
    stretched, _ = rank_differences(np.sinh(3 * (a + 0.3)), np.sinh(3 * b))
    np.testing.assert_allclose(stretched, there)


@pytest.mark.parametrize("df", [1, 2, 3])
def test_heavy_tails_are_judged_by_ranks_and_decided(df: int) -> None:
    for seed in range(6):
        rng = np.random.default_rng([seed, df])
        a, b = normal(rng, 2), normal(rng, 2)
        a[..., 0], b[..., 0] = rng.standard_t(df, (2, *SIZE))
        pair = judged(candidate(a, gaussian=False), candidate(b, gaussian=False))
        assert pair.verdict == "agree"
        assert [reason.code for reason in pair.reasons] == ["heavy-tails"]
        assert {row.statistic for row in pair.rows if row.quantity == "x0"} == {"rank"}
        b[..., 0] += 0.3 * np.subtract(*np.quantile(b[..., 0], [0.75, 0.25]))
        assert judged(candidate(a, gaussian=False), candidate(b, gaussian=False)).verdict == "disagree"


@pytest.mark.parametrize("rho", [(0.8, 0.0), (0.0, 0.5), (0.4, -0.4)])
def test_thirty_wrong_correlations_of_sixty_parameters_do_not_agree(rho: tuple[float, float]) -> None:
    rng = np.random.default_rng(6)

    def drawn(correlation: float) -> Candidate:
        z = normal(rng, 60)
        z[..., ::2] = correlation * z[..., 1::2] + np.sqrt(1.0 - correlation**2) * z[..., ::2]
        return candidate(z)

    assert judged(drawn(rho[0]), drawn(rho[1])).verdict == "disagree"
    assert judged(drawn(rho[0]), drawn(rho[0])).verdict == "agree"


def test_a_gaussian_guide_of_a_skewed_posterior_is_limited_by_its_family() -> None:
    """Its mean and sd are right, and its draws are those of a Gaussian; another shape of its own is no excuse."""
    toy = problem.toy()
    rng = np.random.default_rng(7)
    skewed = rng.exponential(size=(4, 2500, 2)) - 1.0

    def posterior(theta: Array, moments: object = None) -> Posterior:
        return label(toy.regression, {"intercept": theta[..., 0], "beta": theta[..., 1:]}, moments=moments)

    method = SVI(guide="full_rank")
    place = for_method(toy.regression, toy.data, method)
    moments = gaussian_moments(toy.regression, np.zeros(2), np.eye(2), 1e-6 * np.eye(2), np.full(2, 1e-3))
    sampler = Candidate("nuts", toy.target, NUTS(), posterior(skewed), WELL)

    def guide(draws: Array) -> Pair:
        return judged(sampler, Candidate("svi", toy.target, method, posterior(draws, moments), WELL, place))

    pair = guide(rng.standard_normal((1, 10_000, 2)))
    assert (pair.verdict, [reason.code for reason in pair.reasons]) == ("agree", ["guide-family"])
    assert {row.verdict for row in pair.rows if row.statistic == "shape"} == {"expected"}
    bimodal = 0.9 * rng.choice([-1.0, 1.0], (1, 10_000, 2)) + np.sqrt(0.19) * rng.standard_normal((1, 10_000, 2))
    assert guide(bimodal).verdict == "disagree"
