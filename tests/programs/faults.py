"""Planted faults of porting, each a change of one program of the gallery; and changes that are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shows = Literal["density", "site", "shape", "support", "role", "nothing"]
"""By what a fault is to be known: a site's log density; a site that one side lacks; a site's shape or
support; a site that only one side observes; or nothing, where the model is the same."""


@dataclass(frozen=True)
class Fault:
    """One change of one side's program.

    Attributes
    ----------
    name
        Short, in words with hyphens.
    model, side
        Which program is changed.
    old, new
        What is replaced, there exactly once, and by what.
    site
        Where the fault has to be found; empty where the model is the same.
    words
        What a porter should be told, as a regular expression, in letters of either case.
    shows
        By what it is to be known.
    rows
        The rows of ``site`` that differ, where it is one or a few; else empty.
    rename
        What makes the two the same again, as ``--rename`` takes it.
    """

    name: str
    model: str
    side: Literal["pyro", "numpyro"]
    old: str
    new: str
    site: str
    words: str
    shows: Shows = "density"
    rows: tuple[int, ...] = ()
    rename: str = ""


FAULTS = (
    # priors: another parameter, another family
    Fault("rate-for-scale-in-a-prior", "gamma_regression", "numpyro", "Gamma(2.0, 0.1)", "Gamma(2.0, 10.0)",
          "k", "rate.*scale|scale.*rate"),
    Fault("rate-for-scale-exponential", "correlated_effects", "pyro", "Exponential(2.0)", "Exponential(0.5)",
          "sigma", "rate.*scale|scale.*rate|rate"),
    Fault("gamma-for-inverse-gamma", "autoregression", "numpyro", "InverseGamma(3.0, 2.0)", "Gamma(3.0, 2.0)",
          "sigma2", "InverseGamma.*Gamma|inverse"),
    Fault("variance-as-sd-in-a-prior", "correlated_effects", "numpyro", "Normal(0.0, 2.0)", "Normal(0.0, 4.0)",
          "mean", "squared|variance|scale"),
    Fault("precision-as-sd-in-a-prior", "eight_schools_centred", "numpyro", "Normal(0.0, 5.0)", "Normal(0.0, 0.04)",
          "mu", "precision|scale"),
    Fault("prior-tenfold", "hierarchical_logistic", "pyro", 'sample("beta", dist.Normal(0.0, 1.0))',
          'sample("beta", dist.Normal(0.0, 10.0))', "beta", "10|scale"),
    Fault("prior-left-flat", "autoregression", "pyro", "dist.Normal(0.0, 2.0))", "dist.Normal(0.0, 2.0).mask(False))",
          "mu", "missing|flat|no prior"),
    Fault("prior-moved", "item_response", "numpyro", "LogNormal(0.0, 0.5)", "LogNormal(1.0, 0.5)",
          "discrimination", "loc|shift|location"),
    Fault("half-normal-for-half-cauchy", "eight_schools_noncentred", "pyro", "HalfCauchy(5.0)", "HalfNormal(5.0)",
          "tau", "HalfCauchy.*HalfNormal|HalfNormal.*HalfCauchy"),
    Fault("degrees-of-freedom", "horseshoe", "numpyro", "StudentT(3.0, 0.0, 2.5)", "StudentT(4.0, 0.0, 2.5)",
          "alpha", "df|degrees"),
    Fault("arguments-in-another-order", "horseshoe", "pyro", "StudentT(3.0, 0.0, 2.5)", "StudentT(0.5, 3.0, 2.5)",
          "alpha", "df|loc|degrees"),
    Fault("lkj-concentration-left-out", "correlated_effects", "numpyro", "LKJCholesky(2, 2.0)", "LKJCholesky(2)",
          "L", "concentration"),
    Fault("concentrations-swapped", "mixture", "numpyro", "[2.0, 4.0]", "[4.0, 2.0]",
          "weights", "order|concentration|swapped"),
    Fault("beta-arguments-swapped", "zero_inflated_poisson", "pyro", "Beta(2.0, 4.0)", "Beta(4.0, 2.0)",
          "gate", "swapped|concentration"),
    Fault("precision-prior-rate", "network", "pyro", "Gamma(4.0, 0.2)", "Gamma(4.0, 5.0)",
          "precision", "rate.*scale|scale.*rate"),
    # supports
    Fault("cauchy-for-half-cauchy", "eight_schools_noncentred", "numpyro", "HalfCauchy(5.0)", "Cauchy(0.0, 5.0)",
          "tau", "support|positive", "support"),
    Fault("uniform-for-half-normal", "gaussian_process", "numpyro", "HalfNormal(0.5)", "Uniform(0.0, 10.0)",
          "noise", "support|10", "support"),
    Fault("truncated-prior", "hierarchical_logistic", "numpyro", 'sample("beta", dist.Normal(0.0, 1.0))',
          'sample("beta", dist.TruncatedNormal(0.0, 1.0, low=0.0))', "beta", "support|truncated|positive", "support"),
    Fault("cutpoints-not-ordered", "ordered_logistic", "numpyro",
          "dist.TransformedDistribution(free, OrderedTransform()))", "free).sort()",
          "cutpoints", "support|ordered", "support"),
    Fault("narrower-interval", "autoregression", "pyro", "Uniform(-1.0, 1.0)", "Uniform(0.0, 1.0)",
          "phi", "support|-1|low", "support"),
    # sites
    Fault("prior-forgotten", "horseshoe", "numpyro", 'sigma = numpyro.sample("sigma", dist.Exponential(1.0))',
          "sigma = 1.0", "sigma", "missing|only", "site"),
    Fault("intercept-dropped", "gamma_regression", "pyro",
          'alpha = pyro.sample("alpha", dist.Normal(0.0, 2.0))', "alpha = 0.0", "alpha", "missing|only", "site"),
    Fault("site-renamed", "item_response", "pyro", '"discrimination"', '"a"',
          "discrimination", "rename|missing|only", "site", rename="a=discrimination"),
    Fault("observation-forgotten", "ordered_logistic", "numpyro", ", obs=y", "",
          "obs", "observed|sampled|obs=", "role"),
    Fault("likelihood-twice-under-two-names", "mixture", "pyro",
          '        pyro.sample("obs"',
          '        pyro.sample("again", dist.Normal(loc[z], scale[z]), obs=y)\n        pyro.sample("obs"',
          "again", "only|missing|twice", "site"),
    # shapes
    Fault("to-event-forgotten", "network", "numpyro", ".expand([x.shape[1]]).to_event(1)", "",
          "hidden.weight", "shape", "shape"),
    Fault("plate-of-another-dimension", "hierarchical_logistic", "numpyro", 'plate("groups", groups)',
          'plate("groups", groups, dim=-2)', "z", "shape|plate|dim", "shape"),
    Fault("plate-forgotten", "eight_schools_centred", "pyro",
          '    with pyro.plate("schools", len(y)):\n        theta = pyro.sample("theta", dist.Normal(mu, tau))\n',
          '    theta = pyro.sample("theta", dist.Normal(mu, tau))\n    with pyro.plate("schools", len(y)):\n',
          "theta", "shape|plate", "shape"),
    Fault("one-scale-for-each", "gaussian_process", "pyro", "dist.Normal(0.0, 0.5)",
          "dist.Normal(0.0, 0.5).expand([1]).to_event(1)", "log_scale", "shape", "shape"),
    Fault("row-lost", "gamma_regression", "numpyro", "    alpha =", "    x, y = x[1:], y[1:]\n    alpha =",
          "obs", "shape|30.*29|29.*30|rows", "shape"),
    # likelihoods: the distribution and its parameters
    Fault("rate-for-scale-in-a-likelihood", "gamma_regression", "pyro", "Gamma(k, k / mu)", "Gamma(k, mu / k)",
          "obs", "rate.*scale|scale.*rate"),
    Fault("sd-given-a-variance", "autoregression", "numpyro", ", jnp.sqrt(sigma2)), obs", ", sigma2), obs",
          "obs", "squared|variance|scale"),
    Fault("sd-given-a-precision", "network", "numpyro", "precision**-0.5", "precision", "obs", "precision|scale"),
    Fault("variance-given-an-sd", "gaussian_process", "numpyro", "noise**2", "noise", "obs", "squared|covariance"),
    Fault("scale-for-its-square", "gaussian_process", "pyro", "scale**2 *", "scale *", "obs", "covariance|squared"),
    Fault("lengthscale-not-squared", "gaussian_process", "numpyro", " / lengthscale**2", " / lengthscale",
          "obs", "covariance|squared"),
    Fault("another-jitter", "gaussian_process", "numpyro", "1e-6", "1e-3", "obs", "covariance"),
    Fault("exp-forgotten", "gaussian_process", "numpyro", "jnp.exp(log_scale)", "log_scale",
          "obs", "covariance|log|exp"),
    Fault("logit-and-probit", "hierarchical_logistic", "pyro", "Bernoulli(logits=eta)",
          "Bernoulli(probs=dist.Normal(0.0, 1.0).cdf(eta))", "obs", "probs"),
    Fault("link-swapped", "gamma_regression", "numpyro", "mu = jnp.exp(alpha + x @ beta)",
          "mu = jnp.logaddexp(0.0, alpha + x @ beta)", "obs", "rate"),
    Fault("gate-and-its-complement", "zero_inflated_poisson", "numpyro", "ZeroInflatedPoisson(gate,",
          "ZeroInflatedPoisson(1 - gate,", "obs", "gate"),
    Fault("inflation-forgotten", "zero_inflated_poisson", "pyro", "ZeroInflatedPoisson(rate, gate=gate)",
          "Poisson(rate)", "obs", "Poisson"),
    Fault("log-twice", "zero_inflated_poisson", "numpyro", "jnp.log(exposure)", "jnp.log(jnp.log(exposure))",
          "obs", "rate"),
    Fault("log-forgotten", "zero_inflated_poisson", "pyro", "torch.log(exposure)", "exposure", "obs", "rate"),
    Fault("likelihood-twice", "ordered_logistic", "pyro", 'with pyro.plate("rows", len(y)):',
          'with pyro.plate("rows", len(y)), pyro.poutine.scale(scale=2.0):', "obs", "twice|doubl|two times|2 times"),
    Fault("slope-and-intercept-form", "item_response", "pyro", "discrimination * (ability - difficulty)",
          "discrimination * ability - difficulty", "obs", "probs|logits"),
    Fault("cutpoints-reversed", "ordered_logistic", "numpyro", "(x @ beta, cutpoints)", "(x @ beta, -cutpoints[::-1])",
          "obs", "cutpoints|probs|reversed|order"),
    Fault("sign-of-the-predictor", "ordered_logistic", "pyro", "(x @ beta, cutpoints)", "(-(x @ beta), cutpoints)",
          "obs", "predictor|probs|sign"),
    Fault("components-swapped", "mixture", "numpyro", "dist.Normal(loc[z], scale[z])",
          "dist.Normal(loc[z], scale[1 - z])", "obs", "scale|order|swapped"),
    # indices, columns and rows
    Fault("weights-transposed", "network", "pyro", "* weight)", "* weight.T)", "obs", "transposed|loc"),
    Fault("columns-permuted", "horseshoe", "pyro", "x @ beta", "x.flip(-1) @ beta", "obs", "order|loc|permuted"),
    Fault("index-off-by-one", "hierarchical_logistic", "numpyro", "alpha[group]", "alpha[group - 1]",
          "obs", "probs|index|shifted|logits"),
    Fault("index-from-one", "hierarchical_logistic", "numpyro", "alpha[group]", "alpha[group + 1]",
          "obs", "probs|index|shifted|logits"),
    Fault("index-by-one-column", "correlated_effects", "pyro", "effects[group, 1] * x", "effects[group, 0] * x",
          "obs", "loc"),
    Fault("lag-off-by-one", "autoregression", "numpyro", "(y[:-1] - mu)", "(jnp.roll(y, 1)[:-1] - mu)",
          "obs", "loc|shifted"),
    Fault("lag-forgotten", "autoregression", "pyro", "(y[:-1] - mu)", "(y[1:] - mu)", "obs", "loc|shifted"),
    Fault("x-and-y-exchanged", "correlated_effects", "pyro", "    mean =", "    x, y = y, x\n    mean =",
          "obs", "values|data|observed"),
    Fault("data-in-another-order", "horseshoe", "numpyro", "obs=y)", "obs=y[::-1])", "obs", "order"),
    Fault("one-row-mistyped", "gamma_regression", "pyro", "    alpha =",
          "    y = y.clone()\n    y[17] *= 10\n    alpha =", "obs", "row 17", rows=(17,)),
    Fault("two-rows-exchanged", "eight_schools_centred", "numpyro", "    mu =",
          "    y = y.at[2].set(y[5]).at[5].set(y[2])\n    mu =", "obs", "rows 2.*5|order|exchanged",
          rows=(2, 5)),
    Fault("mask-forgotten", "zero_inflated_poisson", "numpyro", ", numpyro.handlers.mask(mask=seen)", "",
          "obs", "rows? 4.*19.*33|mask", rows=(4, 19, 33)),
    Fault("greatest-value-masked", "correlated_effects", "numpyro", 'numpyro.plate("rows", len(y))',
          'numpyro.plate("rows", len(y)), numpyro.handlers.mask(mask=y < y.max())', "obs", "row 74", rows=(74,)),
    # precision
    Fault("float32-of-the-data", "gaussian_process", "pyro", "obs=y)", "obs=y.float().double())",
          "obs", "float32|precision"),
    Fault("float32-of-a-parameter", "gamma_regression", "numpyro", "k / mu)", "k / mu.astype(jnp.float32))",
          "obs", "float32|precision"),
    # none: the model is the same
    Fault("constant-left-out", "autoregression", "numpyro", "start.log_prob(y[0])",
          "-0.5 * ((y[0] - mu) / start.scale) ** 2 - jnp.log(start.scale)", "", "constant", "nothing"),
    Fault("constant-factor", "eight_schools_noncentred", "pyro", "    mu =",
          '    pyro.factor("constant", sigma.log().sum())\n    mu =', "", "constant", "nothing"),
    Fault("exchangeable-data-sorted", "mixture", "pyro", "obs=y)", "obs=y.sort().values)", "", "order", "nothing"),
    Fault("to-event-without-consequence", "correlated_effects", "pyro",
          "dist.HalfNormal(1.0).expand([2]).to_event(1)", "dist.HalfNormal(1.0).expand([2])", "", "", "nothing"),
    Fault("probabilities-for-logits", "item_response", "pyro", "logits=discrimination * (ability - difficulty)",
          "probs=(discrimination * (ability - difficulty)).sigmoid()", "", "", "nothing"),
    Fault("truncated-normal-for-half-normal", "network", "numpyro", "dist.HalfNormal(1.0)",
          "dist.TruncatedNormal(0.0, 1.0, low=0.0)", "", "", "nothing"),
    Fault("cholesky-for-covariance", "gaussian_process", "pyro", "torch.zeros(len(x)), covariance)",
          "torch.zeros(len(x)), scale_tril=torch.linalg.cholesky(covariance))", "", "", "nothing"),
    Fault("lognormal-written-out", "mixture", "numpyro", "dist.LogNormal(0.0, 0.5)",
          "dist.TransformedDistribution(dist.Normal(0.0, 0.5), dist.transforms.ExpTransform())", "", "", "nothing"),
)  # fmt: skip
"""All of them."""
