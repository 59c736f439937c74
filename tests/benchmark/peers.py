"""A regression in Stan or PyMC, as brms and bambi write it: the counterpart of ``hierarchies.py``'s own fits.

``PYTHON tests/benchmark/peers.py stan|nutpie STATED.json DRAWS.npz SEED``, in an environment with
``pystan`` and ``setuptools<81``, or ``pymc`` and ``nutpie``. Columns are centred, offsets of groups
standard normal times sds (non-centred); all settings but chains, iterations and seed are the engine's
own. Writes draws under the toolkit's names, and prints seconds of compiling and of sampling, leapfrog
steps after warm-up, and divergences.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
Found = tuple[Arrays, dict[str, Any]]
CHAINS, WARMUP, DRAWS = 4, 1000, 2500


def program(stated: dict[str, Any]) -> str:
    """The Stan program: fixed effects, one grouping of one effect or of correlated ones, or none."""
    gaussian, effects = stated["family"] == "Gaussian", len(stated["sd"])
    data = ["int<lower=1> N;", "int<lower=1> K;", "matrix[N, K] X;", "real at;", "real<lower=0> around;"]
    data += ["vector<lower=0>[K] slope;"]
    parameters, offsets = ["vector[K] b;", "real Intercept;"], []
    effect, prior = ["vector[N] mu = rep_vector(0.0, N);"], ["b ~ normal(0, slope);", "Intercept ~ normal(at, around);"]
    if gaussian:
        data += ["vector[N] y;", "real<lower=0> rate;"]
        parameters += ["real<lower=0> sigma;"]
        prior += ["sigma ~ exponential(rate);"]
    else:
        data += ["array[N] int<lower=0, upper=1> y;"]
    if effects:
        data += ["int<lower=1> J;", "int<lower=1> M;", "array[N] int<lower=1> g;", "matrix[N, M] Z;"]
        data += ["vector<lower=0>[M] spread;"]
        parameters += ["vector<lower=0>[M] sd;", "matrix[M, J] z;"]
        prior += ["sd ~ normal(0, spread);", "to_vector(z) ~ std_normal();"]
        scaled = "diag_pre_multiply(sd, L)" if effects > 1 else "diag_matrix(sd)"
        offsets += [f"matrix[J, M] r = transpose({scaled} * z);"]
        if effects > 1:
            parameters += ["cholesky_factor_corr[M] L;"]
            prior += ["L ~ lkj_corr_cholesky(1);"]
        terms = " + ".join(f"r[g[n], {k}] * Z[n, {k}]" for k in range(1, effects + 1))
        effect += [f"for (n in 1:N) mu[n] += {terms};"]
    law = "normal_id_glm(X, Intercept + mu, b, sigma)" if gaussian else "bernoulli_logit_glm(X, Intercept + mu, b)"
    blocks = {
        "data": data,
        "parameters": parameters,
        "transformed parameters": offsets,
        "model": [*effect, *prior, f"y ~ {law};"],
    }
    return "\n".join("\n  ".join([f"{name} {{", *lines]) + "\n}" for name, lines in blocks.items())


def stan(stated: dict[str, Any], seed: int) -> Found:
    """By pystan."""
    import stan as pystan

    x = np.array(stated["x"])
    y = stated["y"] if stated["family"] == "Gaussian" else [int(v) for v in stated["y"]]
    data = {"N": x.shape[0], "K": x.shape[1], "X": x, "y": y, "at": stated["at"], "around": stated["around"]}
    data |= {"slope": stated["slope"], "rate": stated["rate"]} if "rate" in stated else {"slope": stated["slope"]}
    if stated["sd"]:
        index, value = np.array(stated["index"]), np.array(stated["value"])
        data |= {"J": int(index.max()) + 1, "M": value.shape[1], "g": index + 1, "Z": value, "spread": stated["sd"]}
    began = time.perf_counter()
    built = pystan.build(program(stated), data=data, random_seed=seed)
    compiled = time.perf_counter()
    # no messages: httpstan 4.13 stumbles over one that comes in two pieces
    fit = built.sample(num_chains=CHAINS, num_warmup=WARMUP, num_samples=DRAWS, refresh=0)
    sampled = time.perf_counter()

    def chains(name: str) -> np.ndarray:
        """Shape (chain, draw, ...) of pystan's (..., draw x chain)."""
        flat = np.moveaxis(fit[name], -1, 0)
        return np.swapaxes(flat.reshape(DRAWS, CHAINS, *flat.shape[1:]), 0, 1)

    draws = {"b": chains("b"), "Intercept": chains("Intercept")[..., 0]}
    if "rate" in stated:
        draws["sigma"] = chains("sigma")[..., 0]
    if stated["sd"]:
        draws |= {"sd": chains("sd"), "r": chains("r")}
    if len(stated["sd"]) > 1:
        root = chains("L")
        draws["cor"] = root @ np.swapaxes(root, -1, -2)
    figures = {"compile": compiled - began, "sampling": sampled - compiled}
    return draws, figures | {"steps": fit["n_leapfrog__"].sum(), "divergences": fit["divergent__"].sum()}


