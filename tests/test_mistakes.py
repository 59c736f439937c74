"""A wrong density is named by the mistake that was likely made, with the number that it must have had."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from declared import NUMBERS, problems

from bayescore.agreement.model_check import ModelCheck, check
from bayescore.backend import LogDensity
from bayescore.density import specification, terms
from bayescore.density.specification import log_density
from bayescore.model.data import Membership, from_arrays
from bayescore.model.distributions import DISTRIBUTIONS, Distribution, Normal
from bayescore.model.families import Binomial, Gaussian
from bayescore.model.regression import Regression
from bayescore.regressions.points import points
from bayescore.tables import problem
from bayescore.tables.problem import Problem

KEPT: dict = {}
RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 2))
DATA = from_arrays(X, 0.4 + X @ [0.5, -0.3] + RNG.normal(0.0, 0.8, 40))
STATED = {
    cls: cls(**{f.name: NUMBERS.get(f.name, 1.7) for f in fields(cls)})
    for name, cls in DISTRIBUTIONS.items()
    if name not in {"AtMeans", "Flat", "Horseshoe", "LKJ", "Uniform"}
}


@cache
def with_prior(prior: Distribution) -> tuple[Problem, str]:
    """A regression where one site has this prior, and that site."""
    auxiliary, intercept = Normal(0.1, 2.3), Normal(0.1, 2.3)
    site = "intercept" if prior.support == "real" else "sigma"
    if site == "intercept":
        return problem.from_data(DATA, priors={"intercept": prior, "beta": auxiliary, "sigma": "Gamma(2, 3)"}), site
    return problem.from_data(DATA, priors={"intercept": intercept, "beta": auxiliary, "sigma": prior}), site


def densities(honest: Problem):
    """The points, and the specification's densities there; kept, since many tests want the same."""
    if id(honest) not in KEPT:
        at = points(honest.regression, honest.data)
        KEPT[id(honest)] = honest, at, [log_density(honest.regression, honest.data, point) for point in at]
    return KEPT[id(honest)][1:]


def told(honest: Problem, site: str, change) -> ModelCheck:
    """What is said of a backend whose term at a point is ``change(its own value, the right term)``."""
    at, rights = densities(honest)
    found = []
    for point, right in zip(at, rights, strict=True):
        terms = {**right.by_site, site: float(change(point[site], right.by_site[site]))}
        found.append(LogDensity(sum(terms.values()), terms))
    return check("wrong", honest.target, at, found)


def misread(prior: Distribution):
    """Each number of a prior read otherwise, or simply another."""
    for field in fields(prior):
        value = float(getattr(prior, field.name))
        ways = [(become, how) for how, become, _ in terms.READINGS.get(field.name, terms.OTHER)]
        other = value + 0.37 if field.name == "loc" else 1.37 * value
        for become, how in [*ways, (lambda v, other=other: other, "another")]:
            new = float(become(np.float64(value)))
            yield f"{type(prior).__name__}-{field.name}-{how}", prior, field.name, value, new


MISREAD = [case for prior in STATED.values() for case in misread(prior)]


@pytest.mark.parametrize(("prior", "field", "value", "new"), [c[1:] for c in MISREAD], ids=[c[0] for c in MISREAD])
def test_a_number_of_a_prior_is_named_with_what_it_was(prior, field, value, new):
    honest, site = with_prior(prior)
    wrong = replace(prior, **{field: new})
    found = told(honest, site, lambda x, right: wrong.log_prob(x))
    assert (found.verdict, found.site) == ("different", site)
    assert found.pattern.startswith(f"as if the {field} were {new:.4g}")
    assert f"instead of {value:g}" in found.pattern


GENERAL = {
    "forgotten": (lambda x, right: 0.0, "as if it had no prior"),
    "twice": (lambda x, right: 2.0 * right, "the prior is counted 2 times"),
    "subtracted": (lambda x, right: -right, "the prior is counted -1 times"),
    "infinite": (lambda x, right: right if x < 0.6 else -np.inf, "it is -inf at "),
}


@pytest.mark.parametrize("mistake", GENERAL)
@pytest.mark.parametrize("prior", STATED.values(), ids=str)
def test_what_befalls_any_prior_is_named(prior, mistake):
    honest, site = with_prior(prior)
    change, words = GENERAL[mistake]
    found = told(honest, site, change)
    assert (found.verdict, found.site) == ("different", site)
    assert found.pattern.startswith(words)


POSITIVE = [prior for prior in STATED.values() if prior.support == "positive"]


@pytest.mark.parametrize("prior", POSITIVE, ids=str)
def test_log_sigma_for_sigma_is_named(prior):
    honest, site = with_prior(prior)
    found = told(honest, site, lambda x, right: right + np.log(x))
    assert found.pattern == "the Jacobian of its logarithm is in it, as in a density of the unconstrained parameter"
    found = told(honest, site, lambda x, right: right - np.log(x))
    assert found.pattern == "the Jacobian of its logarithm is taken off"
    with np.errstate(invalid="ignore"):
        of_log = told(honest, site, lambda x, right: prior.log_prob(np.log(x)))
    assert "NaN" in of_log.pattern.replace("nan", "NaN") or of_log.pattern.startswith(
        "as if the prior were that of its log"
    )


