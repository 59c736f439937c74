"""What the default priors make of known data, beside those of rstanarm, which are written out and computed here.

``python tests/benchmark/priors.py FOLDER``, the folder of the reference data; prints a table.
rstanarm: the linear predictor at the columns' means ~ Normal(mean(y), 2.5 sd(y)), coefficients
~ Normal(0, 2.5 sd(y) / sd(x)), sigma ~ Exponential(1 / sd(y)), sds with divisor n - 1; other
families with 0 and 2.5 for the intercept and 2.5 / sd(x) for coefficients; covariance of group
effects by decov, a scale ~ Gamma(1, 1) in units of sigma and LKJ(1). Where `exact` knows the
posterior, it is asked for both, theirs on centred columns with these priors stated; otherwise
theirs is that of a program of one's own on centred columns, by NumPyro's NUTS, and ours NUTS.
A name, as ``radon``, after the folder asks for that case alone.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
from numpyro.infer import MCMC, NUTS

import bayescore as bc

numpyro.enable_x64()
Table = pd.DataFrame


def trend(family: str) -> Table:
    """Forty years since 1981, whose effect is known."""
    rng, year = np.random.default_rng(0), np.arange(1981.0, 2021.0)
    eta = 0.05 * (year - 2000.5)
    draw: dict[str, Callable[[], Any]] = {
        "gaussian": lambda: 10.0 + 3.0 * eta + rng.normal(0.0, 0.4, 40),
        "poisson": lambda: rng.poisson(np.exp(1.5 + eta)),
        "bernoulli": lambda: rng.random(40) < 1.0 / (1.0 + np.exp(-2.0 * eta)),
    }
    return pd.DataFrame({"y": np.asarray(draw[family](), dtype=float), "year": year})


def rstanarm(data: Any, family: str, groupings: Any) -> dict[str, np.ndarray]:
    """Draws of the intercept at zero, coefficients, sigma, and sds of groups."""
    x, y, gaussian = data.x, data.y, family == "gaussian"
    mean, sd = x.mean(axis=0), x.std(axis=0, ddof=1)
    scale, location = (y.std(ddof=1), y.mean()) if gaussian else (1.0, 0.0)
    keys = [key for grouping in groupings for key in grouping.keys]
    levels = len(groupings[0].levels) if groupings else 0

    def program() -> None:
        alpha = numpyro.sample("alpha", dist.Normal(location, 2.5 * scale))
        beta = numpyro.sample("beta", dist.Normal(0.0, 2.5 * scale / sd).to_event(1))
        eta = alpha + (x - mean) @ beta
        sigma = numpyro.sample("sigma", dist.Exponential(1.0 / scale)) if gaussian else 1.0
        if keys:
            tau = numpyro.sample("tau", dist.Gamma(1.0, 1.0)) * sigma
            share = numpyro.sample("share", dist.Dirichlet(jnp.ones(len(keys)))) if len(keys) > 1 else jnp.ones(1)
            sds = tau * jnp.sqrt(len(keys) * share)
            root = numpyro.sample("root", dist.LKJCholesky(len(keys), 1.0)) if len(keys) > 1 else jnp.ones((1, 1))
            z = numpyro.sample("z", dist.Normal(0.0, 1.0).expand([levels, len(keys)]).to_event(2))
            offsets = z @ (sds[:, None] * root).T
            for k, key in enumerate(keys):
                numpyro.deterministic(f"sd({key})", sds[k])
                eta = eta + offsets[data.groups[key].index, k] * data.groups[key].value
        law = {
            "gaussian": lambda: dist.Normal(eta, sigma),
            "poisson": lambda: dist.Poisson(jnp.exp(eta)),
            "bernoulli": lambda: dist.Bernoulli(logits=eta),
        }[family]()
        numpyro.sample("y", law, obs=y)

    sampler = MCMC(NUTS(program), num_warmup=1000, num_samples=2500, num_chains=2, progress_bar=False)
    sampler.run(jax.random.PRNGKey(0))
    draws = {name: np.asarray(v) for name, v in sampler.get_samples().items()}
    found = {f"beta[{column}]": draws["beta"][:, j] for j, column in enumerate(data.columns)}
    found["intercept"] = draws["alpha"] - draws["beta"] @ mean
    return found | {name: v for name, v in draws.items() if name == "sigma" or name.startswith("sd(")}


def stated(problem: Any, family: str) -> Any:
    """rstanarm's statement on centred columns."""
    data = problem.data
    mean, sd = data.x.mean(axis=0), data.x.std(axis=0, ddof=1)
    gaussian = family == "gaussian"
    scale, location = (data.y.std(ddof=1), data.y.mean()) if gaussian else (1.0, 0.0)
    priors = {
        f"beta[{c}]": bc.distributions.Normal(0.0, 2.5 * scale / s) for c, s in zip(data.columns, sd, strict=True)
    }
    priors |= {"intercept": bc.distributions.Normal(location, 2.5 * scale)}
    priors |= {"sigma": bc.distributions.Exponential(1.0 / scale)} if gaussian else {}
    return bc.from_data(replace(data, x=data.x - mean), family=family, priors=priors)