def nutpie(stated: dict[str, Any], seed: int) -> Found:
    """By PyMC's model and nutpie's sampler."""
    import nutpie as sampler
    import pymc as pm

    x, y, effects = np.array(stated["x"]), np.array(stated["y"]), len(stated["sd"])
    began = time.perf_counter()
    with pm.Model() as model:
        b = pm.Normal("b", 0.0, np.array(stated["slope"]), shape=x.shape[1])
        mu = pm.Normal("Intercept", stated["at"], stated["around"]) + x @ b
        if effects:
            index, value, spread = np.array(stated["index"]), np.array(stated["value"]), np.array(stated["sd"])
            z = pm.Normal("z", shape=(int(index.max()) + 1, effects))
            if effects > 1:
                root, _, _ = pm.LKJCholeskyCov("L", n=effects, eta=1.0, sd_dist=pm.HalfNormal.dist(spread))
            else:
                root = pm.HalfNormal("sd", spread, shape=1)[:, None]
            r = pm.Deterministic("r", z @ root.T)
            mu = mu + (r[index] * value).sum(axis=1)
        if "rate" in stated:
            pm.Normal("y", mu, pm.Exponential("sigma", stated["rate"]), observed=y)
        else:
            pm.Bernoulli("y", logit_p=mu, observed=y)
    compiled_model = sampler.compile_pymc_model(model)
    compiled = time.perf_counter()
    fit = sampler.sample(compiled_model, draws=DRAWS, tune=WARMUP, chains=CHAINS, seed=seed, progress_bar=False)
    sampled = time.perf_counter()
    draws = {"sd" if k == "L_stds" else "cor" if k == "L_corr" else k: v.to_numpy() for k, v in fit.posterior.items()}
    stats = fit.sample_stats
    figures = {"compile": compiled - began, "sampling": sampled - compiled}
    return draws, figures | {"steps": stats["n_steps"].sum(), "divergences": stats["diverging"].sum()}


def named(stated: dict[str, Any], draws: Arrays) -> Arrays:
    """The same parameters as the toolkit's sites, under their names."""
    found = {"beta": draws["b"], "intercept": draws["Intercept"] - draws["b"] @ np.array(stated["means"])}
    found |= {"sigma": draws["sigma"]} if "sigma" in draws else {}
    for k, key in enumerate(stated["keys"]):
        found |= {f"sd({key})": draws["sd"][..., k], f"offset({key})": draws["r"][..., k]}
    return found | ({stated["cor"]: draws["cor"][..., 0, 1]} if "cor" in draws else {})


if __name__ == "__main__":
    engine, source, target, seed = sys.argv[1:]
    stated = json.loads(Path(source).read_text())
    draws, figures = {"stan": stan, "nutpie": nutpie}[engine](stated, int(seed))
    np.savez(target, **named(stated, draws))
    print(json.dumps({name: float(value) for name, value in figures.items()}))
