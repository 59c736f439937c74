"""From the unconstrained vector to the parameters, in any array library.

Samplers and guides work on real vectors. A `Slot` says which part of the vector a site
takes, and its transform makes the site's values of it, with the log determinant of the
Jacobian. The functions take the library as ``xp`` (numpy, autograd.numpy, jax.numpy or
torch) and use what these four have in common; values have shape (..., *site shape).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Values = Mapping[str, Any]
Bounds = tuple[float, float]
NOTHING: Values = MappingProxyType({})
REAL: Bounds = (-math.inf, math.inf)
POSITIVE: Bounds = (0.0, math.inf)


@dataclass(frozen=True)
class Transform(ABC):
    """A map of real numbers u, shape (..., n), to a site's n values, given sites before it."""

    @abstractmethod
    def forward(self, u: Any, given: Values, xp: Any) -> tuple[Any, Any]:
        """Values (..., n), and the log determinant (...)."""

    @abstractmethod
    def inverse(self, x: Any, given: Values, xp: Any) -> Any:
        """The u (..., n) of values (..., n)."""


@dataclass(frozen=True)
class Elementwise(Transform):
    """Each element by its bounds: as it is, exp, or a scaled logistic function.

    Attributes
    ----------
    bounds
        One pair for all elements, or one an element.
    """

    bounds: tuple[Bounds, ...]

    def forward(self, u: Any, given: Values, xp: Any) -> tuple[Any, Any]:
        if len(self.bounds) == 1:
            values, log_slope = _from_real(u, self.bounds[0], xp)
            return values, log_slope.sum(-1)
        parts = [_from_real(u[..., j], bounds, xp) for j, bounds in enumerate(self.bounds)]
        return xp.stack([value for value, _ in parts], -1), sum(slope for _, slope in parts)

    def inverse(self, x: Any, given: Values, xp: Any) -> Any:
        if len(self.bounds) == 1:
            return to_real(x, self.bounds[0], xp)
        return xp.stack([to_real(x[..., j], bounds, xp) for j, bounds in enumerate(self.bounds)], -1)


def _from_real(u: Any, bounds: Bounds, xp: Any) -> tuple[Any, Any]:
    """Value and log slope of one kind of elements."""
    low, high = bounds
    if math.isinf(low):
        return u, xp.zeros_like(u)
    if math.isinf(high):
        return low + xp.exp(u), u
    log_share = -xp.logaddexp(xp.zeros_like(u), -u)
    return low + (high - low) * xp.exp(log_share), math.log(high - low) + 2.0 * log_share - u


def to_real(x: Any, bounds: Bounds, xp: Any) -> Any:
    """The real number of a value within bounds: itself, its logarithm, or its logit."""
    low, high = bounds
    if math.isinf(low):
        return x
    if math.isinf(high):
        return xp.log(x - low)
    return xp.log(x - low) - xp.log(high - x)


@dataclass(frozen=True)
class Ordered(Transform):
    """An increasing vector: the first element as it is, the steps as logarithms."""

    def forward(self, u: Any, given: Values, xp: Any) -> tuple[Any, Any]:
        steps = xp.exp(u[..., 1:])
        return xp.cumsum(xp.concatenate([u[..., :1], steps], -1), -1), u[..., 1:].sum(-1)

    def inverse(self, x: Any, given: Values, xp: Any) -> Any:
        return xp.concatenate([x[..., :1], xp.log(x[..., 1:] - x[..., :-1])], -1)


@dataclass(frozen=True)
class Correlations(Transform):
    """The k (k - 1) / 2 correlations of k effects, (0, 1), (0, 2), (1, 2), ..., from partial ones tanh(u).

    Lewandowski, Kurowicka and Joe (2009), section 2.
    """

    k: int

    def forward(self, u: Any, given: Values, xp: Any) -> tuple[Any, Any]:
        partial = xp.tanh(u)
        log_left = xp.log1p(-partial * partial)  # of each 1 - partial^2
        log_det = log_left.sum(-1)
        rows: list[list[Any]] = [[xp.ones_like(u[..., 0])]]
        position = 0
        found = []
        for row in range(1, self.k):
            entries, left = [], xp.ones_like(u[..., 0])
            for column in range(row):
                entries.append(partial[..., position] * left)
                left = left * xp.exp(0.5 * log_left[..., position])
                log_det = log_det + 0.5 * (self.k - 2 - column) * log_left[..., position]
                position += 1
            rows.append([*entries, left])
            found += [_dot(rows[row], rows[other]) for other in range(row)]
        return xp.stack(found, -1), log_det

    def inverse(self, x: Any, given: Values, xp: Any) -> Any:
        found = []
        for row in cholesky(x, self.k, xp)[1:]:
            left = xp.ones_like(x[..., 0])
            for entry in row[:-1]:
                partial = entry / left
                left = left * xp.sqrt(1.0 - partial * partial)
                found.append(0.5 * (xp.log1p(partial) - xp.log1p(-partial)))
        return xp.stack(found, -1)


def _dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=False))


def cholesky(correlations: Any, k: int, xp: Any) -> list[list[Any]]:
    """Rows of the Cholesky factor of the correlation matrix, row r with r + 1 entries of shape (...)."""
    rows = [[xp.ones_like(correlations[..., 0])]]
    position = 0
    for row in range(1, k):
        entries: list[Any] = []
        for column in range(row):
            rest = correlations[..., position] - sum(a * b for a, b in zip(entries, rows[column], strict=False))
            entries.append(rest / rows[column][column])
            position += 1
        rows.append([*entries, xp.sqrt(1.0 - sum(entry * entry for entry in entries))])
    return rows


