"""Draws made by hand, for what needs no fit."""

import numpy as np
import pandas as pd

from bayescore import Posterior, Problem
from bayescore.model.posterior import label


def table(rows: int = 60, seed: int = 3) -> pd.DataFrame:
    """Numbers, categories, a group, and a response of every kind."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.uniform(0.2, 4.0, rows),
            "z": rng.normal(size=rows),
            "g": rng.choice(["a", "b", "c"], rows, p=[0.2, 0.5, 0.3]),
            "k": rng.choice([4, 6, 8], rows),
            "s": rng.choice(["s1", "s2", "s3", "s4"], rows),
            "hours": rng.uniform(1.0, 9.0, rows),
            "real": rng.normal(size=rows),
            "positive": rng.gamma(2.0, size=rows),
            "share": rng.uniform(0.1, 0.9, rows),
            "zero_one": rng.integers(0, 2, rows),
            "count": rng.poisson(3.0, rows),
            "grade": rng.integers(0, 4, rows),
            "n": rng.integers(3, 9, rows),
        }
    )
    return frame.assign(hits=np.minimum(frame["count"], frame["n"]))


def by_hand(problem: Problem, chains: int = 2, draws: int = 40, seed: int = 1) -> Posterior:
    """Draws of any problem's sites, near 0 where they are real and near 1 where they are positive."""
    rng = np.random.default_rng(seed)
    values = {}
    for site in problem.regression.sites:
        drawn = rng.normal(scale=0.3, size=(chains, draws, *site.shape))
        if site.name == "threshold":
            drawn = np.sort(drawn, axis=-1) + np.arange(site.shape[0])
        positive = site.name in {"sigma", "concentration", "df"} or site.name.startswith("sd(")
        values[site.name] = np.exp(drawn) if positive else np.tanh(drawn) if site.name.startswith("cor") else drawn
    return label(problem.regression, values)


TABLE = table()


def flat(effects) -> np.ndarray:
    """Draws of shape (draw, row)."""
    return effects.draws.reshape(-1, len(effects))


def check(effects, wanted: np.ndarray, atol: float = 1e-10) -> None:
    """Draws, and what the table says of them."""
    np.testing.assert_allclose(flat(effects), wanted, rtol=1e-7, atol=atol)
    frame = effects.frame
    np.testing.assert_allclose(frame["estimate"], wanted.mean(axis=0), rtol=1e-7, atol=atol)
    np.testing.assert_allclose(frame[["lower", "upper"]].T, np.quantile(wanted, [0.05, 0.95], axis=0), atol=1e-6)
