"""How good a guide is as a whole: reported, and not decisive.

Its means can be exact where its Pareto k is bad, and wrong where it is good: k grades
the joint fit, mostly the sds.
"""

import numpy as np

from bayescore.agreement.candidate import Candidate


def figures(guide: Candidate, log_evidence: float | None) -> dict[str, float]:
    """ELBO in nats, Pareto k of the importance weights, and the KL gap where the evidence is known.

    The ELBO is that of the fitted guide, over its own draws; log p(y) - ELBO is the
    Kullback-Leibler divergence from the guide to the posterior. k is that of Vehtari et
    al. (2024), *Pareto smoothed importance sampling*; above 0.7 the weights can't be
    relied on.
    """
    log_q = guide.posterior.sample_stats.get("log_q")
    if log_q is None or guide.log_joint is None or log_q.size < 100:
        return {}
    from arviz_stats.base import array_stats

    log_weights = (guide.log_joint - log_q).ravel()
    found = {"elbo": float(log_weights.mean()), "elbo_error": float(log_weights.std() / np.sqrt(log_weights.size))}
    if np.ptp(log_weights) > 1e-9:  # constant weights are a perfect fit, and have no tail
        found["pareto_k"] = float(array_stats.psislw(-(log_weights - log_weights.max()))[1])
    if log_evidence is not None:
        found["kl_gap"] = log_evidence - found["elbo"]
    return found
