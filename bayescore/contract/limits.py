"""What the rows and this machine's memory allow a fit, asked before any work.

The figures are of the largest arrays alone, so that a request that passes may still be a
long one; one that does not pass could never have been carried out.
"""

from bayescore.methods import Method
from bayescore.model.regression import Regression
from bayescore.system.memory import check


def check_fit(regression: Regression, method: Method, rows: int) -> None:
    """Refuse a fit whose draws, iterates or matrices don't fit into memory.

    Rows to predict count for nothing: they are summarized block by block.

    Raises
    ------
    RequestError
        It says which of them, and which setting to lower.
    """
    parameters = sum(site.size for site in regression.sites)
    for need in method.needs(parameters, rows, regression.family.predictors):
        check(need.what, need.numbers, need.remedy)
