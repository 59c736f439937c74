"""Linear regression with a horseshoe prior (Carvalho, Polson and Scott 2010), non-centred."""

import pyro
import pyro.distributions as dist


def model(x, y):
    alpha = pyro.sample("alpha", dist.StudentT(3.0, 0.0, 2.5))
    sigma = pyro.sample("sigma", dist.HalfNormal(1.0))
    tau = pyro.sample("tau", dist.HalfCauchy(0.5))
    with pyro.plate("columns", x.shape[1]):
        lam = pyro.sample("lam", dist.HalfCauchy(1.0))
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
    beta = pyro.deterministic("beta", z * lam * tau)
    with pyro.plate("rows", len(y)):
        pyro.sample("obs", dist.Normal(alpha + x @ beta, sigma), obs=y)
