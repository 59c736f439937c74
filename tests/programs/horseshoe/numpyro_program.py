"""Linear regression with a regularized horseshoe (Piironen and Vehtari 2017) whose slab has sd 1, non-centred."""

import numpyro
import numpyro.distributions as dist


def model(x, y):
    alpha = numpyro.sample("alpha", dist.StudentT(3.0, 0.0, 2.5))
    sigma = numpyro.sample("sigma", dist.Exponential(1.0))
    tau = numpyro.sample("tau", dist.HalfCauchy(0.5))
    with numpyro.plate("columns", x.shape[1]):
        lam = numpyro.sample("lam", dist.HalfCauchy(1.0))
        z = numpyro.sample("z", dist.Normal(0.0, 1.0))
    scale = lam * tau / (1 + (lam * tau) ** 2) ** 0.5
    beta = numpyro.deterministic("beta", z * scale)
    with numpyro.plate("rows", len(y)):
        numpyro.sample("obs", dist.Normal(alpha + x @ beta, sigma), obs=y)
