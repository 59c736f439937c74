"""The assertions for other people's tests, and what the whole decision is invariant to."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayescore.errors import DataError, RequestError
from bayescore.exact.posterior import solve
from bayescore.inference_data import load, save, to_datatree
from bayescore.model.posterior import Posterior
from bayescore.tables import problem
from bayescore.testing import assert_posteriors_agree, assert_same_model

TOY = problem.toy()
EXACT = solve(TOY.regression, TOY.data).sample(10_000, 0)
NAMES = ("intercept", "beta[x]")


def draws(seed: int = 0, shape: tuple[int, int] = (4, 2500), mean=None, cov=None) -> dict[str, np.ndarray]:
    """Independent draws from the toy's exact posterior, or from a Gaussian of other moments."""
    moments = EXACT.moments
    mean = moments.mean if mean is None else mean
    cov = moments.unconstrained_cov if cov is None else cov
    drawn = np.random.default_rng(seed).multivariate_normal(mean, cov, shape)
    return {name: drawn[..., j] for j, name in enumerate(NAMES)}


def verdict(a, b, **more) -> str:
    try:
        assert_posteriors_agree(a, b, **more)
    except AssertionError as error:
        return str(error).partition(":")[0]
    return "agree"


def test_the_same_posterior_agrees_whatever_holds_the_draws() -> None:
    a, b = draws(1), draws(2)
    as_posterior = Posterior(b)
    assert_posteriors_agree(a, b)
    assert_posteriors_agree(a, as_posterior)
    assert_posteriors_agree(to_datatree(as_posterior), a)


def test_exact_moments_are_used_where_they_are_known() -> None:
    assert_posteriors_agree(EXACT, draws(3))
    with pytest.raises(AssertionError, match="different-posterior"):
        assert_posteriors_agree(EXACT, draws(3, mean=EXACT.moments.mean + 0.2 * EXACT.moments.sd))


def test_what_is_exact_is_so_by_its_kind(tmp_path) -> None:
    """Not by errors of 0, which a Laplace approximation has too; in any order, and after a file."""
    moments = EXACT.moments
    off = replace(
        moments, unconstrained_mean=moments.mean + moments.sd, unconstrained_cov=moments.unconstrained_cov * 9
    )
    unit = {}
    for kind in ("exact", "guide"):
        with pytest.raises(AssertionError, match="disagree: different-posterior") as failure:
            assert_posteriors_agree(replace(EXACT, kind=kind, moments=off), draws(3))
        unit[kind] = str(failure.value)
    assert unit["exact"] != unit["guide"]  # the one's sds are the unit, the other's are pooled with those of the draws
    turned = {name: draws(3)[name] for name in NAMES[::-1]}
    for b in (draws(3), turned, EXACT):
        assert_posteriors_agree(EXACT, b)
        assert_posteriors_agree(b, EXACT)
    save(EXACT, tmp_path / "exact.nc")
    assert_posteriors_agree(load(tmp_path / "exact.nc"), draws(3))
    assert_posteriors_agree(draws(3), load(tmp_path / "exact.nc"))


@pytest.mark.parametrize("kind", ["mle", "map"])
def test_a_point_is_no_posterior(kind) -> None:
    with pytest.raises(DataError, match=f"a point estimate \\({kind}\\)"):
        assert_posteriors_agree(replace(EXACT, kind=kind), draws(3))


def test_the_tutorials_printed_numbers_disagree_seven_sds_jointly() -> None:
    """Weight 2.966 and bias 0.941, given as draws around them with the posterior's own spread."""
    printed = np.array([0.941, 2.966])
    moments = EXACT.moments
    off = printed - moments.mean
    assert np.sqrt(off @ np.linalg.solve(moments.unconstrained_cov, off)) == pytest.approx(7.0, abs=0.05)
    with pytest.raises(AssertionError, match="disagree: different-posterior") as failure:
        assert_posteriors_agree(draws(4, mean=printed), EXACT)
    assert "pc2" in str(failure.value)


