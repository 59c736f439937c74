"""What this backend can't do; nothing heavy is imported before it is made."""

from collections.abc import Iterator

from bayescore.backend import Backend, BackendInfo, Precision, hookimpl

GAPS = {"method:exact": "never: closed forms belong to the exact backend"}


def make(precision: Precision = "float64") -> Backend:
    """Make the backend; imports torch and pyro."""
    from bayescore_pyro.backend import PyroBackend

    return PyroBackend(precision)


@hookimpl
def bayescore_backends() -> Iterator[BackendInfo]:
    """Declare the Pyro backend."""
    yield BackendInfo("pyro", make, gaps=GAPS, requires=("torch", "pyro"))
