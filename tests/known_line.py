"""A line through twelve points with known noise: its exact posterior and evidence, whoever's guide is fitted to it."""

import numpy as np

_RNG = np.random.default_rng(3)
X = _RNG.normal(0.0, 1.0, size=12)
Y = 0.5 + X + _RNG.normal(size=12)
DATA = {"x": X, "y": Y}
DESIGN = np.column_stack([np.ones(12), X])
PRECISION = DESIGN.T @ DESIGN + np.eye(2) / 9  # noise of sd 1, priors of sd 3
COV = np.linalg.inv(PRECISION)
MEAN = COV @ DESIGN.T @ Y
EVIDENCE = (
    -6 * np.log(2 * np.pi)
    - 0.5 * np.linalg.slogdet(PRECISION)[1]
    - 2 * np.log(3.0)
    + 0.5 * (MEAN @ PRECISION @ MEAN - Y @ Y)
)
