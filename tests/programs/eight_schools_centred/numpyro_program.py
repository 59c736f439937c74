"""Eight schools (Rubin 1981), centred, tau kept away from 0, where centring is a funnel."""

import numpyro
import numpyro.distributions as dist


def model(y, sigma):
    mu = numpyro.sample("mu", dist.Normal(0.0, 5.0))
    tau = numpyro.sample("tau", dist.LogNormal(2.5, 0.4))
    with numpyro.plate("schools", len(y)):
        theta = numpyro.sample("theta", dist.Normal(mu, tau))
        numpyro.sample("obs", dist.Normal(theta, sigma), obs=y)
