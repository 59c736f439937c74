"""Special functions, all but quantiles to be differentiated by autograd; SciPy is imported when one is called."""

import math
from typing import Any

from autograd import numpy as np
from autograd.extend import defvjp, primitive

_LOG_2PI = math.log(2.0 * math.pi)


@primitive  # type: ignore[untyped-decorator]
def log_gamma(x: Any) -> Any:
    """Log of the gamma function, elementwise."""
    from scipy import special

    return special.gammaln(x)


@primitive  # type: ignore[untyped-decorator]
def digamma(x: Any) -> Any:
    """Derivative of `log_gamma`, elementwise."""
    from scipy import special

    return special.digamma(x)


@primitive  # type: ignore[untyped-decorator]
def log_ndtr(x: Any) -> Any:
    """Log of the standard normal distribution function, elementwise."""
    from scipy import special

    return special.log_ndtr(x)


def ndtri(p: Any) -> Any:
    """Quantiles of the standard normal distribution, elementwise."""
    from scipy import special

    return special.ndtri(p)


def ndtri_exp(log_p: Any) -> Any:
    """Quantiles of the standard normal distribution at probabilities given by their logarithms, elementwise."""
    from scipy import special

    return special.ndtri_exp(log_p)


defvjp(log_gamma, lambda answer, x: lambda g: g * digamma(x))
defvjp(log_ndtr, lambda answer, x: lambda g: g * np.exp(-0.5 * x**2 - 0.5 * _LOG_2PI - answer))


def log_beta(a: Any, b: Any) -> Any:
    """Log of the beta function, elementwise."""
    return log_gamma(a) + log_gamma(b) - log_gamma(a + b)


def log_sum_exp(x: Any) -> Any:
    """Log of the sum of exponentials over the last axis."""
    top = np.max(x, axis=-1, keepdims=True)
    return top[..., 0] + np.log(np.sum(np.exp(x - top), axis=-1))


def softplus(x: Any) -> Any:
    """Log(1 + exp(x)), elementwise."""
    return np.logaddexp(0.0, x)
