"""Whether a quantity's moments can be estimated from draws at all."""

import numpy as np

from bayescore.agreement.quantiles import Standardized
from bayescore.model.arrays import Array

HEAVY = 0.15
"""Tail index from which ranks are judged in place of moments.

The error of an sd is estimated by the fourth moment, and that estimate has a variance only
where the eighth exists, below an index of 0.125. From 0.25 on there is no such error, from
0.5 on no sd, from 1 on no mean. An index estimated from 20,000 draws is off by 0.04.
"""
_LEAST = 100
"""Draws under which tails are not looked at: there are too few for a verdict, too."""
_KURTOSIS = 4.0
"""Under which no tail is looked at: a Gaussian's is 3, and draws without a fourth moment have one far above."""


def tail_index(a: Standardized, b: Standardized) -> Array:
    """Pareto k of the heavier tail of k quantities, of both contenders' draws together, shape (k,).

    A generalized Pareto distribution is fitted to each tail (Vehtari et al. 2024, *Pareto
    smoothed importance sampling*, section 3); moments of order 1 / k and more don't exist.
    Each contender's draws are standardized by themselves, and -inf stands for tails as
    light as a Gaussian's.
    """
    from arviz_stats.base import array_stats

    flat = [x.w.reshape(len(x.w), -1) for x in (a, b)]
    squares = [x * x for x in flat]
    kurtosis = np.max([np.einsum("kn,kn->k", x, x) / x.shape[1] for x in squares], axis=0)
    found = np.full(len(kurtosis), -np.inf)
    if min(x.shape[1] for x in flat) < _LEAST:
        return found
    for j in np.flatnonzero(kurtosis > _KURTOSIS):
        both = np.concatenate([x[j] for x in flat])[None]
        with np.errstate(all="ignore"):  # it also smooths the tails, which are not asked for
            found[j] = array_stats.pareto_khat(both, r_eff=1.0, tail="both")
    return found
