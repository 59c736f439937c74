"""What this backend can't do; neither jax nor numpyro is imported here."""

from collections.abc import Iterable

from bayescore.backend import Backend, BackendInfo, Precision, hookimpl

_DEVICES = 16
"""Chains that can have one each, whatever the cores: draws of chains in one program differ in the last digits."""
GAPS = {
    "method:exact": "never: closed forms belong to the exact backend",
    "feature:own_guide": "not yet: numpyro takes mean_field and full_rank only; pyro takes a guide of your own",
}


@hookimpl
def bayescore_backends() -> Iterable[BackendInfo]:
    """Declare the NumPyro backend."""
    yield BackendInfo(
        name="numpyro",
        factory=_make,
        requires=("jax", "numpyro"),
        gaps=GAPS,
        environment={
            # chains run side by side, one a device, in half the time of one vectorized program
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={_DEVICES}",
            "JAX_COMPILATION_CACHE_DIR": "{cache}/jax",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        },
    )


def _make(precision: Precision) -> Backend:
    from bayescore_numpyro.backend import NumPyroBackend

    return NumPyroBackend(precision)
