"""What this backend can do; nothing heavy is imported before it is made."""

from collections.abc import Iterator

from bayescore.backend import Backend, BackendInfo, Precision, hookimpl

SUPPORTS = frozenset(
    {
        *(f"family:{name}" for name in ("Gaussian", "Bernoulli")),
        *(f"link:{name}" for name in ("identity", "logit")),
        *(f"prior:coefficient:{name}" for name in ("Normal", "StudentT", "Cauchy", "Laplace", "Flat")),
        *(
            f"prior:auxiliary:{name}"
            for name in ("HalfNormal", "HalfCauchy", "Exponential", "InverseGamma", "Gamma", "LogNormal", "Flat")
        ),
        *(f"method:{name}" for name in ("mle", "map", "svi", "nuts")),
        *(f"guide:{name}" for name in ("mean_field", "full_rank")),
        *(f"feature:{name}" for name in ("log_density", "minibatch", "own_guide", "lift")),
        *(f"precision:{name}" for name in ("float64", "float32")),
    }
)

GAPS = {"method:exact": "never: closed forms belong to the exact backend"}


def make(precision: Precision = "float64") -> Backend:
    """Make the backend; imports torch and pyro."""
    from bayescore_pyro.backend import PyroBackend

    return PyroBackend(precision)


@hookimpl
def bayescore_backends() -> Iterator[BackendInfo]:
    """Declare the Pyro backend."""
    yield BackendInfo("pyro", make, SUPPORTS, GAPS, requires=("torch", "pyro"))
