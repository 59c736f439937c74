"""Faults of draws."""

import dataclasses

import numpy as np
from bayescore_faulty_sound import Sound

from bayescore.model.posterior import Posterior

_JITTER = 1e-12


class WrongSites(Sound):
    def labelled(self, fit, draws, exact):
        others = {"alpha": draws["intercept"], **{k: v for k, v in draws.items() if k != "intercept"}}
        return Posterior(others, {"beta": fit.regression.columns})


class OtherName(Sound):
    """A site under another name, as `label` finds."""

    def changed(self, regression, draws, rng):
        return {"weights" if name == "beta" else name: v for name, v in draws.items()}


class WrongShape(Sound):
    def changed(self, regression, draws, rng):
        return draws | {"beta": np.repeat(draws["beta"], 7, axis=-1)}


class WrongLabels(Sound):
    def labelled(self, fit, draws, exact):
        return Posterior(draws, {"beta": ("other",)})


class NanDraws(Sound):
    def changed(self, regression, draws, rng):
        draws["beta"][0, 3] = np.nan
        return draws


class IntegerDraws(Sound):
    def labelled(self, fit, draws, exact):
        draws = {name: np.ceil(np.abs(v)).astype(int) for name, v in draws.items()}
        return Posterior(draws, {"beta": fit.regression.columns})


class LogSigma(Sound):
    def changed(self, regression, draws, rng):
        return draws | {"sigma": np.log(draws["sigma"])}


class SwappedAxes(Sound):
    def changed(self, regression, draws, rng):
        return {name: np.swapaxes(v, 0, 1) for name, v in draws.items()}


class PartOfDraws(Sound):
    def changed(self, regression, draws, rng):
        return {name: v[:, :250] for name, v in draws.items()}


class JoinedChains(Sound):
    def changed(self, regression, draws, rng):
        return {name: v.reshape(1, -1, *v.shape[2:]) for name, v in draws.items()}


class _Copies(Sound):
    def taken(self, chains, draws, rng):
        """Positions (chain, draw) of the draws that are handed over."""
        raise NotImplementedError

    def changed(self, regression, draws, rng):
        chains, count = draws["intercept"].shape
        at = self.taken(chains, count, rng)
        draws = {name: v.reshape(-1, *v.shape[2:])[at] for name, v in draws.items()}
        return {name: v * (1.0 + _JITTER * rng.standard_normal(v.shape)) for name, v in draws.items()}


class EqualChains(_Copies):
    def taken(self, chains, draws, rng):
        return np.tile(np.arange(draws), (chains, 1))


class Blocks(_Copies):
    """Every draw five times in a row."""

    def taken(self, chains, draws, rng):
        return np.arange(chains * draws).reshape(chains, draws) // 5 * 5


class Rounds(_Copies):
    """The first fifth of each chain, five times."""

    def taken(self, chains, draws, rng):
        return draws * np.arange(chains)[:, None] + np.arange(draws) % (draws // 5)


class Resampled(_Copies):
    """With replacement."""

    def taken(self, chains, draws, rng):
        return rng.integers(0, chains * draws, (chains, draws))


class LongDoubleDraws(Sound):
    def labelled(self, fit, draws, exact):
        return dataclasses.replace(
            super().labelled(fit, draws, exact), draws={name: v.astype(np.longdouble) for name, v in draws.items()}
        )


class OneDraw(Sound):
    def changed(self, regression, draws, rng):
        return {name: v[:1, :1] for name, v in draws.items()}


class Lies(Sound):
    """No fault of form: enough draws, in perfect health, of something else."""

    def changed(self, regression, draws, rng):
        return {name: np.exp(rng.normal(0.0, 1.0, v.shape)) for name, v in draws.items()}
