"""A simulated logistic regression as a table of text: ``python tests/benchmark/logistic.py FILE [SEED]``."""

import sys

import numpy as np
import pandas as pd

ROWS, COLUMNS = 1000, 10
FORMULA = "y ~ " + " + ".join(f"x{j + 1}" for j in range(COLUMNS))

if __name__ == "__main__":
    rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    x = rng.standard_normal((ROWS, COLUMNS))
    beta = rng.normal(0.0, 0.7, COLUMNS)
    y = rng.random(ROWS) < 1.0 / (1.0 + np.exp(-(0.3 + x @ beta)))
    table = pd.DataFrame(x, columns=[f"x{j + 1}" for j in range(COLUMNS)])
    table.assign(y=y.astype(int)).to_csv(sys.argv[1], index=False)
