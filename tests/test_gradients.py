"""Gradients of a log density are held against the specification's, in either space."""

from dataclasses import replace

import numpy as np
import pytest
from honest import PROBLEMS, densities, gaussian

from bayescore.agreement.model_check import check
from bayescore.density import specification
from bayescore.density.mode import unconstrained_density
from bayescore.model.data import from_arrays
from bayescore.model.transforms import unconstrain
from bayescore.regressions.points import points
from bayescore.regressions.target import RegressionTarget
from bayescore.tables import problem


def test_a_wrong_gradient_is_found() -> None:
    honest = gaussian()
    at = points(honest.regression, honest.data)
    found = [
        replace(f, gradient={**f.gradient, "sigma": f.gradient["sigma"] + 1.0})
        for f in densities(honest.regression, honest.data, at)
    ]
    result = check("wrong", honest.target, at, found)
    assert (result.verdict, result.site) == ("different", "sigma")


def test_a_gradient_that_is_no_number_at_one_site_is_found() -> None:
    honest = gaussian()
    at = points(honest.regression, honest.data)
    for site in honest.regression.sites:
        found = [
            replace(f, gradient={**f.gradient, site.name: np.full(site.shape, np.nan)})
            for f in densities(honest.regression, honest.data, at)
        ]
        result = check("wrong", honest.target, at, found)
        assert (result.verdict, result.site) == ("different", site.name)


@pytest.mark.parametrize("name", [name for name in PROBLEMS if not name.endswith(("-fixed", "-weights-offset"))])
def test_gradients_of_the_unconstrained_numbers_are_held_against_their_density(name: str) -> None:
    """The Jacobian's gradient among them; what is moved by a thousandth is found."""
    honest = PROBLEMS[name]
    at, slots = points(honest.regression, honest.data, 12), honest.regression.slots()
    slopes = unconstrained_density(specification.LogJoint(honest.regression, honest.data))[1]
    found = []
    for point, density in zip(at, densities(honest.regression, honest.data, at), strict=True):
        along = slopes(unconstrain(slots, point, np))
        parts = {slot.site: along[slot.start : slot.stop].reshape(slot.shape) for slot in slots}
        found.append(replace(density, gradient=parts, gradient_of="unconstrained"))
    result = check("climbs", honest.target, at, found)
    assert result.verdict == "same", result
    site = honest.regression.sites[-1].name
    wrong = [replace(f, gradient={**f.gradient, site: 1.01 * f.gradient[site]}) for f in found]
    result = check("climbs", honest.target, at, wrong)
    assert (result.verdict, result.site) == ("different", site)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_wrong_gradient_is_found_in_any_units(unit: float) -> None:
    rng = np.random.default_rng(1)
    x = unit * rng.normal(size=(50, 1))
    data = from_arrays(x, x[:, 0] / unit + rng.normal(size=50))
    honest = problem.from_data(data, family="Gaussian(sigma=1)")
    at = points(honest.regression, data)
    right = densities(honest.regression, data, at)
    assert check("a", RegressionTarget(honest.regression, data, data), at, right).verdict == "same"
    found = [replace(f, gradient={**f.gradient, "beta": 1.001 * f.gradient["beta"]}) for f in right]
    result = check("a", RegressionTarget(honest.regression, data, data), at, found)
    assert (result.verdict, result.site) == ("different", "beta")
    assert result.pattern == "its gradient is not that of its density"
