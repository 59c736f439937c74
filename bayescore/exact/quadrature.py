"""The posterior of at most three unknowns by quadrature, with an estimate of its error.

The trapezoidal rule on a lattice (`bayescore.exact.lattice`) converges geometrically for
a density that is smooth and vanishes at infinity (Trefethen and Weideman 2014, SIAM
Review 56, 385-458). Axes are halved until what they lose by leaving out every other node
promises enough. Then a second lattice, halfway between the nodes of the first, has to
find the same: their difference is the error that is reported, and their average, which
is much better, the result.
"""

from dataclasses import dataclass

import numpy as np

from bayescore.density.coordinates import constrain
from bayescore.density.specification import LogJoint
from bayescore.errors import UnsupportedError
from bayescore.exact.frame import aligned, first_frame
from bayescore.exact.keys import index, widened
from bayescore.exact.lattice import Integrand, Lattice
from bayescore.exact.sampling import sample
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Moments, Posterior, label
from bayescore.model.regression import Regression

_TOLERANCE = 1e-8
"""In posterior sds; of log evidence in nats."""
_TOLERANCE_OF_DRAWS = 1e-5
"""Where draws are all that is given."""
_WORST = 1e-4
_ROUGHLY = 0.1
_STEP = 1.8
_SHIFT = np.array([4 / 9, 2 / 9, 1 / 9])
"""Of the second lattice, in steps: no wave that one lattice takes for a constant, along an axis or a diagonal,
looks like that to the other."""
_FRAMES = 12
_FAR = 20.0
"""Where coordinates are cut, to be placed by, if they have no variance."""
_LEAST_NODES, _MOST_NODES = 150_000, 1_500_000
_MOST_ROWS = 1_000_000_000
"""Nodes times rows, after which a lattice of more than the least number of nodes is not made finer."""


@dataclass(frozen=True)
class QuadraturePosterior:
    """A posterior on a lattice.

    Attributes
    ----------
    moments
        With ``quadrature_error``, the largest error in posterior sds; None where there is no
        variance, so that draws are all that can be given.
    """

    regression: Regression
    lattice: Lattice
    moments: Moments | None

    def sample(self, draws: int, seed: int) -> Posterior:
        """Independent draws, shape (1, draws, ...)."""
        t = sample(self.lattice, draws, np.random.default_rng(seed))
        values = constrain(self.regression.slots(), self.lattice.integrand.frame.at(t)[0])
        drawn = {name: v[None] for name, v in values.items()}
        kind = "independent" if self.moments is None else "exact"
        return label(self.regression, drawn, moments=self.moments, kind=kind)


@dataclass(frozen=True)
class Statistics:
    """What a set of nodes says.

    Attributes
    ----------
    log_evidence
        Log of the integral, in nats.
    mean, cov
        Of the quantities, shapes (q,) and (q, q).
    """

    log_evidence: float
    mean: Array
    cov: Array

    def difference(self, other: "Statistics") -> Array:
        """Of each quantity's moments, in sds, and of the log evidence, in nats: shape (q + 1,)."""
        sd = np.sqrt(np.diag(self.cov))
        with np.errstate(all="ignore"):
            means = np.abs(self.mean - other.mean) / sd
            covs = np.max(np.abs(self.cov - other.cov) / np.outer(sd, sd), axis=0)
            found = np.append(np.maximum(means, covs), np.abs(self.log_evidence - other.log_evidence))
        return np.asarray(np.nan_to_num(found, nan=np.inf))


def statistics(log_density: Array, quantities: Array, cell: float) -> Statistics:
    """Moments under the density at nodes that stand for a volume ``cell`` each."""
    top = float(np.max(log_density, initial=-np.inf))
    if top == -np.inf:
        return Statistics(-np.inf, np.zeros(quantities.shape[1]), np.zeros((quantities.shape[1],) * 2))
    weights = np.exp(log_density - top)
    total = float(weights.sum())
    weights /= total
    mean = weights @ quantities
    away = quantities - mean
    return Statistics(top + float(np.log(total * cell)), mean, (away * weights[:, None]).T @ away)


def solve(regression: Regression, data: Data) -> QuadraturePosterior:
    """Integrate a posterior.

    One that has no variance, as under a Cauchy prior with separated classes, is integrated
    for its draws alone: the mass has to lie where it can be computed, and the angles of the
    coordinates take the place of moments in the estimate of the error.

    Raises
    ------
    UnsupportedError
        It is improper, or takes too many nodes.
    """
    try:
        return _solve(regression, data, bounded=False)
    except NoMomentsError:
        return _solve(regression, data, bounded=True)


class NoMomentsError(UnsupportedError):
    """The second moments lie beyond what can be computed."""


