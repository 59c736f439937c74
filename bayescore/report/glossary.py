"""Words of a report that a statistician need not know, in a line each."""

import re
from collections.abc import Iterable

WORDS = {
    "margin": "the largest difference that does not matter; a pair agrees if all 90 % intervals lie within it",
    "ESS": "effective sample size: how many independent draws would tell as much",
    "R-hat": "near 1 where chains, or the steps of a guide's training, have come to the same",
    "MCSE": "Monte Carlo standard error: how far another run's mean would be off",
    "± se": "the Monte Carlo standard error of the difference",
    "difference": "of means in posterior sds, of sds the logarithm of their ratio, of shapes in sds, of ranks in "
    "normal scores",
    "apart": "the largest difference of a parameter between two contenders, in its posterior sd",
    "log joint": "the log density of data and parameters together, at the draws",
    "pc1": "directions in which the parameters vary together, the widest first",
    "suspect1": "directions in which half of the draws look most different, judged by the other half",
    "shape": "quantiles of the draws less their mean, over their sd",
    "rank": "quantiles of the draws as they are, by their ranks: for tails too heavy for a mean or an sd",
    "dependence": "how two quantities, or their sizes, go together",
    "family's best": "the best that a guide of its kind can reach, as without correlations",
    "guide": "the distribution that svi fits to the posterior",
    "spread": "how much the difference of two log densities varies over the points that they are held together at",
    "nat": "the unit of a log density: natural logarithms",
    "ELBO": "what svi maximizes: at most the log evidence",
    "KL gap": "log evidence less ELBO: 0 for a guide that is the posterior",
    "k": "Pareto k of the guide's weights: over 0.7 it misses much of the posterior",
    "energy distance": "how far two sets of draws are apart as wholes (p: that of no distance)",
    "log predictive density": "of the new rows' responses: higher is better",
}
"""In the order in which they are explained."""
_FOUND = {
    "pc1": r"\bpc\d+\b",
    "suspect1": r"\bsuspect\d+\b",
    "k": r"; k -?\d",
    "± se": "± se",
    "rank": r"\brank\b|\bin rank by\b|\bjudged by ranks\b",
    "shape": r"\bshapes?\b",
}


def explained(texts: Iterable[str], known: set[str]) -> tuple[tuple[str, str], ...]:
    """The words in texts that are not known yet, each with what it means; from then on they are."""
    text = "\n".join(texts)
    found = [word for word in WORDS if word not in known and re.search(_pattern(word), text)]
    known.update(found)
    return tuple((word, WORDS[word]) for word in found)


def _pattern(word: str) -> str:
    return _FOUND.get(word, rf"\b{re.escape(word)}\b")
