"""The assertions for other people's tests, and what the whole decision is invariant to."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayescore import problem
from bayescore.errors import DataError
from bayescore.exact.posterior import solve
from bayescore.inference_data import load, save, to_datatree
from bayescore.posterior import Posterior
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
    with pytest.raises(DataError, match="only one side has"):
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
