"""A prior of many coefficients together, which shrinks most of them to nothing."""

from dataclasses import dataclass

import numpy

from bayescore.model.arrays import Array
from bayescore.model.distributions.base import Distribution, Parameter
from bayescore.model.distributions.positive import HalfStudentT, InverseGamma


@dataclass(frozen=True)
class Horseshoe(Distribution):
    """Horseshoe(scale, df, global_df, slab_scale, slab_df): the regularized horseshoe, for all of ``beta``.

    beta[j] ~ Normal(0, t l_j / sqrt(1 + t^2 l_j^2 / s)), with the local l_j ~
    HalfStudentT(df, 1), the global t ~ HalfStudentT(global_df, scale), and the slab's
    variance s ~ InverseGamma(slab_df / 2, slab_df slab_scale^2 / 2). Piironen and Vehtari
    (2017), *Sparsity information and regularization in the horseshoe and other shrinkage
    priors*, equations 2.8 and 2.9.
    """

    scale: Parameter = 1.0
    df: Parameter = 1.0
    global_df: Parameter = 1.0
    slab_scale: Parameter = 2.0
    slab_df: Parameter = 4.0

    def log_prob(self, x: Array) -> Array:
        """Not one of a coefficient alone: `bayescore.model.sites.Shrunken` has it, given scales."""
        raise NotImplementedError

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        scale = self.global_scale.sample(rng, ()) * self.local.sample(rng, shape)
        slab = self.slab.sample(rng, ())
        return rng.normal(0.0, scale / numpy.sqrt(1.0 + scale**2 / slab), shape)

    @property
    def local(self) -> HalfStudentT:
        """Prior of each coefficient's own scale."""
        return HalfStudentT(self.df, 1.0)

    @property
    def global_scale(self) -> HalfStudentT:
        """Prior of the scale that all coefficients share."""
        return HalfStudentT(self.global_df, self.scale)

    @property
    def slab(self) -> InverseGamma:
        """Prior of the slab's variance."""
        return InverseGamma(self.slab_df / 2, self.slab_df * self.slab_scale**2 / 2)