def known(problem: Any) -> bool:
    """Whether `exact` knows the posterior."""
    regression = problem.regression
    return not regression.groups and (regression.family.name == "Gaussian" or len(regression.parameters) <= 3)


def fitted(problem: Any) -> dict[str, tuple[float, float]]:
    """Mean and sd of each parameter."""
    exact = known(problem)
    backend, method = bc.get_backend("exact" if exact else "numpyro"), bc.Exact() if exact else bc.NUTS(chains=2)
    data = backend.build_data(problem.regression, problem.data)
    fit = backend.fit(problem.regression, data, method, seed=0)
    posterior = backend.sample_posterior(fit, seed=0)
    moments = posterior.moments
    if exact and moments is not None:
        return dict(zip(moments.names, zip(moments.mean, moments.sd, strict=True), strict=True))
    found = {}
    for site in problem.regression.sites:
        flat = np.reshape(posterior.draws[site.name], (-1, site.size))
        found |= dict(zip(site.parameters, zip(flat.mean(axis=0), flat.std(axis=0), strict=True), strict=True))
    return found


def main() -> None:
    """A row a parameter."""
    folder = Path(sys.argv[1])

    def read(name: str) -> Table:
        return pd.read_csv(folder / f"{name}.csv")

    nes = "partyid7 ~ real_ideo + race_adj + C(age_discrete) + educ1 + gender + income"
    cases = [
        ("sleep study", "Reaction ~ Days + (Days | Subject)", "gaussian", read("sleepstudy")),
        ("kidiq", "kid_score ~ mom_hs + mom_iq", "gaussian", read("kidiq")),
        ("wells", "switched ~ I(dist / 100) + arsenic + I(educ / 4)", "bernoulli", read("wells")),
        ("radon", "log_radon ~ floor + (1 | county)", "gaussian", read("radon_mn")),
        ("nes1980", nes, "gaussian", read("nes1980")),
        *((f"trend, {family}", "y ~ year", family, trend(family)) for family in ("gaussian", "poisson", "bernoulli")),
    ]
    print("| data | parameter | ours | rstanarm's | means differ by [sd] | ratio of sds |")
    print("|---|---|---|---|---|---|")
    for name, formula, family, table in cases:
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        problem = bc.from_table(formula, table, family=family)
        groupings = [term.grouping for term in problem.regression.groups]
        own = fitted(problem)
        if known(problem):
            theirs = fitted(stated(problem, family))
            theirs.pop("intercept")  # that of the centred columns
        else:
            draws = rstanarm(problem.data, family, groupings)
            theirs = {parameter: (float(v.mean()), float(v.std())) for parameter, v in draws.items()}
        for parameter, (other, spread) in theirs.items():
            mean, sd = own[parameter]
            print(
                f"| {name} | `{parameter}` | {mean:.4g} ± {sd:.3g} | {other:.4g} ± {spread:.3g} "
                f"| {(mean - other) / spread:+.2f} | {sd / spread:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
