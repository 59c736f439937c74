"""A Gaussian regression on a Parquet file by hand in NumPyro: all rows, standardized columns, a dense mass matrix."""

import sys
import time

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
from numpyro.infer import MCMC, NUTS

numpyro.enable_x64()


def model(x: jax.Array, y: jax.Array) -> None:
    """Standardized columns, weakly informative priors."""
    intercept = numpyro.sample("intercept", dist.Normal(0.0, 2.5))
    beta = numpyro.sample("beta", dist.Normal(0.0, 2.5).expand([x.shape[1]]).to_event(1))
    sigma = numpyro.sample("sigma", dist.Exponential(1.0))
    with numpyro.plate("rows", len(y)):
        numpyro.sample("y", dist.Normal(intercept + x @ beta, sigma), obs=y)


if __name__ == "__main__":
    table = pd.read_parquet(sys.argv[1]).to_numpy()
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    x, y = np.ascontiguousarray(table[:, :-1]), table[:, -1].copy()
    kernel = NUTS(model, dense_mass=True)
    sampler = MCMC(
        kernel, num_warmup=500, num_samples=1000, num_chains=4, chain_method="vectorized", progress_bar=False
    )
    started = time.perf_counter()
    sampler.run(jax.random.PRNGKey(0), x, y)
    jax.block_until_ready(sampler.get_samples())
    print(time.perf_counter() - started)
