"""Levels of a group that only the new data have: predicted from the population.

Their offsets are drawn from their prior given each posterior draw of sd and correlation,
by the core, so that a backend sees nothing but more levels.
"""

from dataclasses import replace

import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.data import NEW_LEVEL, Data, Membership
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression
from bayescore.model.sites import Offsets


def with_new_levels(regression: Regression, posterior: Posterior, new_data: Data, seed: int) -> tuple[Posterior, Data]:
    """Add one level a group to the draws, and let the new data's unknown levels point to it.

    All unknown levels of a factor share it: predictions are summarized row by row.
    """
    unknown = {key for key, member in new_data.groups.items() if np.any(member.index == NEW_LEVEL)}
    if not unknown:
        return posterior, new_data
    rng = np.random.default_rng([seed, 1])
    drawn: dict[str, Array] = {name: np.asarray(values) for name, values in posterior.draws.items()}
    added: dict[str, Array] = {}
    for site in regression.sites:
        if isinstance(site, Offsets):
            mean, sd = site.given.law({**drawn, **added}, np)
            added[site.name] = mean + sd * rng.standard_normal((*posterior.shape, 1))
    wider = {name: np.concatenate([drawn[name], values], axis=-1) for name, values in added.items()}
    groups = {}
    for key, member in new_data.groups.items():
        last = wider[f"offset({key})"].shape[-1] - 1
        groups[key] = Membership(np.where(member.index == NEW_LEVEL, last, member.index), member.value)
    labels = {name: (*of, "new level") if name in wider else of for name, of in posterior.labels.items()}
    return replace(posterior, draws={**drawn, **wider}, labels=labels), replace(new_data, groups=groups)
