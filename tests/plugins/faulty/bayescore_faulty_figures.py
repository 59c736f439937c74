"""Faults of moments, sample statistics and what else comes with a fit."""

import dataclasses

import numpy as np
from bayescore_faulty_sound import Sound

from bayescore.model.posterior import label


class _Moments(Sound):
    def wrong(self, moments):
        return {}

    def labelled(self, fit, draws, exact):
        sound = super().labelled(fit, draws, exact)
        assert sound.moments is not None
        return dataclasses.replace(sound, moments=dataclasses.replace(sound.moments, **self.wrong(sound.moments)))


class MomentsOfOtherNames(_Moments):
    def wrong(self, moments):
        return {"names": ("a", "b", "c")}


class NanMoments(_Moments):
    def wrong(self, moments):
        return {"mean": np.array([0.0, np.nan, 0.0])}


class MomentsOfWrongShape(_Moments):
    def wrong(self, moments):
        return {"unconstrained_cov": np.eye(2)}


class DrawsMoved(_Moments):
    """Right moments, with draws that are five sds off."""

    def changed(self, regression, draws, rng):
        return draws | {"beta": draws["beta"] + 5 * draws["beta"].std()}


class VarianceInMoments(_Moments):
    def wrong(self, moments):
        return {"sd": moments.sd**2}


class NoCorrelations(_Moments):
    def wrong(self, moments):
        return {"unconstrained_cov": np.diag(np.diag(moments.unconstrained_cov))}


class OtherLogJoint(_Moments):
    def wrong(self, moments):
        return {"log_joint": moments.log_joint + 1.0}


class MomentsOfChains(Sound):
    """Moments that the draws of a sampler can't back."""

    def labelled(self, fit, draws, exact):
        return label(fit.regression, draws, moments=exact.moments)


class StatsOfWrongShape(Sound):
    def sample_posterior(self, fit, *, seed):
        stats = {"energy": np.zeros(3)}
        return dataclasses.replace(super().sample_posterior(fit, seed=seed), sample_stats=stats)


class _Stats(Sound):
    def stats(self, shape):
        raise NotImplementedError

    def sample_posterior(self, fit, *, seed):
        sound = super().sample_posterior(fit, seed=seed)
        return dataclasses.replace(sound, sample_stats=self.stats(sound.shape))


class StatsInWords(_Stats):
    def stats(self, shape):
        return {"energy": np.full(shape, "low")}


class StatsOfObjects(_Stats):
    """Among them one that can't be pickled."""

    def stats(self, shape):
        return {"energy": np.full(shape, lambda: None)}


class StatsInAList(_Stats):
    def stats(self, shape):
        return {"energy": np.zeros(shape).tolist()}


class StatsWithASlash(_Stats):
    def stats(self, shape):
        return {"energy/first": np.zeros(shape)}


class NanDiverging(_Stats):
    def stats(self, shape):
        return {"diverging": np.where(np.arange(shape[1]) == 7, np.nan, np.zeros(shape))}


class LongDoubleStats(_Stats):
    def stats(self, shape):
        return {"lp": np.zeros(shape, dtype=np.longdouble)}


class SecondsInWords(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return dataclasses.replace(super().fit(regression, data, method, seed=seed), seconds={"compile": "long"})


class LossesInWords(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return dataclasses.replace(super().fit(regression, data, method, seed=seed), losses="falling")


class IteratesOfOtherNames(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return dataclasses.replace(super().fit(regression, data, method, seed=seed), iterates={"mu": np.ones((2, 3))})
