"""Where a guide of one's own stands while it is fitted: told by runs of it, whatever its parameters are."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyro
import torch
from pyro import poutine
from torch import Tensor
from torch.distributions import biject_to
from torch.overrides import TorchFunctionMode

from bayescore.model.arrays import Array
from bayescore.program import iterate_of
from bayescore_pyro.programs import running
from bayescore_pyro.programs.sited import Sited

_TOGETHER = 1000
"""Runs of the guide at a time, where many can be."""
_ONE_BY_ONE = 40
"""Runs where they can't: their random numbers are the same at each look, so that few are enough."""
_NEW = (torch.empty, Tensor.new, Tensor.new_empty)


def run(guide: running.Function, arguments: Mapping[str, Any]) -> Any:
    """The trace of a guide's run."""
    with poutine.trace() as recorder:
        guide(**arguments)
    return recorder.trace


@dataclass
class Iterates:
    """Means and log sds of a guide's draws, look by look, in the program's numbers without constraints.

    All looks have the same random numbers: what changes is the guide.
    """

    sited: Sited
    guide: running.Function
    _looks: list[dict[str, Array]] = field(default_factory=list, init=False)
    _together: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._arguments = self.sited.arguments()
        with _put_back(), torch.no_grad():
            values = self._values()
            here, elsewhere = (self._bijections(at) for at in (values, self._values()))
            same = torch.equal(_flat(here, values), _flat(elsewhere, values))
            self._fixed = here if same else None  # supports that are the same everywhere: it need not be run again

    def look(self) -> None:
        """Look at the guide as it stands; the generators go on as if nobody had."""
        with _put_back(), torch.no_grad():
            self._looks.append(iterate_of(self._numbers().double().numpy()))

    @property
    def found(self) -> dict[str, Array]:
        """``loc`` and ``log_scale``, shape (look, d)."""
        return {name: np.stack([look[name] for look in self._looks]) for name in self._looks[0]}

    def _numbers(self) -> Tensor:
        """Shape (run, d)."""
        if self._together:
            try:
                pyro.set_rng_seed(0)
                return torch.vmap(self._apart, randomness="different")(torch.zeros(_TOGETHER))
            except Exception:  # whatever vmap says of a person's code: it runs as it is
                self._together = False
        runs = []
        for seed in range(_ONE_BY_ONE):  # seeds of their own: a run may take more random numbers at another look
            pyro.set_rng_seed(seed)
            runs.append(self._run())
        return torch.stack(runs)

    def _apart(self, zero: Tensor) -> Tensor:
        """A run among many at a time."""
        with _Fresh(zero):
            return self._run()

    def _run(self) -> Tensor:
        values = self._values()
        bijections = self._bijections(values) if self._fixed is None else self._fixed
        return _flat(bijections, values)

    def _values(self) -> dict[str, Tensor]:
        trace = run(self.guide, self._arguments)
        return {name: trace.nodes[name]["value"] for name in self.sited.latent.drawn}

    def _bijections(self, values: Mapping[str, Tensor]) -> dict[str, Any]:
        """From real numbers to the supports that the program has at these values."""
        latent = self.sited.latent
        summed = {name: node["value"] for name, node in latent.summed.items()}
        trace = running.run(self.sited.called, self._arguments, running.At({**values, **summed}))
        return {name: _bijection(trace.nodes[name]["fn"].support) for name in latent.drawn}


@contextmanager
def _put_back() -> Iterator[None]:
    """Leave all generators as they were, and say nothing of how quickly vmap does what."""
    state = pyro.util.get_rng_state()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "There is a performance drop")
            yield
    finally:
        pyro.util.set_rng_state(state)


class _Fresh(TorchFunctionMode):
    """Makes new tensors those of all runs: distributions fill them with random numbers in place, each run its own."""

    def __init__(self, zero: Tensor) -> None:
        super().__init__()
        self._zero = zero

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        return made + self._zero.to(made.dtype) if func in _NEW else made


def _bijection(support: Any) -> Any:
    """That of a support; the values themselves where it has none, as a discrete one."""
    try:
        return biject_to(support)
    except NotImplementedError:
        return torch.distributions.transforms.identity_transform


def _flat(bijections: Mapping[str, Any], values: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([bijections[name].inv(value).reshape(-1) for name, value in values.items()])
