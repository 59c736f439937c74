"""Linear regression with a regularized horseshoe (Piironen and Vehtari 2017) whose slab has sd 1, non-centred."""

import pyro
import pyro.distributions as dist


def model(x, y):
    alpha = pyro.sample("alpha", dist.StudentT(3.0, 0.0, 2.5))
    sigma = pyro.sample("sigma", dist.Exponential(1.0))
    tau = pyro.sample("tau", dist.HalfCauchy(0.5))
    with pyro.plate("columns", x.shape[1]):
        lam = pyro.sample("lam", dist.HalfCauchy(1.0))
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
    scale = lam * tau / (1 + (lam * tau) ** 2) ** 0.5
    beta = pyro.deterministic("beta", z * scale)
    with pyro.plate("rows", len(y)):
        pyro.sample("obs", dist.Normal(alpha + x @ beta, sigma), obs=y)
