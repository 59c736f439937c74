"""How the gallery's data were made: ``python tests/programs/simulate.py`` writes each model's ``data.json`` anew."""

import json
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
SCHOOLS = {
    "y": [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
    "sigma": [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
}
"""Rubin (1981): effects of coaching in eight schools, and their standard errors."""


def gamma_regression(rng: np.random.Generator) -> dict[str, Any]:
    x = rng.normal(size=(30, 2)).round(3)
    mean = np.exp(0.5 + x @ [0.6, -0.3])
    return {"x": x, "y": rng.gamma(5, mean / 5).round(3)}


def item_response(rng: np.random.Generator) -> dict[str, Any]:
    ability, difficulty = rng.normal(size=(15, 1)), np.array([-1.0, -0.3, 0.4, 1.2])
    discrimination = np.array([0.8, 1.5, 1.0, 1.8])
    return {"y": draws(rng, discrimination * (ability - difficulty))}


def hierarchical_logistic(rng: np.random.Generator) -> dict[str, Any]:
    group, x = np.repeat(np.arange(6), 10), rng.normal(size=60).round(3)
    return {"x": x, "group": group, "groups": 6, "y": draws(rng, rng.normal(0.3, 0.8, 6)[group] + 0.9 * x)}


def mixture(rng: np.random.Generator) -> dict[str, Any]:
    second = rng.random(30) < 0.65
    return {"y": rng.normal(np.where(second, 1.8, -2.2), np.where(second, 0.7, 0.9)).round(3)}


def autoregression(rng: np.random.Generator) -> dict[str, Any]:
    y = [1.0]
    for shock in rng.normal(0, 0.8, 39):
        y.append(1 + 0.6 * (y[-1] - 1) + shock)
    return {"y": np.round(y, 3)}


def correlated_effects(rng: np.random.Generator) -> dict[str, Any]:
    group, x = np.repeat(np.arange(16), 8), rng.normal(size=128).round(3)
    effects = rng.multivariate_normal([1.0, 0.5], [[0.64, 0.24], [0.24, 0.36]], 16)
    y = rng.normal(effects[group, 0] + effects[group, 1] * x, 0.5).round(3)
    return {"x": x, "group": group, "groups": 16, "y": y}


def ordered_logistic(rng: np.random.Generator) -> dict[str, Any]:
    x = rng.normal(size=(40, 2)).round(3)
    latent = x @ [1.0, -0.5] + rng.logistic(size=40)
    return {"x": x, "y": np.searchsorted([-1.0, 0.2, 1.5], latent)}


def network(rng: np.random.Generator) -> dict[str, Any]:
    x = rng.normal(size=(30, 2)).round(3)
    hidden = np.tanh(x @ [[1.0, -0.5], [0.4, 1.2]] + [-1.0, 1.0])
    return {"x": x, "y": rng.normal(hidden @ [1.0, 1.5], 0.4).round(3)}


def horseshoe(rng: np.random.Generator) -> dict[str, Any]:
    x = rng.normal(size=(20, 3)).round(3)
    return {"x": x, "y": rng.normal(0.5 + x @ [0.8, 0.0, -0.5], 1.0).round(3)}


def gaussian_process(rng: np.random.Generator) -> dict[str, Any]:
    x = np.sort(rng.uniform(-3, 3, 30)).round(3)
    return {"x": x, "y": rng.normal(np.sin(1.5 * x), 0.3).round(3)}


def zero_inflated_poisson(rng: np.random.Generator) -> dict[str, Any]:
    x, exposure = rng.normal(size=40).round(3), rng.uniform(1.5, 5, 40).round(2)
    y = np.where(rng.random(40) < 0.3, 0, rng.poisson(exposure * np.exp(0.2 + 0.4 * x)))
    seen = np.ones(40, bool)
    seen[[4, 19, 33]] = False
    return {"x": x, "exposure": exposure, "seen": seen, "y": np.where(seen, y, 0)}


def draws(rng: np.random.Generator, logits: np.ndarray) -> np.ndarray:
    """Zeros and ones, as numbers with a fraction: Pyro's Bernoulli takes no others."""
    return (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(float)


SIMULATED = (
    gamma_regression, item_response, hierarchical_logistic, mixture, autoregression, correlated_effects,
    ordered_logistic, network, horseshoe, gaussian_process, zero_inflated_poisson,
)  # fmt: skip


def main() -> None:
    """Write ``data.json`` of all models."""
    found: dict[str, dict[str, Any]] = {"eight_schools_centred": SCHOOLS, "eight_schools_noncentred": SCHOOLS}
    found |= {simulated.__name__: simulated(np.random.default_rng(1981)) for simulated in SIMULATED}
    for model, data in found.items():
        lists = {name: getattr(value, "tolist", lambda value=value: value)() for name, value in data.items()}
        lines = ",\n".join(f'  "{name}": {json.dumps(value)}' for name, value in lists.items())
        (HERE / model / "data.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
