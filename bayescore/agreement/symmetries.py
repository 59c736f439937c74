"""Chains that sit in mirrored or permuted copies of one mode: what the model does not tell apart.

The signs of an item-response model's traits and the labels of a mixture's components are such.
R-hat says that chains differ, and not that they found the same but for a name.
"""

from collections.abc import Sequence

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.model.arrays import Array

_NEAR, _APART = 1.0, 3.0
"""In sds within chains, root mean square over a site's elements: copies lie so near once they are turned, and so far
apart as they are."""


def found(candidates: Sequence[Candidate]) -> str | None:
    """What chains of these tell apart by sign or order alone, in words; None where there is no such thing."""
    sites = [site for site in candidates[0].target.sites if all(site.name in c.posterior.draws for c in candidates)]
    mirrored, permuted = [], []
    for site in sites:
        chains = [np.reshape(c.posterior.draws[site.name], (*c.posterior.shape, -1)) for c in candidates]
        means = np.concatenate([each.mean(axis=1) for each in chains])
        sd = np.sqrt(np.mean(np.concatenate([each.var(axis=1) for each in chains]), axis=0))
        if not np.all(sd > 0):
            continue
        if _any_copy(means, -means, sd):
            mirrored.append(site.name)
        elif means.shape[1] > 1 and _any_copy(means, None, sd):
            permuted.append(site.name)
    told = []
    if mirrored:
        told.append(
            f"chains have {', '.join(mirrored)} with both signs, otherwise the same: nothing fixes the sign; "
            "judge what a change of sign leaves, as absolute values or products, or fix one sign by its prior"
        )
    if permuted:
        told.append(
            f"chains have the elements of {', '.join(permuted)} in other orders: nothing tells them apart, as the "
            "labels of a mixture; judge what an exchange leaves, or order them in the model"
        )
    return "; ".join(told) or None


def _any_copy(means: Array, turned: Array | None, sd: Array) -> bool:
    """Whether two chains are far apart, and near once one is turned, or once both are sorted."""
    ordered = np.sort(means, axis=1)
    typical = float(np.sqrt(np.mean(sd**2)))
    for i in range(len(means)):
        for j in range(i):
            if _distance(means[i] - means[j], sd) < _APART:
                continue
            if turned is None:
                if _distance((ordered[i] - ordered[j]) / typical, np.ones_like(sd)) < _NEAR:
                    return True
            elif _distance(means[i] - turned[j], sd) < _NEAR:
                return True
    return False


def _distance(difference: Array, sd: Array) -> float:
    return float(np.sqrt(np.mean((difference / sd) ** 2)))
