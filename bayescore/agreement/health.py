"""Is a fit healthy? An unhealthy one makes its pairs inconclusive; it never makes them disagree.

Limits are those of Vehtari et al. (2021), *Rank-normalization, folding, and
localization*, and of Betancourt (2016), arXiv:1604.00695, for E-BFMI.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bayescore.agreement.copies import copies
from bayescore.density.guide import split_rhat
from bayescore.methods import Method
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior

RHAT_LIMIT = 1.01
ESS_LIMIT = 400
BFMI_LIMIT = 0.3
CHAINS_LIMIT = 4
SATURATED_LIMIT = 0.01
SVI_RHAT_LIMIT = 1.1
SVI_ERROR_LIMIT = 0.02


@dataclass(frozen=True)
class Ailment:
    """One thing that is wrong with a fit: a reason code and what was found."""

    code: str
    text: str


@dataclass(frozen=True)
class Health:
    """What was looked at, and what was found wrong.

    Attributes
    ----------
    figures
        Diagnostics by name, as ``rhat_max``.
    ailments
        Empty for a healthy fit.
    parameters
        For each scalar parameter its ``rhat``, ``ess_bulk`` and ``ess_tail``; NaN where
        they do not apply.
    """

    figures: Mapping[str, float]
    ailments: tuple[Ailment, ...]
    parameters: Mapping[str, Mapping[str, float]]


def examine(method: Method, posterior: Posterior, iterates: Mapping[str, Array]) -> Health:
    """Examine a fit by the standards of its method."""
    if posterior.estimand != "posterior":
        return Health({}, (), {})
    if method.standard == "iterates":
        health = _examine_iterates(posterior, iterates)
    elif method.standard == "construction":
        health = Health({}, (), {})
    elif method.standard == "chains" or posterior.kind == "chains":  # whoever draws them, they can fail to mix
        health = _examine_chains(method, posterior)
    else:
        what = f"nobody knows by what a fit with {method.name} is seen to have converged"
        health = Health({}, (Ailment("unconverged", what),), {})
    values = np.stack(list(posterior.parameters().values()))
    if np.ptp(values) > 0 and np.array_equal(values, np.round(values)):  # counts repeat by themselves
        return health
    again = copies(values, chains=posterior.kind == "chains")
    if again is None:
        return health
    return replace(health, ailments=(*health.ailments, Ailment("resampled", again)))


def _examine_chains(method: Method, posterior: Posterior) -> Health:
    from arviz_stats.base import array_stats

    chains, draws = posterior.shape
    names = list(posterior.parameters())
    values = np.stack(list(posterior.parameters().values()))
    if draws < 4:
        return Health({}, (Ailment("unconverged", f"{draws} draws a chain are too few to judge"),), {})
    with np.errstate(all="ignore"):
        rhat = np.atleast_1d(array_stats.rhat(values)) if chains > 1 else np.full(len(names), np.nan)
        bulk = np.atleast_1d(array_stats.ess(values, method="bulk"))
        tail = np.atleast_1d(array_stats.ess(values, method="tail", prob=(0.05, 0.95)))
    still = np.ptp(values, axis=(1, 2)) == 0
    rhat[still], bulk[still], tail[still] = np.inf, 0.0, 0.0
    found = []
    if chains < CHAINS_LIMIT:
        found.append(Ailment("unconverged", f"{chains} chains, and R-hat needs {CHAINS_LIMIT}"))
    checks = (
        ("R-hat", rhat, rhat < RHAT_LIMIT, f"not under {RHAT_LIMIT}", ".3f"),
        ("bulk ESS", bulk, bulk >= ESS_LIMIT, f"under {ESS_LIMIT}", ".0f"),
        ("tail ESS", tail, tail >= ESS_LIMIT, f"under {ESS_LIMIT}", ".0f"),
    )
    for what, figures, good, limit, style in checks:
        bad = np.flatnonzero(~good)
        if bad.size and not (what == "R-hat" and chains < 2):
            worst = bad[np.argmax(figures[bad])] if what == "R-hat" else bad[np.argmin(figures[bad])]
            found.append(Ailment("unconverged", f"{what} of {names[worst]} is {figures[worst]:{style}}, {limit}"))
    figures_, more = _examine_stats(method, posterior)
    found += more
    figures_ = {
        "rhat_max": float(np.max(rhat)),
        "ess_bulk_min": float(np.min(bulk)),
        "ess_tail_min": float(np.min(tail)),
    } | figures_
    by_name = {
        name: {"rhat": float(rhat[j]), "ess_bulk": float(bulk[j]), "ess_tail": float(tail[j])}
        for j, name in enumerate(names)
    }
    return Health(figures_, tuple(found), by_name)


def _examine_stats(method: Method, posterior: Posterior) -> tuple[dict[str, float], list[Ailment]]:
    """Divergences, energy and tree depth, where the backend gives them."""
    from arviz_stats.base import array_stats

    figures: dict[str, float] = {}
    found = []
    stats = posterior.sample_stats
    divergences = posterior.divergences
    if divergences is not None:
        figures["divergences"] = float(divergences)
    if divergences:
        what = "transition" if divergences == 1 else "transitions"
        found.append(Ailment("unconverged", f"{divergences} divergent {what}"))
    if "energy" in stats:
        with np.errstate(all="ignore"):
            figures["bfmi_min"] = float(np.min(array_stats.bfmi(np.asarray(stats["energy"], dtype=np.float64))))
        if not figures["bfmi_min"] >= BFMI_LIMIT:
            found.append(Ailment("unconverged", f"E-BFMI is {figures['bfmi_min']:.2f}, under {BFMI_LIMIT}"))
    deepest: int | None = getattr(method, "max_tree_depth", None)
    if "tree_depth" in stats and deepest is not None:
        share = float(np.mean(np.asarray(stats["tree_depth"]) >= deepest))
        figures["tree_depth_saturated"] = share
        if share > SATURATED_LIMIT:
            found.append(Ailment("unconverged", f"{share:.0%} of the trees reach depth {deepest}"))
    return figures, found


def _examine_iterates(posterior: Posterior, iterates: Mapping[str, Array]) -> Health:
    if not iterates or posterior.moments is None:
        return Health(
            {}, (Ailment("unconverged", "the guide's iterates are not known, so convergence can't be judged"),), {}
        )
    names = posterior.moments.names
    found = []
    worst_rhat = 0.0
    for name in ("loc", "log_scale"):
        rhat = split_rhat(iterates[name])
        worst = float(np.max(rhat, initial=0.0)) if np.all(np.isfinite(rhat)) else np.inf
        worst_rhat = max(worst_rhat, worst)
        if not worst < SVI_RHAT_LIMIT:
            what = "locations" if name == "loc" else "log scales"
            found.append(
                Ailment("unconverged", f"R-hat of the guide's {what} is {worst:.2f}, not under {SVI_RHAT_LIMIT}")
            )
    m = posterior.moments
    sd = np.sqrt(np.diag(m.unconstrained_cov))
    errors = np.maximum(m.unconstrained_mean_error, m.unconstrained_sd_error) / sd
    worst_at = int(np.argmax(np.where(np.isfinite(errors), errors, np.inf)))
    if not errors[worst_at] < SVI_ERROR_LIMIT:
        found.append(
            Ailment(
                "unconverged",
                f"the Monte Carlo error of {names[worst_at]} is {errors[worst_at]:.3f} guide sd, "
                f"not under {SVI_ERROR_LIMIT}",
            )
        )
    figures = {
        "svi_rhat_max": worst_rhat,
        "svi_error_max": float(errors[worst_at]),
    }
    return Health(figures, tuple(found), {})