def test_a_wrong_correlation_with_right_marginals_disagrees() -> None:
    cov = np.diag(np.diag(EXACT.moments.unconstrained_cov))
    assert verdict(draws(5, cov=cov), draws(6)) == "disagree"


def test_too_few_draws_are_inconclusive_and_say_how_many_are_needed() -> None:
    with pytest.raises(AssertionError, match=r"inconclusive: too-few-draws: .* times the draws would settle it"):
        assert_posteriors_agree(draws(7, (4, 500)), draws(8, (4, 500)))


@pytest.mark.parametrize(
    ("spoil", "verdict_of_it"),
    [
        (lambda x: np.full_like(x, x[0, 0]), "inconclusive"),
        (lambda x: x[:, :1], "inconclusive"),
        (lambda x: x[:1], "inconclusive"),
        (lambda x: np.repeat(x[:, :1], x.shape[1], axis=1), "inconclusive"),
    ],
    ids=["constant", "one draw", "one chain", "chains that stand still"],
)
def test_degenerate_draws_never_agree(spoil, verdict_of_it: str) -> None:
    spoilt = {name: spoil(values) for name, values in draws(9).items()}
    assert verdict(spoilt, draws(10)) == verdict_of_it
    assert verdict(spoilt, spoilt) == verdict_of_it


def test_nan_is_an_error_that_names_the_parameter() -> None:
    spoilt = draws(9)
    spoilt["beta[x]"][0, 0] = np.nan
    with pytest.raises(DataError, match=r"draws of 'beta\[x\]' are not all finite"):
        assert_posteriors_agree(spoilt, draws(10))


def test_other_parameters_are_an_error() -> None:
    with pytest.raises(DataError, match=r"only a has beta\[x\]"):
        assert_posteriors_agree(draws(1), {"intercept": draws(1)["intercept"]})
    with pytest.raises(DataError, match="no parameter 'sigma'"):
        assert_posteriors_agree(draws(1), draws(2), positive=["sigma"])


@settings(max_examples=25, deadline=None)
@given(
    shift=st.sampled_from([0.0, 0.05, 0.3]),
    stretch=st.sampled_from([1.0, 0.7]),
    seed=st.integers(0, 10),
    order=st.booleans(),
    scale=st.floats(1e-6, 1e6),
    location=st.floats(-100, 100),
)
def test_the_decision_is_invariant(shift, stretch, seed, order, scale, location) -> None:
    """To who is first, the order of parameters and chains, and the units of a parameter."""
    moments = EXACT.moments
    a = draws(seed, (4, 500))
    b = draws(seed + 100, (4, 500), moments.mean + shift * moments.sd, stretch**2 * moments.unconstrained_cov)
    first = verdict(a, b)
    assert verdict(b, a) == first
    turned = {name: b[name][::-1] for name in (NAMES[::-1] if order else NAMES)}
    assert verdict(a, turned) == first
    sd = moments.sd[1]
    units = [{**d, "beta[x]": scale * (d["beta[x]"] / sd + location)} for d in (a, b)]
    assert verdict(*units) == first


def test_more_draws_of_the_same_never_turn_agreement_beyond_the_stated_rate() -> None:
    """40 repetitions; one that disagrees has a probability of 1 % at most, and there is none here."""
    found = [verdict(draws(2 * s, (4, 20_000)), draws(2 * s + 1, (4, 20_000))) for s in range(40)]
    assert set(found) == {"agree"}


def log_normal(scale: float, constant: float = 0.0):
    return lambda point: float(-0.5 * (point["x"] / scale) ** 2) + constant


def test_the_same_model_up_to_a_constant() -> None:
    points = [{"x": np.array(x)} for x in (-2.0, 0.5, 1.0, 3.0)]
    assert_same_model(log_normal(1.0), log_normal(1.0, 5.0), points)
    with pytest.raises(AssertionError, match="differ by more than a constant"):
        assert_same_model(log_normal(1.0), log_normal(1.001), points)
    with pytest.raises(DataError, match="too few"):
        assert_same_model(log_normal(1.0), log_normal(1.0), points[:2])


