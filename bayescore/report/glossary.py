"""Words of a report that a statistician need not know, in a line each."""

import re
from collections.abc import Iterable

WORDS = {
    "margin": "the largest difference that doesn't matter",
    "ESS": "effective sample size, in independent draws",
    "R-hat": "1 where chains (or a guide's steps) agree",
    "MCSE": "Monte Carlo standard error, how far another run's mean would be off",
    "± se": "Monte Carlo standard error of the difference",
    "difference": "in posterior sds, of sds the log of their ratio",
    "apart": "largest difference between two contenders",
    "log joint": "log density of data and parameters together",
    "pc1, pc2, ...": "directions in which parameters vary together",
    "suspect1, ...": "directions in which half of the draws look most different, judged by the other half",
    "shape": "quantiles of standardized draws",
    "rank": "quantiles by their ranks, as normal scores: for tails too heavy for an sd",
    "dependence": "correlation of two quantities, or of their sizes",
    "family's best": "the best that a guide of its kind can reach, as without correlations",
    "guide": "the distribution that svi fits",
    "spread": "how much the difference of two log densities varies over the points",
    "nat": "unit of a log density, by natural logarithms",
    "ELBO": "what svi maximizes, at most the log evidence",
    "KL gap": "log evidence less ELBO, 0 for a guide that is the posterior",
    "k": "Pareto k of the guide's weights, over 0.7 it misses much of the posterior",
    "energy distance": "how far two sets of draws are apart as wholes (p: that of no distance)",
    "log predictive density": "of the new rows' responses, higher is better",
}
"""In the order in which they are explained."""
_FOUND = {
    "pc1, pc2, ...": r"\bpc\d+\b",
    "suspect1, ...": r"\bsuspect\d+\b",
    "k": r"; k -?\d",
    "guide": r"\bguides?\b(?!=)",
    "nat": r"\bnats?\b",
    "± se": "± se",
    "rank": r"\brank\b|\bin rank by\b|\bjudged by ranks\b",
    "shape": r"\bshape at\b|\bshapes? of\b|\(shape\)",
}


def explained(texts: Iterable[str], known: set[str]) -> tuple[tuple[str, str], ...]:
    """The words in texts that are not known yet, each with what it means; from then on they are."""
    text = "\n".join(texts)
    found = [word for word in WORDS if word not in known and re.search(_pattern(word), text)]
    known.update(found)
    return tuple((word, WORDS[word]) for word in found)


def _pattern(word: str) -> str:
    return _FOUND.get(word, rf"\b{re.escape(word)}\b")
