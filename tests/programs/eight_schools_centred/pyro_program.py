"""Eight schools (Rubin 1981), centred, tau kept away from 0, where centring is a funnel."""

import pyro
import pyro.distributions as dist


def model(y, sigma):
    mu = pyro.sample("mu", dist.Normal(0.0, 5.0))
    tau = pyro.sample("tau", dist.LogNormal(2.5, 0.4))
    with pyro.plate("schools", len(y)):
        theta = pyro.sample("theta", dist.Normal(mu, tau))
        pyro.sample("obs", dist.Normal(theta, sigma), obs=y)
