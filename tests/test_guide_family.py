"""What a guide's family can reach, told by the core's own density."""

from dataclasses import replace

import numpy as np
import pytest
from declared import problems

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.guide_family import at_laplace, at_optimum, best_mean_field_sd
from bayescore.agreement.health import Health
from bayescore.agreement.pairs import judge_pair
from bayescore.density.coordinates import Coordinates, for_method
from bayescore.exact.posterior import solve
from bayescore.methods import SVI, Laplace
from bayescore.model.posterior import Posterior, label
from bayescore.tables import problem

TOY = problem.toy()
TRUTH = solve(TOY.regression, TOY.data)
RAW = Coordinates(np.zeros(2), np.eye(2), TOY.regression.slots())


def guide(*, shift: float = 0.0, stretch: float = 1.0, full: bool = False, draws: int = 10_000) -> Posterior:
    """Draws of the best Gaussian guide of the toy in raw coordinates, or of one moved and stretched."""
    mean, cov = TRUTH.moments.unconstrained_mean, TRUTH.moments.unconstrained_cov
    sd = 1.0 / np.sqrt(np.diag(np.linalg.inv(cov)))
    root = np.linalg.cholesky(cov) if full else np.diag(sd)
    noise = np.random.default_rng(0).standard_normal((draws, 2))
    theta = mean + shift * sd + stretch * noise @ root.T
    return label(TOY.regression, {"intercept": theta[None, :, 0], "beta": theta[None, :, 1:]})


@pytest.mark.parametrize("full", [False, True], ids=["mean field", "full rank"])
@pytest.mark.parametrize(
    ("shift", "stretch", "best"), [(0.0, 1.0, True), (0.3, 1.0, False), (0.0, 1.4, False), (0.0, 0.7, False)]
)
def test_the_best_of_a_family_is_told_from_others(full: bool, shift: float, stretch: float, best: bool) -> None:
    drawn = guide(shift=shift, stretch=stretch, full=full)
    assert at_optimum(TOY.target, RAW, drawn, diagonal=not full) is best


@pytest.mark.parametrize(("shift", "stretch", "right"), [(0.0, 1.0, True), (0.3, 1.0, False), (0.0, 1.5, False)])
def test_a_laplace_approximation_is_held_to_the_core_s_own(shift: float, stretch: float, right: bool) -> None:
    place = for_method(TOY.regression, TOY.data, Laplace())
    assert at_laplace(place, guide(shift=shift, stretch=stretch, full=True)) is right


@pytest.mark.parametrize("name", ["groups-correlated-Gaussian", "Bernoulli-logit", "Gaussian-identity"])
def test_best_sds_through_the_map_are_those_of_a_gaussian(name: str) -> None:
    """Draws of a mean-field Gaussian in the unconstrained space: its own sds are the best."""
    stated = problems()[name]
    place = for_method(stated.regression, stated.data, SVI())
    z = 0.3 * np.random.default_rng(1).standard_normal((4000, place.size))
    drawn = label(stated.regression, {site: v[None] for site, v in place.constrained(z).items()})
    candidate = Candidate("a", stated.target, SVI(), drawn, Health({}, (), {}))
    own = candidate.own.sd
    best = best_mean_field_sd(stated.target, place, candidate.marginals.cov, drawn)
    assert np.max(np.abs(np.log(best / own))) < 0.15  # 4000 draws' sds differ by 1 % each, the map's tails by more


@pytest.mark.parametrize(
    ("method", "at_best", "code"),
    [
        (SVI(guide="full_rank"), True, "guide-family"),
        (SVI(guide="full_rank"), False, "different-posterior"),
        (Laplace(), True, "guide-family"),
        (Laplace(), False, "different-posterior"),
    ],
)
def test_a_difference_is_the_family_s_where_the_guide_is_at_its_best(method, at_best, code) -> None:
    def candidate(name: str, posterior: Posterior, method, best) -> Candidate:
        return Candidate(name, TOY.target, method, posterior, Health({}, (), {}), None, None, best)

    sound = candidate("a", guide(full=True), SVI(guide="full_rank"), None)
    other = candidate("b", guide(full=True, shift=0.5), method, at_best)
    pair = judge_pair(sound, other, scale=None, cov=None, margin=0.1, alpha=0.01)
    assert pair.verdict == "disagree"
    assert [reason.code for reason in pair.reasons] == [code]


def test_a_network_is_judged_by_its_outputs() -> None:
    """Units permuted and their signs flipped are the same network."""
    stated = problems()["network-4"]
    rng = np.random.default_rng(0)
    draws = {s.name: np.exp(rng.normal(size=(2, 50))) if not s.shape else rng.normal(size=(2, 50, *s.shape))
             for s in stated.regression.sites}  # fmt: skip
    order, signs = [2, 0, 3, 1], np.array([1.0, -1.0, -1.0, 1.0])
    moved = dict(draws)
    moved["layer0.weight"] = draws["layer0.weight"][..., order, :] * signs[:, None]
    moved["layer0.bias"] = draws["layer0.bias"][..., order] * signs
    moved["layer1.weight"] = draws["layer1.weight"][..., order] * signs
    target = stated.target
    first, second = (target.judged(label(stated.regression, d)) for d in (draws, moved))
    assert list(first.draws) == list(target.quantities.parameters)
    assert len(target.quantities.parameters) == 11
    for name, values in first.draws.items():
        assert np.max(np.abs(values - second.draws[name])) < 1e-12
    changed = replace(first, draws={**first.draws, "sigma": first.draws["sigma"] + 1.0})
    assert np.any(changed.draws["sigma"] != second.draws["sigma"])