def _solve(regression: Regression, data: Data, *, bounded: bool) -> QuadraturePosterior:
    joint = LogJoint(regression, data)
    most = min(_MOST_NODES, max(_MOST_ROWS // joint.data.rows, _LEAST_NODES))
    lattice = _placed(regression, data, joint, most, bounded)
    wanted = _TOLERANCE_OF_DRAWS if bounded else _TOLERANCE
    while True:
        promised = _promised(lattice)
        last = lattice.evaluated * 3 > most  # a halved axis takes twice as many, and its borders
        if last or sum(promised) < wanted:
            found, errors = _verified(lattice)
            if last or np.max(errors) < wanted:
                break
        lattice.halve(int(np.argmax(promised)))
    _check_proper(regression, lattice, _WORST)
    error = float(np.max(errors)) + lattice.cut_off()[0]
    if error > _WORST:
        raise UnsupportedError(
            f"quadrature finds {_name(regression, int(np.argmax(errors)))} only to {error:.1g} posterior sds with "
            f"{lattice.evaluated} points; give it a prior that falls off faster, as Normal or HalfNormal, or use nuts"
        )
    return QuadraturePosterior(regression, lattice, None if bounded else _moments(regression, found, error))


def _placed(regression: Regression, data: Data, joint: LogJoint, most: int, bounded: bool) -> Lattice:
    """A coarse lattice whose axes have the posterior's own means and scales, roughly."""
    frame = first_frame(regression, data, joint)
    for _ in range(_FRAMES):
        lattice = Lattice(Integrand(joint, frame, bounded=bounded), _STEP, most)
        _check_proper(regression, lattice, _ROUGHLY)
        x = frame.stretched(lattice.at(lattice.keys))[0]
        found = statistics(lattice.log_density, np.clip(x, -_FAR, _FAR) if bounded else x, 1.0)
        sizes = np.linalg.eigvalsh(found.cov)
        if sizes[0] > 0.1 and sizes[-1] < 10.0 and np.max(np.abs(found.mean)) < 1.0:
            break
        wide = np.linalg.cholesky(found.cov + 0.03 * np.eye(sizes.size))
        frame = aligned(regression, frame.centre + frame.matrix @ found.mean, frame.matrix @ wide)
    return lattice


def _check_proper(regression: Regression, lattice: Lattice, most: float) -> None:
    """Refuse a posterior of whose second moments more than ``most`` lies beyond what can be computed.

    Those of bounded quantities lie there only if the posterior itself does.
    """
    share, quantity = lattice.cut_off()
    if share > most or lattice.full:
        refused = UnsupportedError if lattice.integrand.bounded else NoMomentsError
        raise refused(
            "the posterior is improper, or its tails are too long: it does not fall off far enough in "
            f"{_name(regression, quantity)}; give it a prior that does, as Normal or HalfNormal"
        )


def _name(regression: Regression, quantity: int) -> str:
    """The parameter that a quantity is of."""
    d = len(regression.parameters)
    return regression.parameters[quantity % d] if quantity < 2 * d else "the log density"


def _promised(lattice: Lattice) -> list[float]:
    """The error to be expected along each axis, from what it loses by keeping one node in two, and in four.

    The logarithm of the error is about linear in the number of nodes.
    """
    all_, promised = _thinned(lattice, 0, 1), []
    for axis in range(lattice.axes):
        half, quarter = _thinned(lattice, axis, 2), _thinned(lattice, axis, 4)
        loss, before = float(np.max(all_.difference(half))), float(np.max(half.difference(quarter)))
        promised.append(loss * (loss / before) ** 2 if loss < before < np.inf else loss)
    return promised


def _thinned(lattice: Lattice, axis: int, count: int) -> Statistics:
    """What remains if an axis keeps one node in so many."""
    left = index(lattice.keys, axis) % count == 0
    return statistics(lattice.log_density[left], lattice.quantities[left], count * float(np.prod(lattice.steps)))


def _verified(lattice: Lattice) -> tuple[Statistics, Array]:
    """The average with another lattice, and twice the difference."""
    cell = float(np.prod(lattice.steps))
    between = lattice.at(widened(lattice.keys, lattice.axes, -1, 0)) + lattice.steps * _SHIFT[: lattice.axes]
    log_density, quantities = lattice.integrand.at(between)
    known = log_density > -np.inf
    log_density, quantities = log_density[known], quantities[known]
    other = statistics(log_density, quantities, cell)
    own = statistics(lattice.log_density, lattice.quantities, cell)
    both = statistics(
        np.concatenate([lattice.log_density, log_density]),
        np.concatenate([lattice.quantities, quantities]),
        cell / 2,
    )
    return both, 2.0 * own.difference(other)


def _moments(regression: Regression, found: Statistics, error: float) -> Moments:
    d = len(regression.parameters)
    zero = np.zeros(d)
    return Moments(
        regression.parameters,
        found.mean[:d],
        zero,
        found.cov[:d, :d],
        zero,
        found.mean[d : 2 * d],
        zero,
        np.sqrt(np.diag(found.cov)[d : 2 * d]),
        zero,
        log_joint=float(found.mean[-1]),
        log_evidence=found.log_evidence if all(site.proper for site in regression.sites) else None,
        quadrature_error=error,
    )
