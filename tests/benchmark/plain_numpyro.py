"""The toy by hand in NumPyro, with ``svi.run``: the counterpart of ``plain_pyro.py``."""

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.distributions import constraints
from numpyro.infer import SVI, Trace_ELBO
from numpyro.optim import Adam

PARTICLES = 32
RATE = 0.1


def toy(seed: int) -> tuple[jax.Array, jax.Array]:
    rng = np.random.default_rng(seed)
    x = rng.random((100, 1))
    y = 1.0 + 3.0 * x[:, 0] + 0.1 * rng.standard_normal(100)
    return jnp.asarray(x), jnp.asarray(y)


def same(steps: int, seed: int, x: jax.Array, y: jax.Array) -> list[float]:
    """Centred and scaled column, a start at the mode; the average needs the loop by hand."""
    mean, scale = x.mean(), x.std()
    centred = (x - mean) / scale
    unit = 0.1 / np.sqrt(len(y))
    centre = jnp.stack([y.mean(), (centred[:, 0] * y).mean()])

    def to_raw(z: jax.Array) -> tuple[jax.Array, jax.Array]:
        u = centre + unit * z
        slope = u[..., 1] / scale
        return u[..., 0] - slope * mean, slope

    def model(x: jax.Array, y: jax.Array) -> None:
        z = numpyro.sample("z", dist.Normal(0.0, 1.0).expand([2]).to_event(1).mask(False))
        intercept, slope = to_raw(z)
        numpyro.factor("prior", dist.Normal(0.0, 10.0).log_prob(intercept) + dist.Normal(0.0, 10.0).log_prob(slope))
        with numpyro.plate("data", len(y)):
            numpyro.sample("y", dist.Normal(intercept + slope * x[:, 0], 0.1), obs=y)

    def guide(x: jax.Array, y: jax.Array) -> None:
        loc = numpyro.param("loc", jnp.zeros(2))
        width = numpyro.param("width", jnp.ones(2), constraint=constraints.softplus_positive)
        numpyro.sample("z", dist.Normal(loc, width).to_event(1))

    svi = SVI(model, guide, Adam(RATE), Trace_ELBO(num_particles=PARTICLES))
    half = steps // 2
    first = svi.run(jax.random.PRNGKey(seed), half, x, y, progress_bar=False)

    def step(state: object, _: None) -> tuple[object, dict[str, jax.Array]]:
        state, _loss = svi.update(state, x, y)
        return state, svi.get_params(state)

    _, kept = jax.jit(lambda state: jax.lax.scan(step, state, None, length=steps - half))(first.state)
    intercept, slope = to_raw(kept["loc"].mean(0))
    width = jnp.exp(jnp.log(kept["width"]).mean(0)) * unit
    sd_slope = width[1] / scale
    return [float(intercept), float(slope), float(jnp.hypot(width[0], sd_slope * mean)), float(sd_slope)]


def tutorial(steps: int, seed: int, x: jax.Array, y: jax.Array) -> list[float]:
    """Raw columns, the tutorial's start, rate 0.05 that decays to a hundredth."""
    starts = jax.random.normal(jax.random.PRNGKey(seed + 1), (4,))

    def model(x: jax.Array, y: jax.Array) -> None:
        intercept = numpyro.sample("intercept", dist.Normal(0.0, 10.0))
        slope = numpyro.sample("slope", dist.Normal(0.0, 10.0))
        with numpyro.plate("data", len(y)):
            numpyro.sample("y", dist.Normal(intercept + slope * x[:, 0], 0.1), obs=y)

    def guide(x: jax.Array, y: jax.Array) -> None:
        for j, name in enumerate(("intercept", "slope")):
            loc = numpyro.param(f"{name}_loc", starts[j])
            raw = numpyro.param(f"{name}_raw", -3.0 + 0.05 * starts[2 + j])
            numpyro.sample(name, dist.Normal(loc, jax.nn.softplus(raw)))

    svi = SVI(model, guide, Adam(lambda i: 0.05 * 0.01 ** (i / steps)), Trace_ELBO())
    params = svi.run(jax.random.PRNGKey(seed), steps, x, y, progress_bar=False).params
    widths = [jax.nn.softplus(params[f"{n}_raw"]) for n in ("intercept", "slope")]
    return [float(v) for v in (params["intercept_loc"], params["slope_loc"], *widths)]


if __name__ == "__main__":
    which, steps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    numpyro.enable_x64()
    started = time.perf_counter()
    result = {"same": same, "tutorial": tutorial}[which](steps, seed, *toy(0))
    print(*result, time.perf_counter() - started)
