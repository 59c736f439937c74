"""Faults of predictions."""

import dataclasses

import numpy as np
from bayescore_faulty_sound import Sound


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
