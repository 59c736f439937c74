"""Programs for the stranger of `tests/plugins/plain`, and where they are written to."""

import json

HEAD = """
import numpy as np
from bayescore_plain import gamma, half_normal, normal, site, uniform
"""
SCHOOLS = """
def model(y, sigma):
    mu = site("mu", normal(0.0, 5.0))
    tau = site("tau", half_normal(5.0))
    theta = site("theta", normal(np.full(8, mu), tau))
    site("obs", normal(theta, sigma), obs=y)
"""
COUNTS = """
def model(y, x):
    k = site("k", gamma(2.0, 0.1))
    beta = site("beta", normal(np.zeros(2), 1.0))
    rate = site("rate", value=np.exp(beta[0] + beta[1] * x))
    site("obs", gamma(k, k / rate), obs=y)
"""
DATA = {
    "schools": {"y": [28.0, 8, -3, 7, -1, 1, 18, 12], "sigma": [15.0, 10, 16, 11, 9, 11, 10, 18]},
    "counts": {"y": [0.5, 2.0, 1.0, 3.5, 2.5, 4.0], "x": [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5]},
}
TEXTS = {"schools": SCHOOLS, "counts": COUNTS}
DRAWN = """
def model(y):
    mu = site("mu", normal(0.0, 10.0))
    p = site("double", value=2 * mu)
    site("obs", normal(mu, np.ones(len(y))), obs=y)

def posterior(rng, shape, y):
    precision = len(y) + 0.01
    return {"mu": rng.normal(np.sum(y) / precision, SD / np.sqrt(precision), shape)}

model.posterior = posterior
"""


def prepared(install, path, monkeypatch):
    """A folder to work in, where the stranger is the only backend."""
    install("plain")
    monkeypatch.chdir(path)
    for name, data in DATA.items():
        (path / f"{name}.json").write_text(json.dumps(data))
    return path


def written(folder, name, text):
    (folder / f"{name}.py").write_text(HEAD + text)
    return f"{name}.py:model"


def changed(which, old, new):
    assert TEXTS[which].count(old) == 1, f"{old!r} is not there once"
    return TEXTS[which].replace(old, new)
