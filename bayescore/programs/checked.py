"""What a backend gives of a program, held against the contract."""

from collections.abc import Sequence

import numpy as np

from bayescore.errors import BackendContractError
from bayescore.methods import Method
from bayescore.model.posterior import Posterior
from bayescore.programs.sides import Sites


def posterior(name: str, found: object, sites: Sites, method: Method) -> Posterior:
    """Draws of every latent site that is not summed out and of every deterministic one, as many as were asked for.

    Raises
    ------
    BackendContractError
        They are not.
    """
    if not isinstance(found, Posterior):
        raise BackendContractError(f"{name}: sample_posterior: expected a Posterior, got {type(found).__name__}")
    wanted = {site.name: np.shape(site.value) for site in sites if site.role != "observed" and not site.enumerated}
    if set(wanted) != set(found.draws):
        raise BackendContractError(
            f"{name}: sample_posterior: expected draws of {_listed(wanted)}, got {_listed(found.draws)}"
        )
    leading = _leading(method, found)
    for site, shape in wanted.items():
        values = found.draws[site]
        if values.shape != (*leading, *shape):
            raise BackendContractError(
                f"{name}: sample_posterior: {site}: expected shape {(*leading, *shape)}, got {values.shape}"
            )
        if not np.all(np.isfinite(values)):
            raise BackendContractError(f"{name}: sample_posterior: {site}: draws are not all finite")
    return found


def _leading(method: Method, found: Posterior) -> tuple[int, int]:
    chains, draws = method.shape
    return found.shape if chains is None or draws is None else (chains, draws)


def _listed(names: "Sequence[str] | dict[str, tuple[int, ...]] | object") -> str:
    return ", ".join(names) or "nothing"  # type: ignore[arg-type]