def minus_infinity(t: float) -> float:
    return -(t**4) if t >= 0 else -np.inf


def at(density):
    return lambda point: density(float(point["t"]))


def t_points(*values):
    return [{"t": np.array(value)} for value in values]


@pytest.mark.parametrize("turned", [False, True])
def test_a_density_that_is_minus_infinity_on_one_side_is_another(turned: bool) -> None:
    pair = [at(minus_infinity), at(lambda t: -(t**2) / 2)][:: -1 if turned else 1]
    for values in ((-1.0, 0.5, 1.0, 2.0), (0.5, 1.0, 2.0, -1.0), (-3.0, -2.0, -1.0, 1.0)):
        with pytest.raises(AssertionError, match=r"a is .* and b is .* at point .: .*t"):
            assert_same_model(*pair, t_points(*values))
    assert_same_model(at(minus_infinity), at(minus_infinity), t_points(-1.0, 0.5, 1.0, 2.0))
    with pytest.raises(DataError, match="2 different points where both are finite are too few"):
        assert_same_model(at(minus_infinity), at(minus_infinity), t_points(-1.0, -2.0, 0.5, 1.0))


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_log_density_is_said(odd: float) -> None:
    wrong = at(lambda t: odd if t > 1 else 0.0)
    with pytest.raises(AssertionError, match=f"b is {odd:g} at point 2, which is no log density"):
        assert_same_model(at(lambda t: 0.0), wrong, t_points(0.0, 1.0, 2.0))


def test_the_same_point_many_times_is_one_point() -> None:
    with pytest.raises(DataError, match="1 different points"):
        assert_same_model(at(lambda t: -t), at(lambda t: -(t**2)), t_points(*[1.0] * 20))


def test_a_far_point_hides_nothing() -> None:
    """Its own rounding is its own."""
    with pytest.raises(AssertionError, match="differ by more than a constant"):
        assert_same_model(
            at(lambda t: -(t**2)), at(lambda t: -1.1 * t**2 if t < 5 else -(t**2)), t_points(0, 1, 2, 1e8)
        )


@pytest.mark.parametrize("error", [AssertionError(), ValueError("no such site"), KeyError("x")])
def test_an_error_of_the_density_is_no_failed_comparison(error: Exception) -> None:
    def wrong(point):
        raise error

    with pytest.raises(DataError, match=f"b raises {type(error).__name__} at point 0"):
        assert_same_model(at(lambda t: 0.0), wrong, t_points(1, 2, 3))


@pytest.mark.parametrize("value", [1j, "high", np.zeros(2), None])
def test_a_density_that_is_no_number_is_refused(value) -> None:
    with pytest.raises(DataError, match="at point 0"):
        assert_same_model(lambda point: value, at(lambda t: 0.0), t_points(1, 2, 3))


@pytest.mark.parametrize("tolerance", [0.0, -1.0, np.nan, np.inf, "1", True])
def test_a_tolerance_is_positive(tolerance) -> None:
    with pytest.raises(RequestError, match="tolerance must be a positive number"):
        assert_same_model(at(lambda t: 0.0), at(lambda t: 0.0), t_points(1, 2, 3), tolerance=tolerance)


@pytest.mark.parametrize(
    ("name", "value"),
    [("margin", -1), ("margin", 0), ("margin", np.nan), ("margin", np.inf), ("margin", "0.1"),
     ("alpha", 0), ("alpha", 1), ("alpha", -0.1), ("alpha", np.nan), ("alpha", True)],
)  # fmt: skip
def test_a_margin_and_a_rate_make_sense(name: str, value) -> None:
    with pytest.raises(RequestError, match=f"{name} must be a"):
        assert_posteriors_agree(draws(1), draws(2), **{name: value})


def test_a_logarithm_is_of_positive_draws() -> None:
    both = draws(1), draws(2)
    both[1]["intercept"][1, 7] = -0.25
    with pytest.raises(DataError, match=r"'intercept' can't be compared as a logarithm: b has a draw of -0\.25"):
        assert_posteriors_agree(*both, positive=["intercept"])


