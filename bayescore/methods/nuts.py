"""The No-U-Turn sampler."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from bayescore.methods.method import Kind, Method, Need, Standard
from bayescore.methods.settings import flag, share, whole


@dataclass(frozen=True)
class NUTS(Method):
    """The No-U-Turn sampler (Hoffman and Gelman 2014).

    Attributes
    ----------
    chains, warmup, draws
        Number of chains, and of iterations a chain for adaptation and for keeping.
    target_accept
        Mean acceptance probability that the step size is adapted to.
    max_tree_depth
        At most 2 to this power leapfrog steps an iteration.
    dense_mass
        Adapt a dense mass matrix, not a diagonal one. The coordinates are whitened already.
    standardize
        Sample in the coordinates of `bayescore.density.coordinates`.
    centred
        Sample the offsets of groups as they are, or (False) standard normal ones. None:
        something in between, level by level, as the data ask for (`bayescore.density.centring`).
    """

    name: ClassVar[str] = "nuts"
    kinds: ClassVar[tuple[Kind, ...]] = ("chains",)
    standard: ClassVar[Standard] = "chains"
    chains: int = whole(4, most=1000)
    warmup: int = whole(1000, least=0, smoke=2)
    draws: int = whole(2500, smoke=2)
    target_accept: float = share(0.8)
    max_tree_depth: int = whole(10, most=20)
    dense_mass: bool = flag(False)
    standardize: bool = flag(True)
    centred: bool | None = flag(None, none=True)

    def needs(self, parameters: int, rows: int, outputs: int) -> Iterator[Need]:
        yield from super().needs(parameters, rows, outputs)
        if self.dense_mass:
            yield Need.square(self.name, parameters, "use dense_mass=False")
