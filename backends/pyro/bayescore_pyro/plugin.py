"""What this backend can do; nothing heavy is imported before it is made."""

from collections.abc import Iterator

from bayescore.backend import Backend, BackendInfo, Precision, hookimpl

_FAMILIES = "Gaussian StudentT Bernoulli Binomial Poisson NegativeBinomial Gamma Exponential Beta Ordinal Categorical"
_POSITIVE = "HalfNormal HalfCauchy HalfStudentT Exponential Gamma InverseGamma LogNormal"

SUPPORTS = frozenset(
    f"{kind}:{name}"
    for kind, names in {
        "family": _FAMILIES,
        "link": "identity log logit probit cloglog softmax",
        "prior:coefficient": "Normal StudentT Cauchy Laplace Flat Uniform Beta Horseshoe AtMeans",
        "prior:auxiliary": f"{_POSITIVE} Uniform Beta Flat",
        "prior:correlation": "LKJ",
        "feature": "groups network offset weights reduction log_density minibatch own_guide lift",
        "method": "mle map svi nuts laplace",
        "guide": "mean_field full_rank",
        "precision": "float64 float32",
    }.items()
    for name in names.split()
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