def test_axes_taken_for_each_other_are_refused() -> None:
    swapped = {name: values.T for name, values in draws(1).items()}
    with pytest.raises(DataError, match=r"b has 2500 chains of 4 draws: .*swap the axes"):
        assert_posteriors_agree(draws(2), swapped)
    many = {name: values.reshape(100, 100) for name, values in draws(1).items()}
    assert_posteriors_agree(draws(2), many)


@pytest.mark.parametrize("empty", [{}, {"x": np.zeros((4, 10, 0))}])
def test_nothing_is_refused(empty) -> None:
    with pytest.raises(DataError, match="b has no parameters"):
        assert_posteriors_agree(draws(1), empty)


def test_no_draws_and_odd_shapes_are_refused() -> None:
    with pytest.raises(DataError, match="a has no draws"):
        assert_posteriors_agree({"x": np.zeros((4, 0))}, {"x": np.zeros((4, 0))})
    with pytest.raises(DataError, match=r"a: 'y' has \(4, 20\) chains and draws, and others \(4, 10\)"):
        assert_posteriors_agree({"x": np.zeros((4, 10)), "y": np.zeros((4, 20))}, draws(1))
    for odd in (np.zeros((4, 10), dtype=complex), [["a", "b"], ["c", "d"]], [[1.0], [2.0, 3.0]], None):
        with pytest.raises(DataError, match="a: 'x' holds no real numbers"):
            assert_posteriors_agree({"x": odd}, draws(1))


def test_tensors_that_require_a_gradient_are_read() -> None:
    torch = pytest.importorskip("torch")
    tensors = {name: torch.tensor(values, requires_grad=True) for name, values in draws(1).items()}
    assert_posteriors_agree(tensors, draws(2))
    half = {name: torch.tensor(values, dtype=torch.float32) for name, values in draws(1).items()}
    assert_posteriors_agree(half, draws(2))

    def gaussian(point):
        return -(torch.tensor(float(point["t"]), requires_grad=True) ** 2)

    assert_same_model(gaussian, at(lambda t: -(t**2)), t_points(1, 2, 3), tolerance=1e-6)


def test_entries_that_never_move_are_left_out() -> None:
    """As the upper triangle of a Cholesky factor; but not where they stand elsewhere."""

    def factor(seed: int, corner: float = 0.0):
        own = draws(seed)["beta[x]"]
        return {"root": np.stack([np.stack([np.ones_like(own), np.full_like(own, corner)], -1),
                                  np.stack([own, np.sqrt(1 + own**2)], -1)], -2)}  # fmt: skip

    assert_posteriors_agree(factor(1), factor(2))
    with pytest.raises(AssertionError, match=r"root\[0,1\] is always 0 in a, and always 0.5 in b"):
        assert_posteriors_agree(factor(1), factor(2, 0.5))


def test_whole_numbers_are_not_resampled() -> None:
    """They come again by themselves."""
    rng = np.random.default_rng(5)
    a, b, other = ({"count": rng.poisson(mean, (4, 2500))} for mean in (7.0, 7.0, 8.0))
    assert_posteriors_agree(a, b)
    assert verdict(a, other) == "disagree"
    assert_posteriors_agree({**a, **draws(1)}, {**b, **draws(2)})


def test_matrices_have_the_names_that_arviz_gives_them() -> None:
    own = np.stack([np.stack([draws(s)["beta[x]"] for s in (k, k + 1)], -1) for k in (1, 3)], -2)
    other = np.stack([np.stack([draws(s)["beta[x]"] for s in (k, k + 1)], -1) for k in (11, 13)], -2)
    assert own.shape == (4, 2500, 2, 2)
    assert_posteriors_agree({"w": own}, Posterior({"w": other}))
    with pytest.raises(DataError, match=r"'w' has shape \(2, 2\) in a, and \(4,\) in b"):
        assert_posteriors_agree({"w": own}, {"w": other.reshape(4, 2500, 4)})
