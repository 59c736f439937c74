"""Group effects: what varies from level to level of a factor, as ``(x | county)`` says it."""

from dataclasses import dataclass

from bayescore.model.distributions import LKJ, Distribution


@dataclass(frozen=True)
class Grouping:
    """The effects that vary together with a factor.

    ``(x | g)`` is one grouping of two correlated effects, ``1`` and ``x``;
    ``(1 | g) + (0 + x | g)`` are two of one effect each.

    Attributes
    ----------
    factor
        Its name, as ``county`` or ``state:county``.
    effects
        Names of what varies: ``1`` for the intercept, otherwise a column's.
    levels
        The factor's levels, in order.
    """

    factor: str
    effects: tuple[str, ...]
    levels: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Its effects as ``1|county``, which is how data and sites name them."""
        return tuple(f"{effect}|{self.factor}" for effect in self.effects)


@dataclass(frozen=True)
class GroupTerm:
    """A grouping with its priors.

    Level l has offsets o_l ~ Normal(0, D R D), D = diag(sd), R the correlation matrix.

    Attributes
    ----------
    sds
        Prior of each effect's sd.
    correlation
        Prior of R where there are two effects or more, otherwise None.
    """

    grouping: Grouping
    sds: tuple[Distribution, ...]
    correlation: LKJ | None = None