@dataclass(frozen=True)
class GroupOffsets(Transform):
    """A group effect's offsets, centred or not level by level, given its sd and the effects before it.

    With Cholesky factor L of the correlation matrix, effect k of a level is
    sd_k (L_k0 z_0 + ... + L_kk z_k) for standard normal z. So its law given the effects
    before it is Normal(m, s). In its place stands u ~ Normal(c m, s^c): for the share c = 0
    the standard normal z_k, for c = 1 the offset itself (Papaspiliopoulos, Roberts and Skold
    2007, *A general framework for the parametrization of hierarchical models*, section 3;
    Gorinova, Moore and Hoffman 2020, *Automatic reparameterisation of probabilistic
    programs*, equation 3). The shares, one a level, are among the given values under
    `share`; without them they are 0.

    Attributes
    ----------
    sds, offsets
        Site names: sds of the term's effects up to this one, offsets of those before it.
    correlation
        Name of the correlations' site, or None for one effect.
    size
        Number of the term's effects.
    """

    sds: tuple[str, ...]
    offsets: tuple[str, ...]
    correlation: str | None
    size: int

    def law(self, given: Values, xp: Any) -> tuple[Any, Any]:
        """Mean (..., level) or 0, and sd (..., 1), of the offsets given all before them."""
        sd = given[self.sds[-1]][..., None]
        if self.correlation is None:
            return 0.0, sd
        correlations = given[self.correlation] if self.size > 2 else given[self.correlation][..., None]
        rows = cholesky(correlations, self.size, xp)
        whitened: list[Any] = []
        for k, name in enumerate(self.offsets):
            scaled = given[name] / given[self.sds[k]][..., None]
            rest = scaled - sum(rows[k][j][..., None] * z for j, z in enumerate(whitened))
            whitened.append(rest / rows[k][k][..., None])
        own = rows[len(self.offsets)]
        mean = sd * sum(own[j][..., None] * z for j, z in enumerate(whitened)) if whitened else 0.0
        return mean, sd * own[-1][..., None]

    @property
    def share(self) -> str:
        """What its shares are called, as ``centring(1|county)``."""
        return "centring" + self.sds[-1].removeprefix("sd")

    def forward(self, u: Any, given: Values, xp: Any) -> tuple[Any, Any]:
        mean, sd = self.law(given, xp)
        if self.share not in given:
            return mean + sd * u, u.shape[-1] * xp.log(sd[..., 0])
        share = given[self.share]
        log_slope = (1.0 - share) * xp.log(sd)
        return mean + xp.exp(log_slope) * (u - share * mean), log_slope.sum(-1)

    def inverse(self, x: Any, given: Values, xp: Any) -> Any:
        mean, sd = self.law(given, xp)
        if self.share not in given:
            return (x - mean) / sd
        share = given[self.share]
        return share * mean + (x - mean) * xp.exp((share - 1.0) * xp.log(sd))


@dataclass(frozen=True)
class Shrinkage(Transform):
    """Coefficients from standard normal ones, under the horseshoe whose sites are named."""

    global_scale: str
    local: str
    slab: str

    def scales(self, given: Values, xp: Any) -> Any:
        """Sd of each coefficient, shape (..., n)."""
        wide = given[self.global_scale][..., None] * given[self.local]
        return wide / xp.sqrt(1.0 + wide * wide / given[self.slab][..., None])

    def forward(self, u: Any, given: Values, xp: Any) -> tuple[Any, Any]:
        scales = self.scales(given, xp)
        return scales * u, xp.log(scales).sum(-1)

    def inverse(self, x: Any, given: Values, xp: Any) -> Any:
        return x / self.scales(given, xp)


@dataclass(frozen=True)
class Slot:
    """Where a site lies in the unconstrained vector, ``u[start:stop]``, and its transform."""

    site: str
    start: int
    stop: int
    shape: tuple[int, ...]
    transform: Transform


def constrain(slots: Sequence[Slot], u: Any, xp: Any, shares: Values = NOTHING) -> tuple[dict[str, Any], Any]:
    """Each site's values at u of shape (..., d), and the log determinant, shape (...).

    Parameters
    ----------
    shares
        How centred the offsets of groups are (`GroupOffsets`).
    """
    values: dict[str, Any] = dict(shares)
    log_det: Any = 0.0
    for slot in slots:
        value, own = slot.transform.forward(u[..., slot.start : slot.stop], values, xp)
        values[slot.site] = value.reshape((*u.shape[:-1], *slot.shape))
        log_det = log_det + own
    return {slot.site: values[slot.site] for slot in slots}, log_det


def unconstrain(slots: Sequence[Slot], values: Values, xp: Any, shares: Values = NOTHING) -> Any:
    """The vector u, shape (..., d), of each site's values."""
    parts = []
    values = {**shares, **values}
    for slot in slots:
        value = values[slot.site]
        lead = value.shape[: len(value.shape) - len(slot.shape)]
        parts.append(slot.transform.inverse(value.reshape((*lead, slot.stop - slot.start)), values, xp))
    return xp.concatenate(parts, -1)
