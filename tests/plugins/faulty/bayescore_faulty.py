"""Backends that are sound but for one fault each, which is their name."""

import dataclasses
import os
import signal
import sys
import time

import numpy as np

from bayescore.backend import Backend, BackendInfo, Fit, LogDensity, hookimpl, no_limits
from bayescore.density import specification
from bayescore.density.guide import gaussian_moments
from bayescore.exact.backend import ExactBackend
from bayescore.methods import Exact
from bayescore.model.distributions import Normal
from bayescore.model.posterior import Posterior, label
from bayescore.model.transforms import constrain, unconstrain

_JITTER = 1e-12


class Sound(Backend):
    """Independent draws from the exact posterior, for whatever method; every fault is a change to it."""

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=None):
        total = method.draws * getattr(method, "chains", 1)
        exact = ExactBackend().fit(regression, data, Exact(total), seed=seed)
        iterates = {}
        if method.name == "svi":
            noise = np.random.default_rng(seed).normal(size=(2, 500, len(regression.parameters)))
            iterates = {"loc": 0.01 * noise[0], "log_scale": 0.01 * noise[1]}
        return Fit(regression, method, exact, iterates=iterates)

    def sample_posterior(self, fit, *, seed):
        exact = ExactBackend().sample_posterior(fit.native, seed=seed)
        chains = getattr(fit.method, "chains", 1)
        draws = {name: v.reshape(chains, -1, *v.shape[2:]) for name, v in exact.draws.items()}
        draws = self.changed(fit.regression, draws, np.random.default_rng(seed))
        return self.labelled(fit, draws, exact)

    def changed(self, regression, draws, rng):
        """The draws, as they are handed over."""
        return draws

    def labelled(self, fit, draws, exact):
        """With the moments that the method has."""
        kind = fit.method.kinds[0]
        moments = {"exact": exact.moments, "guide": _of_guide(fit.regression, exact)}.get(kind)
        return label(fit.regression, draws, kind=kind, moments=moments)

    def log_density(self, regression, data, values):
        return specification.log_density(regression, data, values)


def _of_guide(regression, exact):
    """Moments of the draws as those of a Gaussian guide, with the Monte Carlo errors of a good one."""
    m = exact.moments
    error = 0.005 * np.sqrt(np.diag(m.unconstrained_cov))
    found = gaussian_moments(regression, m.unconstrained_mean, m.unconstrained_cov, np.diag(error**2), error)
    return dataclasses.replace(found, mean=m.mean, sd=m.sd)


class RaisesInBuildData(Sound):
    def build_data(self, regression, data):
        raise RuntimeError("no room\nfor the data")


