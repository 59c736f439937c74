"""A site in words: its distribution with parameters as they stand at a point."""

import numpy as np

from bayescore.model.arrays import Array
from bayescore.program import ProgramSite

_ROLES = {"latent": "~", "observed": "observed ~"}


def distribution(site: ProgramSite) -> str:
    """As ``Gamma(concentration 2, rate 0.1)``; of an array its ends."""
    parts = [f"{name} {number(value)}" for name, value in site.parameters.items()]
    return (
        f"{site.distribution or 'deterministic'}({', '.join(parts)})" if parts else site.distribution or "deterministic"
    )


def stated(site: ProgramSite | None) -> str:
    """As ``~ Normal(loc 0, scale 1)``, ``observed ~ ...``, ``= computed``; ``absent`` where there is none."""
    if site is None:
        return "absent"
    if site.role == "deterministic":
        return f"= {number(site.value)}"
    return f"{_ROLES[site.role]} {distribution(site)}{' summed out' if site.enumerated else ''}"


def number(value: Array) -> str:
    """A number, or of several the least and the largest."""
    flat = np.ravel(np.asarray(value, dtype=np.float64))
    if not flat.size:
        return "nothing"
    low, high = np.min(flat), np.max(flat)
    return f"{flat[0]:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def support(site: ProgramSite) -> str:
    """As ``positive``, ``between 0 and 1``."""
    low, high = site.ends
    if site.support == "positive":
        return "positive numbers" if low == 0 else f"numbers above {low:g}"
    if site.support == "interval":
        return f"numbers between {low:g} and {high:g}"
    if site.support == "integers":
        return f"whole numbers from {low:g}" + ("" if np.isinf(high) else f" to {high:g}")
    return {"real": "real numbers", "boolean": "0 and 1", "other": "another support"}.get(
        site.support, site.support.replace("_", " ")
    )


def shape(site: ProgramSite) -> str:
    """As ``8 x 2``; empty for a scalar."""
    return " x ".join(map(str, np.shape(site.value)))


def rows(at: "np.ndarray", dims: tuple[int, ...]) -> str:
    """Rows by number, from 0, of a batch shape."""
    labels = [",".join(map(str, np.unravel_index(k, dims))) for k in at]
    listed = ", ".join(labels[:5]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "")
    return f"row {listed}" if len(labels) == 1 else f"rows {listed}"
