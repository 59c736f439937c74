"""Dependence that correlations don't see: sizes that go together.

Of every quantity there are two features, its place, the distance from the median, and its
size, the place without its sign; in sds by the quartiles, and cut at three, so that no
tail is too heavy. |z2| = |z0| leaves marginals and correlation alone, and makes the sizes
equal.
"""

import numpy as np

from bayescore.agreement.quantiles import mean_error
from bayescore.agreement.rule import AGREE_QUANTILE
from bayescore.model.arrays import Array

_LOOKED_AT = 5
_QUARTILE = 0.6745
_FURTHEST = 3.0


def furthest(names: list[str], a: Array, b: Array) -> tuple[str, float, float, int] | None:
    """The pair of features whose correlations differ most; None where there are fewer than two quantities.

    Parameters
    ----------
    names
        Of the k quantities.
    a, b
        Draws, shapes (k, chain, draw).

    Returns
    -------
    what, difference, error, among
        Which two; the difference of their correlations and its Monte Carlo error; and of
        how many pairs it is the furthest.
    """
    k = len(names)
    if k < 2:
        return None
    features = [_features(x) for x in (a, b)]
    first, second = np.triu_indices(2 * k, 1)
    others = first % k != second % k
    first, second = first[others], second[others]
    flat = [f.reshape(2 * k, -1).astype(np.float32) for f in features]
    apart = np.abs(flat[0] @ flat[0].T / flat[0].shape[1] - flat[1] @ flat[1].T / flat[1].shape[1])[first, second]
    worst = np.argsort(apart)[-_LOOKED_AT:]
    i, j = first[worst], second[worst]
    products = [f[i] * f[j] for f in features]
    difference = products[0].mean(axis=(1, 2)) - products[1].mean(axis=(1, 2))
    error = np.hypot(*(mean_error(product) for product in products))
    most = int(np.argmax(np.abs(difference) + AGREE_QUANTILE * error))
    labels = [*names, *(f"|{name}|" for name in names)]
    return f"{labels[i[most]]} and {labels[j[most]]}", float(difference[most]), float(error[most]), len(first)


def _features(values: Array) -> Array:
    """Places and sizes of k quantities, standardized, shape (2 k, chain, draw)."""
    low, middle, high = np.quantile(values.reshape(len(values), -1), [0.25, 0.5, 0.75], axis=1)[:, :, None, None]
    scale = (high - low) / (2 * _QUARTILE)
    away = np.divide(values - middle, scale, out=np.zeros_like(values), where=scale > 0)
    place = np.clip(away, -_FURTHEST, _FURTHEST)
    both = np.concatenate([place, np.abs(place)])
    both -= both.mean(axis=(1, 2), keepdims=True)
    sd = both.std(axis=(1, 2), keepdims=True)
    return np.asarray(np.divide(both, sd, out=both, where=sd > 0))