class RaisesInFit(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        raise ZeroDivisionError("the step size is 0")


class RaisesInSamplePosterior(Sound):
    def sample_posterior(self, fit, *, seed):
        raise KeyError("chain")


class RaisesInPredict(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        raise NotImplementedError


class RaisesInFactory(Sound):
    def __init__(self):
        raise OSError("no device")


class CallsExit(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        sys.exit("enough")


class NoFit(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return None


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


class NanPredictions(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return np.full_like(super().predict(fit, posterior, new_data, kind=kind, seed=seed), np.nan)


class PredictionsOfTooFewRows(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return super().predict(fit, posterior, new_data, kind=kind, seed=seed)[..., :-1]


class _Predicts(Sound):
    """A fault in expected responses, or in new ones."""

    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        drawn = super().predict(fit, posterior, new_data, kind=kind, seed=seed)
        return getattr(self, kind)(fit, posterior, new_data, drawn, seed)

    def mean(self, fit, posterior, rows, drawn, seed):
        return drawn

    def response(self, fit, posterior, rows, drawn, seed):
        return drawn


class NoisyMean(_Predicts):
    def mean(self, fit, posterior, rows, drawn, seed):
        return drawn + 0.02 * np.random.default_rng(seed).normal(size=drawn.shape)


class MeanOfDraws(_Predicts):
    def mean(self, fit, posterior, rows, drawn, seed):
        return np.broadcast_to(drawn.mean(axis=(0, 1)), drawn.shape).copy()


class RowsReversed(_Predicts):
    def mean(self, fit, posterior, rows, drawn, seed):
        return drawn[..., ::-1].copy()

    def response(self, fit, posterior, rows, drawn, seed):
        return drawn[..., ::-1].copy()


class DrawsReversed(_Predicts):
    def mean(self, fit, posterior, rows, drawn, seed):
        return drawn[:, ::-1].copy()


class MeanInFloat32(_Predicts):
    def mean(self, fit, posterior, rows, drawn, seed):
        return drawn.astype(np.float32).astype(float)


class OffsetIgnored(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return super().predict(fit, posterior, dataclasses.replace(new_data, offset=None), kind=kind, seed=seed)


class OffsetIgnoredInResponses(_Predicts):
    def response(self, fit, posterior, rows, drawn, seed):
        return drawn - rows.offset


class MeanForResponse(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return super().predict(fit, posterior, new_data, seed=seed)


class ResponseForMean(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return super().predict(fit, posterior, new_data, kind="response", seed=seed)


class SeedIgnored(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return super().predict(fit, posterior, new_data, kind=kind, seed=12)


class SeedOfTheProcess(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return super().predict(fit, posterior, new_data, kind=kind, seed=None)


class VarianceForSd(_Predicts):
    def response(self, fit, posterior, rows, drawn, seed):
        mean = super().predict(fit, posterior, rows, seed=seed)
        return mean + (drawn - mean) * posterior.draws["sigma"][..., None]


class ResponsesOfTheMean(_Predicts):
    def response(self, fit, posterior, rows, drawn, seed):
        mean = super().predict(fit, posterior, rows, seed=seed)
        return drawn - mean + mean.mean(axis=(0, 1))


class NoiseShared(_Predicts):
    def response(self, fit, posterior, rows, drawn, seed):
        mean = super().predict(fit, posterior, rows, seed=seed)
        return mean + (drawn - mean)[..., :1]


class _Density(Sound):
    def log_density(self, regression, data, values):
        return dataclasses.replace(super().log_density(regression, data, values), **self.wrong(regression, values))

    def wrong(self, regression, values):
        return {}


class NanTotal(_Density):
    def wrong(self, regression, values):
        return {"total": float("nan")}


class TermsDontAdd(Sound):
    """The prior of beta is in its own term, and not in the total."""

    def log_density(self, regression, data, values):
        found = super().log_density(regression, data, values)
        return LogDensity(found.total - found.by_site["beta"], found.by_site, found.gradient)


class ComplexDensity(Sound):
    def log_density(self, regression, data, values):
        found = super().log_density(regression, data, values)
        return LogDensity(found.total + 0j, found.by_site, found.gradient)


class ComplexTerms(Sound):
    def log_density(self, regression, data, values):
        found = super().log_density(regression, data, values)
        return LogDensity(found.total, {name: v + 0j for name, v in found.by_site.items()}, found.gradient)


class GradientOfNowhere(_Density):
    def wrong(self, regression, values):
        return {"gradient_of": "the logarithms"}


class TotalAlone(Sound):
    """No fault: it gives no terms, as a density that is compiled in one piece."""

    def log_density(self, regression, data, values):
        return LogDensity(super().log_density(regression, data, values).total)


class TotalOfAnotherPrior(TotalAlone):
    def log_density(self, regression, data, values):
        return super().log_density(dataclasses.replace(regression, beta=(Normal(0.0, 11.0),)), data, values)


class GradientUnconstrained(Sound):
    """No fault: of the numbers that the core's transforms take, as samplers climb; here by differences."""

    says = "unconstrained"

    def climbs(self, total, log_det):
        return total + log_det

    def log_density(self, regression, data, values):
        slots, joint = regression.slots(), specification.LogJoint(regression, data)
        u = unconstrain(slots, values, np)
        step = 1e-5 * np.eye(u.size)
        ends = []
        for side in (u + step, u - step):
            moved, log_det = constrain(slots, side, np)
            ends.append(self.climbs(joint(moved), log_det))
        slopes = (ends[0] - ends[1]) / 2e-5
        by_site = {slot.site: slopes[slot.start : slot.stop].reshape(slot.shape) for slot in slots}
        return LogDensity(float(joint(values)), gradient=by_site, gradient_of=self.says)


class JacobianLeftOut(GradientUnconstrained):
    def climbs(self, total, log_det):
        return total


class GradientSaidToBeConstrained(GradientUnconstrained):
    says = "constrained"


class GradientSaidToBeUnconstrained(_Density):
    def wrong(self, regression, values):
        return {"gradient_of": "unconstrained"}


class GradientInOnePiece(_Density):
    def wrong(self, regression, values):
        return {"gradient": np.zeros(3)}


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


class LongDoubleDraws(Sound):
    def labelled(self, fit, draws, exact):
        return dataclasses.replace(
            super().labelled(fit, draws, exact), draws={name: v.astype(np.longdouble) for name, v in draws.items()}
        )


class OneDraw(Sound):
    def changed(self, regression, draws, rng):
        return {name: v[:1, :1] for name, v in draws.items()}


class SecondsInWords(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return dataclasses.replace(super().fit(regression, data, method, seed=seed), seconds={"compile": "long"})


class LossesInWords(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return dataclasses.replace(super().fit(regression, data, method, seed=seed), losses="falling")


class IteratesOfOtherNames(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return dataclasses.replace(super().fit(regression, data, method, seed=seed), iterates={"mu": np.ones((2, 3))})


class KillsItsProcess(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        os.kill(os.getpid(), signal.SIGKILL)


class LeavesQuietly(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        os._exit(0)


class Hangs(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        time.sleep(3600)


class Chatters(Sound):
    """No fault: it prints a great deal, some of it like the messages of a worker."""

    def fit(self, regression, data, method, *, seed, progress=None):
        for _ in range(20_000):
            print('{"step": "not a number"}')
            os.write(1, b"straight to the descriptor\n")
        return super().fit(regression, data, method, seed=seed)


class Lies(Sound):
    """No fault of form: enough draws, in perfect health, of something else."""

    def changed(self, regression, draws, rng):
        return {name: np.exp(rng.normal(0.0, 1.0, v.shape)) for name, v in draws.items()}


class NeedsWhatIsAbsent(Sound):
    """Its library is not installed."""


class FailsToImport(Sound):
    def __init__(self):
        import bayescore_faulty_engine  # noqa: F401


class RaisesInLimits(Sound):
    """Its declaration fails when it is asked what it can't do."""


class Braces(Sound):
    """No fault: its declared variable has braces of its own."""

    def fit(self, regression, data, method, *, seed, progress=None):
        assert os.environ["FAULTY"] == "{nowhere}"
        return super().fit(regression, data, method, seed=seed)


def _limits(regression, method):
    raise LookupError("no table\nof limits")


def _all():
    pending, found = [Sound], []
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if not cls.__name__.startswith("_"):
            found.append(cls)
    return found


def name_of(cls):
    """The backend's name."""
    return "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")


@hookimpl
def bayescore_backends():
    for cls in _all():
        yield BackendInfo(
            name=name_of(cls),
            factory=lambda precision, cls=cls: cls(),
            supports={
                "family:Gaussian",
                "link:identity",
                "prior:coefficient:Normal",
                "prior:auxiliary:HalfNormal",
                "method:nuts",
                "method:svi",
                "method:laplace",
                "method:exact",
                "guide:mean_field",
                "feature:offset",
                "feature:log_density",
                "precision:float64",
            },
            gaps={"method:map": "not yet: faulty has no optimizer"},
            limits=_limits if cls is RaisesInLimits else no_limits,
            requires=("bayescore_faulty_engine",) if cls is NeedsWhatIsAbsent else (),
            default_method=_METHODS.get(name_of(cls), "nuts"),
            environment={"FAULTY": "{nowhere}"} if cls is Braces else {},
        )


_METHODS = {
    "iterates_of_other_names": "svi",
    "moments_of_other_names": "laplace",
    "nan_moments": "laplace",
    "moments_of_wrong_shape": "laplace",
    "draws_moved": "laplace",
    "variance_in_moments": "exact",
    "no_correlations": "exact",
    "other_log_joint": "exact",
}
"""Where a fault shows with another method than NUTS."""
