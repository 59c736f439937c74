"""The toy by hand in Pyro: what somebody writes who has no toolkit.

``plain_pyro.py same STEPS SEED`` runs the default guide, coordinates, particles and rate
of bayescore's SVI with Pyro's usual loop; ``plain_pyro.py tutorial STEPS SEED`` the
tutorial's guide with a rate that decays. Prints intercept, slope, their sds, and seconds.
"""

import math
import sys
import time

import numpy as np
import pyro
import pyro.distributions as dist
import torch
from pyro.distributions import constraints
from pyro.infer import SVI, Trace_ELBO
from pyro.optim import ClippedAdam

PARTICLES = 32
RATE = 0.1


def toy(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    x = rng.random((100, 1))
    y = 1.0 + 3.0 * x[:, 0] + 0.1 * rng.standard_normal(100)
    return torch.tensor(x), torch.tensor(y)


def same(steps: int, seed: int, x: torch.Tensor, y: torch.Tensor) -> list[float]:
    """Centred and scaled column, a start at the mode, the average of the last half."""
    mean, scale = x.mean(), x.std(unbiased=False)
    centred = (x - mean) / scale
    unit = 0.1 / math.sqrt(len(y))
    centre = torch.stack([y.mean(), (centred[:, 0] * y).mean()])

    def to_raw(z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        u = centre + unit * z
        slope = u[..., 1] / scale
        return u[..., 0] - slope * mean, slope

    def model() -> None:
        z = pyro.sample("z", dist.Normal(0.0, 1.0).expand([2]).to_event(1).mask(False))
        intercept, slope = to_raw(z)
        pyro.factor("prior", dist.Normal(0.0, 10.0).log_prob(intercept) + dist.Normal(0.0, 10.0).log_prob(slope))
        with pyro.plate("data", len(y)):
            pyro.sample("y", dist.Normal(intercept[..., None] + slope[..., None] * x[:, 0], 0.1), obs=y)

    def guide() -> None:
        loc = pyro.param("loc", lambda: torch.zeros(2))
        width = pyro.param("width", lambda: torch.ones(2), constraint=constraints.softplus_positive)
        pyro.sample("z", dist.Normal(loc, width).to_event(1))

    elbo = Trace_ELBO(num_particles=PARTICLES, vectorize_particles=True, max_plate_nesting=1)
    svi = SVI(model, guide, pyro.optim.Adam({"lr": RATE}), elbo)
    locs, widths, losses = [], [], []
    for step in range(steps):
        losses.append(svi.step())
        if step >= steps // 2:
            locs.append(pyro.param("loc").detach().clone())
            widths.append(pyro.param("width").detach().clone())
    intercept, slope = to_raw(torch.stack(locs).mean(0))
    width = torch.stack(widths).log().mean(0).exp() * unit
    sd_slope = width[1] / scale
    return [float(intercept), float(slope), float(torch.hypot(width[0], sd_slope * mean)), float(sd_slope)]


def tutorial(steps: int, seed: int, x: torch.Tensor, y: torch.Tensor) -> list[float]:
    """Raw columns, the tutorial's start, rate 0.05 that decays to a hundredth."""

    def model() -> None:
        intercept = pyro.sample("intercept", dist.Normal(0.0, 10.0))
        slope = pyro.sample("slope", dist.Normal(0.0, 10.0))
        with pyro.plate("data", len(y)):
            pyro.sample("y", dist.Normal(intercept + slope * x[:, 0], 0.1), obs=y)

    def guide() -> None:
        for name in ("intercept", "slope"):
            loc = pyro.param(f"{name}_loc", lambda: torch.randn(()))
            raw = pyro.param(f"{name}_raw", lambda: -3.0 + 0.05 * torch.randn(()))
            pyro.sample(name, dist.Normal(loc, torch.nn.functional.softplus(raw)))

    svi = SVI(model, guide, ClippedAdam({"lr": 0.05, "lrd": 0.01 ** (1 / steps)}), Trace_ELBO())
    for _ in range(steps):
        svi.step()
    widths = [torch.nn.functional.softplus(pyro.param(f"{n}_raw")) for n in ("intercept", "slope")]
    locs = [pyro.param(f"{n}_loc") for n in ("intercept", "slope")]
    return [v.item() for v in (*locs, *widths)]


if __name__ == "__main__":
    which, steps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_default_dtype(torch.float64)
    pyro.set_rng_seed(seed)
    started = time.perf_counter()
    result = {"same": same, "tutorial": tutorial}[which](steps, seed, *toy(0))
    print(*result, time.perf_counter() - started)
