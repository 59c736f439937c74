"""What the rows and this machine's memory allow a fit, asked before any work.

The figures are of the largest arrays alone, so that a request that passes may still be a
long one; one that does not pass could never have been carried out.
"""

from bayescore.methods import NUTS, SVI, Exact, Laplace, Method, Optimizer
from bayescore.model.regression import Regression
from bayescore.system.memory import check, check_square


def check_fit(regression: Regression, method: Method, rows: int) -> None:
    """Refuse a fit whose draws, iterates or matrices don't fit into memory.

    Rows to predict count for nothing: they are summarized block by block.

    Raises
    ------
    RequestError
        It says which of them, and which setting to lower.
    """
    d = sum(site.size for site in regression.sites)
    draws = int(getattr(method, "chains", 1)) * int(getattr(method, "draws", 1))
    of = f"of {method.name}"
    check(f"{draws} draws {of} of {d} parameters", draws * d, "ask for fewer draws or chains")
    if isinstance(method, Exact | Laplace):
        check_square(d, f"{d} parameters", f"use another method than {method.name}")
    if isinstance(method, Optimizer):
        kept = method.steps * (d + 2) if isinstance(method, SVI) else method.steps * 2
        check(f"{method.steps} steps {of} with {d} parameters", kept, "ask for fewer steps")
    if isinstance(method, SVI):
        batch = min(method.batch_size or rows, rows)
        outputs = regression.family.predictors
        what = f"{method.particles} particles {of} at {batch} rows a step"
        check(what, method.particles * batch * outputs, "ask for fewer particles, or a smaller batch_size")
    dense = method.dense_mass if isinstance(method, NUTS) else getattr(method, "guide", None) == "full_rank"
    if dense:
        check(f"a matrix of {d} by {d} parameters {of}", d * d, "use dense_mass=False, or the mean-field guide")
