"""How programs are compiled: they run for seconds, and XLA's usual way takes longer than that to make them."""

from collections.abc import Callable, Mapping
from functools import cache, update_wrapper
from typing import Any, Generic, TypeVar

import jax

Result = TypeVar("Result")

LOOP: Mapping[str, bool | int] = {"xla_cpu_use_fusion_emitters": False}
"""The older way of making fused loops: in three fifths of the time a program that is within a tenth as quick, but for
many particles at once, where it is a third slower."""
ONCE: Mapping[str, bool | int] = {**LOOP, "xla_backend_optimization_level": 0}
"""For what runs a few times: a slower program, in a third of the time."""


class Compiled(Generic[Result]):
    """A function that is compiled by some of XLA's options where it is first called.

    Parameters
    ----------
    options
        Those that this version of XLA does not know are left out.
    static
        Positions of arguments that are compiled into the program.
    """

    def __init__(
        self,
        function: Callable[..., Result],
        options: Mapping[str, bool | int],
        static: tuple[int, ...],
    ) -> None:
        self._function, self._options, self._static = function, options, static
        self._jitted: Any = None
        update_wrapper(self, function)

    def __call__(self, *args: Any) -> Result:
        if self._jitted is None:  # not at import, which is to leave JAX's backends alone
            known = {name: value for name, value in self._options.items() if _is_known(name, value)}
            self._jitted = jax.jit(self._function, static_argnums=self._static, compiler_options=known)
        result: Result = self._jitted(*args)
        return result

    @property
    def programs(self) -> int:
        """How many there are by now, of as many forms and shapes."""
        return 0 if self._jitted is None else int(self._jitted._cache_size())


def compiled(options: Mapping[str, bool | int], *static: int) -> Callable[[Callable[..., Result]], Compiled[Result]]:
    """Decorate a function that is to be compiled."""
    return lambda function: Compiled(function, options, static)


@cache
def _is_known(name: str, value: bool | int) -> bool:
    """Whether this version of XLA has an option."""
    try:
        jax.jit(lambda x: x, compiler_options={name: value})(0)
    except Exception:  # whichever kind it is refused by
        return False
    return True
