"""What this plugin declares; neither jax nor numpyro is imported here."""

import os
from collections.abc import Iterable

from bayescore.backend import Backend, BackendInfo, Precision, hookimpl

_CHAINS = 4
"""As many as NUTS has by default."""
_FAMILIES = (
    *("Gaussian", "StudentT", "Bernoulli", "Binomial", "Poisson", "NegativeBinomial"),
    *("Gamma", "Exponential", "Beta", "Ordinal", "Categorical"),
)
_REAL = ("Normal", "StudentT", "Cauchy", "Laplace")
_POSITIVE = ("HalfNormal", "HalfCauchy", "HalfStudentT", "Exponential", "Gamma", "InverseGamma", "LogNormal")
_INTERVAL = ("Uniform", "Beta")


@hookimpl
def bayescore_backends() -> Iterable[BackendInfo]:
    """Declare the NumPyro backend."""
    yield BackendInfo(
        name="numpyro",
        factory=_make,
        requires=("jax", "numpyro"),
        supports=frozenset(
            {
                *(f"family:{name}" for name in _FAMILIES),
                *(f"link:{name}" for name in ("identity", "log", "logit", "probit", "cloglog", "softmax")),
                *(f"prior:coefficient:{name}" for name in (*_REAL, *_INTERVAL, "Flat", "Horseshoe", "AtMeans")),
                *(f"prior:auxiliary:{name}" for name in (*_POSITIVE, *_INTERVAL, "Flat")),
                "prior:correlation:LKJ",
                *(f"method:{name}" for name in ("mle", "map", "svi", "nuts", "laplace")),
                *(f"guide:{name}" for name in ("mean_field", "full_rank")),
                *(f"feature:{name}" for name in ("groups", "network", "offset", "weights", "reduction")),
                *(f"feature:{name}" for name in ("log_density", "minibatch", "lift")),
                *(f"precision:{name}" for name in ("float64", "float32")),
            }
        ),
        gaps={
            "method:exact": "never: closed forms belong to the exact backend",
            "feature:own_guide": "not yet: numpyro takes mean_field and full_rank only; pyro takes a guide of your own",
        },
        environment={
            # chains run side by side, one a device, in half the time of one vectorized program
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={max(_CHAINS, os.cpu_count() or 1)}",
            "JAX_COMPILATION_CACHE_DIR": "{cache}/jax",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        },
    )


def _make(precision: Precision) -> Backend:
    from bayescore_numpyro.backend import NumPyroBackend

    return NumPyroBackend(precision)
