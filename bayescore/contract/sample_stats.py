"""What sample statistics, and iterates, have to be, so that they can be judged, stored and shown."""

import numpy as np

from bayescore.contract.predictions import Offence

_DECIDE = {"diverging", "energy", "tree_depth"}
"""A verdict rests on these: a NaN among them would hide what it stands for."""

_AXES = {"chain", "draw"}


def name_offence(name: object) -> Offence | None:
    """What is wrong with the name of an array that is stored beside the draws, or None."""
    if not isinstance(name, str) or not name.isidentifier():
        return Offence("a name of letters, digits and _", repr(name), None)
    if name in _AXES:
        return Offence(f"another name than {name!r}, which is that of an axis", "it", None)
    return None


def stats_offence(name: object, values: object, shape: tuple[int, int]) -> Offence | None:
    """What is wrong with a sample statistic of this name, or None.

    Parameters
    ----------
    shape
        (chain, draw) of the posterior.
    """
    misnamed = name_offence(name)
    if misnamed is not None:
        return misnamed
    found = values if isinstance(values, np.ndarray) else np.empty(0, dtype=object)
    if found.dtype not in (np.float64, np.float32) and found.dtype.kind not in "biu":
        got = found.dtype.name if isinstance(values, np.ndarray) else type(values).__name__
        return Offence("an array of numbers, float64 at most, or of booleans", got, None)
    if found.shape != shape:
        return Offence(f"shape {shape}", str(found.shape), None)
    if name in _DECIDE and not np.all(np.isfinite(found)):
        return Offence("finite values", f"{int(np.sum(~np.isfinite(found)))} of {found.size} NaN or infinite", None)
    return None