def test_a_half_prior_without_its_log_2_is_the_same_and_said():
    for prior in POSITIVE:
        honest, site = with_prior(prior)
        found = told(honest, site, lambda x, right: right - np.log(2.0))
        assert found.verdict == "same"
        half = type(prior).__name__.startswith("Half")
        assert found.pattern == ("sigma is without the log 2 of a half prior" if half else None)


def test_another_family_of_the_same_numbers_is_named():
    honest, site = with_prior(Normal(0.3, 1.7))
    cauchy = DISTRIBUTIONS["Cauchy"](0.3, 1.7)
    assert (
        told(honest, site, lambda x, right: cauchy.log_prob(x)).pattern
        == "as if it were Cauchy(0.3, 1.7) instead of Normal(0.3, 1.7)"
    )
    both = Normal(-0.4, 0.6)
    assert (
        told(honest, site, lambda x, right: both.log_prob(x)).pattern
        == "as if it were Normal(-0.4, 0.6) instead of Normal(0.3, 1.7)"
    )


COEFFICIENTS = {
    "one forgotten": (
        (Normal(0, 2.5), Normal(0.2, 4)),
        lambda x, p: p[0].log_prob(x[0]),
        "as if beta[x2] had no prior",
    ),
    "one precision": (
        (Normal(0, 2.5), Normal(0.2, 4)),
        lambda x, p: p[0].log_prob(x[0]) + Normal(0.2, 4**-2.0).log_prob(x[1]),
        "as if the scale of beta[x2] were 0.0625 = 1 / 4^2 instead of 4: a precision given for it?",
    ),
    "all inverse": (
        (Normal(0, 2.5), Normal(0, 2.5)),
        lambda x, p: Normal(0, 0.4).log_prob(x).sum(),
        "as if the scale were 0.4 = 1 / 2.5 instead of 2.5: an inverse scale?",
    ),
    "each inverse": (
        (Normal(0, 2.5), Normal(0, 4)),
        lambda x, p: Normal(0, 0.4).log_prob(x[0]) + Normal(0, 0.25).log_prob(x[1]),
        "as if each scale v were 1 / v: an inverse scale?",
    ),
    "each larger": (
        (Normal(0, 2.5), Normal(0, 4)),
        lambda x, p: Normal(0, 7.5).log_prob(x[0]) + Normal(0, 12).log_prob(x[1]),
        "as if each scale were 3 times as large",
    ),
    "in another order": (
        (Normal(0, 2.5), Normal(1, 4)),
        lambda x, p: p[1].log_prob(x[0]) + p[0].log_prob(x[1]),
        "its priors in reverse order",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COEFFICIENTS)
def test_mistakes_with_several_coefficients_are_named(case):
    priors, term, words = COEFFICIENTS[case]
    stated = problem.from_data(
        DATA, priors={"intercept": "Normal(0, 5)", "beta": "Normal(0, 2)", "sigma": "Gamma(2, 3)"}
    )
    honest = replace(stated, regression=replace(stated.regression, beta=priors))
    found = told(honest, "beta", lambda x, right: term(x, priors))
    assert (found.verdict, found.site, found.pattern) == ("different", "beta", words)


def test_mistakes_with_a_prior_at_the_columns_means_are_named():
    """A default: it is of the intercept and of what the means add to it."""
    data = from_arrays(X + 50.0, DATA.observed)
    honest = problem.from_data(data)
    (site,) = (site for site in honest.regression.sites if site.name == "intercept")
    stated = site.priors[0].prior

    def moved(p, change):
        return change.log_prob(p["intercept"] + data.x.mean(axis=0) @ p["beta"])

    at, rights = densities(honest)
    mistaken = {
        "as if the prior were of the parameter itself, not at the columns' means": lambda p: stated.log_prob(
            p["intercept"]
        ),
        f"as if the scale were {1 / stated.scale:.4g} = 1 / ": lambda p: moved(
            p, replace(stated, scale=1 / stated.scale)
        ),
        f"as if the loc were {stated.loc + 3:.4g} instead of": lambda p: moved(p, replace(stated, loc=stated.loc + 3)),
        "as if it had no prior": lambda p: 0.0,
    }
    for words, term in mistaken.items():
        found = []
        for point, right in zip(at, rights, strict=True):
            terms = {**right.by_site, "intercept": float(term(point))}
            found.append(LogDensity(sum(terms.values()), terms))
        result = check("wrong", honest.target, at, found)
        assert (result.verdict, result.site) == ("different", "intercept")
        assert result.pattern.startswith(words)


PROBLEMS = problems()


def of_model(name: str, change) -> ModelCheck:
    """What is said of a backend whose likelihood is that of another problem."""
    honest = PROBLEMS[name]
    at = points(honest.regression, honest.data)
    found = []
    for point in at:
        right = log_density(honest.regression, honest.data, point)
        wrong = change(honest.regression, honest.data, dict(point))
        likelihood = float(wrong if np.ndim(wrong) == 0 else specification.likelihood(*wrong))
        terms = {**right.by_site, "likelihood": likelihood}
        found.append(LogDensity(sum(terms.values()), terms))
    return check("wrong", honest.target, at, found)


def likelihood(regression: Regression, data, values, **changed) -> float:
    return float(specification.likelihood(replace(regression, **changed), data, values))


def of_rows(rows):
    return lambda r, d, v: likelihood(r, d.take(rows(d.rows)), v)


def of_data(change):
    return lambda r, d, v: likelihood(r, change(d), v)


def of_values(**change):
    return lambda r, d, v: likelihood(r, d, {**v, **{name: f(v[name]) for name, f in change.items()}})


def off_by_one(data):
    (key, member), *_ = data.groups.items()
    count = 1 + int(member.index.max())
    return replace(data, groups={**data.groups, key: Membership((member.index + 1) % count, member.value)})


LIKELIHOODS = {
    "not at all": ("Gaussian-identity", lambda r, d, v: 0.0, "as if no row counted: the likelihood is left out"),
    "twice": ("Poisson-log", lambda r, d, v: 2.0 * likelihood(r, d, v), "the likelihood is counted 2 times"),
    "averaged": (
        "Poisson-log",
        lambda r, d, v: likelihood(r, d, v) / d.rows,
        "the likelihood is counted 0.01667 times: an average over the 60 rows, not their sum",
    ),
    "no offset": ("Poisson-weights-offset", of_data(lambda d: replace(d, offset=None)), "as if there were no offset"),
    "minus offset": (
        "Gaussian-weights-offset",
        of_data(lambda d: replace(d, offset=-d.offset)),
        "the offset is taken off, not added",
    ),
    "no weights": (
        "Gaussian-weights-offset",
        of_data(lambda d: replace(d, weights=None)),
        "as if there were no weights",
    ),
    "row lost": ("Bernoulli-logit", of_rows(lambda n: [k for k in range(n) if k != 16]), "as if row 17 did not count"),
    "row twice": ("Bernoulli-logit", of_rows(lambda n: [*range(n), 4]), "as if row 5 counted twice"),
    "last rows": ("Gaussian-identity", of_rows(lambda n: slice(0, n - 4)), "as if the last 4 rows did not count"),
    "first rows": ("Gaussian-identity", of_rows(lambda n: slice(3, n)), "as if the first 3 rows did not count"),
    "variance": (
        "Gaussian-identity",
        of_values(sigma=lambda s: s**2),
        "as if sigma were sigma^2: a variance given for it?",
    ),
    "precision": (
        "Gaussian-identity",
        of_values(sigma=lambda s: s**-0.5),
        "as if sigma were 1 / sqrt(sigma): taken for a precision?",
    ),
    "log sigma": (
        "StudentT-identity",
        of_values(sigma=np.exp),
        "as if sigma were exp(sigma): taken for its logarithm?",
    ),
    "fixed": (
        "Gaussian-fixed",
        lambda r, d, v: likelihood(r, d, v, family=Gaussian(sigma=2.5**0.5)),
        "as if sigma were 1.581 = sqrt(2.5): taken for a variance?",
    ),
    "inverse dispersion": (
        "NegativeBinomial-log",
        of_values(concentration=lambda c: 1.0 / c),
        "as if concentration were 1 / concentration: its inverse?",
    ),
    "link": (
        "Binomial-logit",
        lambda r, d, v: likelihood(r, d, v, family=Binomial("probit")),
        "as if the link were probit",
    ),
    "column": ("Gaussian-identity", of_values(beta=lambda b: b * [1.0, 0.0]), "the column x2 is left out"),
    "sign": ("Poisson-log", of_values(beta=lambda b: b * [-1.0, 1.0]), "the column x1 has the other sign"),
    "order": ("Poisson-log", of_values(beta=lambda b: b[::-1]), "the columns x1 and x2 are swapped"),
    "intercept": (
        "Gamma-log",
        of_values(intercept=lambda a: 0.0 * a),
        "as if intercept were left out of the linear predictor",
    ),
    "levels": ("groups-intercepts-Gaussian", of_data(off_by_one), "the levels of 1|g are off by one"),
    "categories": (
        "Ordinal-logit",
        of_data(lambda d: replace(d, y=2 - d.y)),
        "the response's categories are in reverse order",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", LIKELIHOODS)
def test_mistakes_in_the_likelihood_are_named(mistake):
    name, change, words = LIKELIHOODS[mistake]
    found = of_model(name, change)
    assert (found.verdict, found.site, found.pattern) == ("different", "likelihood", words)
