"""The core's families as NumPyro distributions of the response: one line each."""

from collections.abc import Callable

import numpyro.distributions as dist

RESPONSES: dict[tuple[str, str], Callable[..., dist.Distribution]] = {
    ("Gaussian", "identity"): lambda eta, sigma: dist.Normal(loc=eta, scale=sigma),
    ("Bernoulli", "logit"): lambda eta: dist.Bernoulli(logits=eta),
}
"""By family and link: of the linear predictor and the auxiliary parameters by name."""
