"""Faults of log densities."""

import dataclasses

import numpy as np
from bayescore_faulty_sound import Sound

from bayescore.backend import LogDensity
from bayescore.density import specification
from bayescore.model.distributions import Normal
from bayescore.model.transforms import constrain, unconstrain


class _Density(Sound):
    def log_density(self, regression, data, values):
        return dataclasses.replace(super().log_density(regression, data, values), **self.wrong(regression, values))

    def wrong(self, regression, values):
        return {}


class NanTotal(_Density):
    def wrong(self, regression, values):
        return {"total": float("nan")}


class TermsDontAdd(Sound):
    """The prior of beta is in its own term, and not in the total."""

    def log_density(self, regression, data, values):
        found = super().log_density(regression, data, values)
        return LogDensity(found.total - found.by_site["beta"], found.by_site, found.gradient)


class ComplexDensity(Sound):
    def log_density(self, regression, data, values):
        found = super().log_density(regression, data, values)
        return LogDensity(found.total + 0j, found.by_site, found.gradient)


class ComplexTerms(Sound):
    def log_density(self, regression, data, values):
        found = super().log_density(regression, data, values)
        return LogDensity(found.total, {name: v + 0j for name, v in found.by_site.items()}, found.gradient)


class GradientOfNowhere(_Density):
    def wrong(self, regression, values):
        return {"gradient_of": "the logarithms"}


class TotalAlone(Sound):
    """No fault: it gives no terms, as a density that is compiled in one piece."""

    def log_density(self, regression, data, values):
        return LogDensity(super().log_density(regression, data, values).total)


class TotalOfAnotherPrior(TotalAlone):
    def log_density(self, regression, data, values):
        return super().log_density(dataclasses.replace(regression, beta=(Normal(0.0, 11.0),)), data, values)


class GradientUnconstrained(Sound):
    """No fault: of the numbers that the core's transforms take, as samplers climb; here by differences."""

    says = "unconstrained"

    def climbs(self, total, log_det):
        return total + log_det

    def log_density(self, regression, data, values):
        slots, joint = regression.slots(), specification.LogJoint(regression, data)
        u = unconstrain(slots, values, np)
        step = 1e-5 * np.eye(u.size)
        ends = []
        for side in (u + step, u - step):
            moved, log_det = constrain(slots, side, np)
            ends.append(self.climbs(joint(moved), log_det))
        slopes = (ends[0] - ends[1]) / 2e-5
        by_site = {slot.site: slopes[slot.start : slot.stop].reshape(slot.shape) for slot in slots}
        return LogDensity(float(joint(values)), gradient=by_site, gradient_of=self.says)


class JacobianLeftOut(GradientUnconstrained):
    def climbs(self, total, log_det):
        return total


class GradientSaidToBeConstrained(GradientUnconstrained):
    says = "constrained"


class GradientSaidToBeUnconstrained(_Density):
    def wrong(self, regression, values):
        return {"gradient_of": "unconstrained"}


class GradientInOnePiece(_Density):
    def wrong(self, regression, values):
        return {"gradient": np.zeros(3)}
