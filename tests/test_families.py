"""The families: likelihoods, gradients, links, supports, means, draws."""

from dataclasses import replace

import numpy as np
import pytest
from autograd import elementwise_grad
from scipy import special, stats

from bayescore.errors import DataError, RequestError
from bayescore.model import families
from bayescore.model.data import Data, from_arrays
from bayescore.model.families import (
    FAMILIES,
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Exponential,
    Gamma,
    Gaussian,
    NegativeBinomial,
    Ordinal,
    Poisson,
    StudentT,
)

ETA = np.array([-3.0, -0.7, 0.0, 0.4, 2.5])
EXTREME = np.array([-40.0, -25.0, 25.0, 40.0])
TRIALS = 9.0
INVERSE_LINKS = {
    "logit": special.expit,
    "probit": special.ndtr,
    "cloglog": lambda eta: -np.expm1(-np.exp(eta)),
}


def of_probability(make):
    return lambda link: lambda eta: make(INVERSE_LINKS[link](eta))


def of_positive(make):
    return lambda eta, c=1.0: make(np.exp(eta), c)


NUMBERS = {
    "Gaussian": stats.norm,
    "StudentT": lambda eta, sigma, df: stats.t(df, eta, sigma),
    "Poisson": lambda eta: stats.poisson(np.exp(eta)),
    "NegativeBinomial": of_positive(lambda m, c: stats.nbinom(c, c / (c + m))),
    "Gamma": of_positive(lambda m, c: stats.gamma(c, scale=m / c)),
    "Exponential": of_positive(lambda m, c: stats.expon(scale=m)),
    "Beta": lambda eta, c: stats.beta(c * special.expit(eta), c * special.expit(-eta)),
}
SUCCESSES = {
    "Bernoulli": of_probability(stats.bernoulli),
    "Binomial": of_probability(lambda p: stats.binom(int(TRIALS), p)),
}
AUXILIARIES = {"sigma": (0.03, 1.0, 7.0), "df": (1.3, 4.0, 60.0), "concentration": (0.4, 2.5, 80.0)}
RESPONSES = {
    "Gaussian": (-30.0, -0.4, 0.0, 8.0),
    "StudentT": (-30.0, -0.4, 0.0, 8.0),
    "Bernoulli": (0.0, 1.0),
    "Binomial": (0.0, 1.0, 4.0, 9.0),
    "Poisson": (0.0, 1.0, 7.0, 60.0),
    "NegativeBinomial": (0.0, 1.0, 7.0, 60.0),
    "Gamma": (1e-3, 0.4, 1.0, 30.0),
    "Exponential": (1e-3, 0.4, 1.0, 30.0),
    "Beta": (1e-3, 0.4, 0.5, 0.999),
}


def settings():
    """Each family but those with categories, with each link and several auxiliary parameters."""
    for name, cls in FAMILIES.items():
        if cls.categorical:
            continue
        for link in cls.links:
            for k in range(3 if cls.auxiliaries else 1):
                given = {a: np.array(AUXILIARIES[a][k]) for a in cls.auxiliaries}
                yield cls(link=link), given | ({"trials": TRIALS} if name == "Binomial" else {})


def scipys(family, eta, given):
    """The response's distribution, as SciPy has it."""
    if family.name in SUCCESSES:
        return SUCCESSES[family.name](family.link)(eta)
    return NUMBERS[family.name](eta, *(given[a] for a in family.auxiliaries))


CASES = list(settings())
IDS = [f"{family.name}-{family.link}-" + "-".join(f"{v:g}" for v in given.values()) for family, given in CASES]


def log_density(of, y):
    return of.logpmf(y) if hasattr(of, "logpmf") and not hasattr(of.dist, "logpdf") else of.logpdf(y)


@pytest.mark.parametrize("family, given", CASES, ids=IDS)
def test_log_density_is_scipys(family, given):
    for y in RESPONSES[family.name]:
        ours = family.log_prob(np.full(ETA.shape, y), ETA, given)
        np.testing.assert_allclose(ours, log_density(scipys(family, ETA, given), y), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("family, given", CASES, ids=IDS)
def test_the_mean_is_scipys(family, given):
    np.testing.assert_allclose(family.mean(ETA, given), scipys(family, ETA, given).mean(), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("family, given", CASES, ids=IDS)
def test_draws_follow_the_density(family, given):
    """Uniform by their distribution function, jumps filled at random: each case is wrongly accused 1 time in 10^4."""
    rng = np.random.default_rng(2)
    eta = np.linspace(-1.0, 1.5, 3000)
    of = scipys(family, eta, given)
    drawn = family.sample(rng, eta, given)
    assert drawn.shape == eta.shape
    below, upto = (of.cdf(drawn - 1), of.cdf(drawn)) if hasattr(of.dist, "logpmf") else (of.cdf(drawn), of.cdf(drawn))
    uniform = below + rng.random(eta.size) * (upto - below)
    assert stats.kstest(uniform, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("family, given", CASES, ids=IDS)
def test_far_out_neither_density_nor_slope_is_lost(family, given):
    for y in RESPONSES[family.name]:
        at = np.full(EXTREME.shape, y)
        density = family.log_prob(at, EXTREME, given)
        slope = elementwise_grad(lambda eta, at=at: family.log_prob(at, eta, given))(EXTREME)
        assert np.all(np.isfinite(density))
        assert np.all(np.isfinite(slope))
        assert np.all(np.isfinite(family.mean(EXTREME, given)))
        h = 1e-4
        numeric = (family.log_prob(at, EXTREME + h, given) - family.log_prob(at, EXTREME - h, given)) / (2 * h)
        np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("link, success, failure", [
    ("logit", special.log_expit, lambda eta: special.log_expit(-eta)),
    ("probit", stats.norm.logcdf, stats.norm.logsf),
    ("cloglog", lambda eta: np.where(eta < 0, eta, 0.0), lambda eta: -np.exp(eta)),
])  # fmt: skip
def test_successes_keep_their_digits_far_out(link, success, failure):
    for family, given in ((Bernoulli(link), {}), (Binomial(link), {"trials": 1.0})):
        np.testing.assert_allclose(family.log_prob(np.ones(4), EXTREME, given), success(EXTREME), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(family.log_prob(np.zeros(4), EXTREME, given), failure(EXTREME), rtol=1e-9, atol=1e-9)
    beyond = np.array([-800.0, 800.0])
    for y in (0.0, 1.0):
        assert not np.any(np.isnan(Bernoulli(link).log_prob(np.full(2, y), beyond, {})))
        slope = elementwise_grad(lambda eta, y=y: Bernoulli(link).log_prob(np.full(2, y), eta, {}))(beyond)
        assert not np.any(np.isnan(slope))
    np.testing.assert_array_equal(Bernoulli(link).mean(beyond, {}), [0.0, 1.0])


def test_bernoulli_is_a_binomial_of_one_trial():
    for link in Bernoulli.links:
        for y in (np.zeros(5), np.ones(5)):
            one = Binomial(link).log_prob(y, ETA, {"trials": np.ones(5)})
            np.testing.assert_allclose(Bernoulli(link).log_prob(y, ETA, {}), one, rtol=1e-14)


@pytest.mark.parametrize("family, given", CASES, ids=IDS)
def test_autograd_gives_the_slope_in_each_argument(family, given):
    y = np.full(ETA.shape, RESPONSES[family.name][1])
    h = 1e-5
    free = {name: value for name, value in given.items() if name != "trials"}
    for name in ("eta", *free):

        def value(x, name=name):
            eta = x if name == "eta" else ETA
            return family.log_prob(y, eta, given if name == "eta" else {**given, name: x})

        at = ETA if name == "eta" else np.full(ETA.shape, float(free[name]))
        slope = (value(at * (1 + h) + h) - value(at * (1 - h) - h)) / (2 * h * (at + 1))
        np.testing.assert_allclose(elementwise_grad(value)(at), slope, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("family, given", CASES, ids=IDS)
def test_many_draws_at_once_are_the_draws_one_by_one(family, given):
    rng = np.random.default_rng(1)
    eta, y = rng.normal(size=(2, 3, 5)), np.resize(RESPONSES[family.name], 5)
    many = {a: rng.random((2, 3, 1)) + 0.5 for a in family.auxiliaries}
    rest = {"trials": np.full(5, TRIALS)} if "trials" in given else {}
    together = family.log_prob(y, eta, many | rest)
    drawn = family.sample(rng, eta, many | rest)
    assert together.shape == drawn.shape == family.mean(eta, many | rest).shape == (2, 3, 5)
    for i, j in np.ndindex(2, 3):
        alone = family.log_prob(y, eta[i, j], {a: v[i, j] for a, v in many.items()} | rest)
        np.testing.assert_allclose(together[i, j], alone, rtol=1e-14)


@pytest.mark.parametrize(
    "text, family",
    [
        ("gaussian", Gaussian()),
        ("Gaussian(sigma=0.1)", Gaussian(sigma=0.1)),
        ("Gaussian(0.1)", Gaussian(sigma=0.1)),
        ("BERNOULLI", Bernoulli()),
        ("Bernoulli(link=logit)", Bernoulli()),
        ("bernoulli(probit)", Bernoulli("probit")),
        ("Binomial(link=cloglog)", Binomial("cloglog")),
        ("studentt(df=4)", StudentT(df=4)),
        ("StudentT(df=4, sigma=0.5)", StudentT(4, 0.5)),
        ("negativebinomial(concentration=2.5)", NegativeBinomial(2.5)),
        ("poisson", Poisson()),
        ("gamma", Gamma()),
        ("exponential", Exponential()),
        ("beta(concentration=3)", Beta(3)),
        ("ordinal", Ordinal()),
        ("categorical", Categorical()),
    ],
)
def test_a_family_is_read_and_its_writing_is_read_again(text, family):
    assert families.parse(text) == family
    assert families.parse(str(family)) == family


def test_a_fixed_auxiliary_is_not_free():
    assert Gaussian().free == ("sigma",)
    assert Gaussian(sigma=2).free == ()
    assert Gaussian(sigma=2).fixed == {"sigma": 2}
    assert StudentT(df=4).free == ("sigma",)
    assert StudentT().free == ("sigma", "df")


@pytest.mark.parametrize(
    "text, message",
    [
        ("gausian", "did you mean 'Gaussian'"),
        ("Gaussian(sigma=0)", "sigma must be a positive number"),
        ("Gaussian(sigma=-1)", "sigma must be a positive number"),
        ("Gaussian(sigma=1e999)", "sigma must be a positive number"),
        ("Gaussian(sigma=small)", "sigma must be a positive number"),
        ("Gaussian(sigma=HalfNormal(1))", "sigma must be a positive number"),
        ("StudentT(df=0)", "df must be a positive number"),
        ("NegativeBinomial(concentration=-2)", "concentration must be a positive number"),
        ("Beta(concentration=True)", "concentration must be a positive number"),
        ("Gaussian(link=log)", "unknown link 'log'"),
        ("Bernoulli(link=logti)", "did you mean 'logit'"),
        ("Binomial(link=probitt)", "did you mean 'probit'"),
        ("Poisson(link=identity)", "unknown link 'identity'"),
        ("Categorical(link=logit)", "unknown link 'logit'"),
        ("Bernoulli(sigma=1)", "no setting 'sigma'"),
        ("Poisson(concentration=1)", "no setting 'concentration'"),
        ("Gaussian(", "can't read"),
    ],
)
def test_a_wrong_family_is_refused_with_a_reason(text, message):
    with pytest.raises(RequestError, match=message):
        families.parse(text)


def response(y, **more):
    data = from_arrays(np.empty((len(y), 0)), y, response="passed")
    return replace(data, **{name: value if name == "categories" else np.asarray(value) for name, value in more.items()})


@pytest.mark.parametrize(
    "family, y, more, message",
    [
        (Bernoulli(), [0, 1, 2, 1], {}, r"'passed' must be 0 or 1 for Bernoulli; row 3 is 2 \(1 such rows\)"),
        (Bernoulli(), [0.5, 0, 1], {}, "row 1 is 0.5"),
        (Gaussian(), [4.2, 4.2], {}, r"'passed' is constant \(4.2\)"),
        (StudentT(df=4), [4.2, 4.2], {}, r"'passed' is constant \(4.2\)"),
        (Binomial(), [1, 2], {}, "Binomial needs the trials of 'passed': write 'proportion"),
        (Binomial(), [1, 5], {"trials": [3.0, 4.0]}, "must be at most the trials for Binomial; row 2 is 5"),
        (Binomial(), [1, -1], {"trials": [3.0, 4.0]}, "a whole number of successes for Binomial; row 2 is -1"),
        (Binomial(), [0.5, 1], {"trials": [3.0, 4.0]}, "a whole number of successes for Binomial; row 1 is 0.5"),
        (Binomial(), [0, 0], {"trials": [3.0, 0.0]}, "trials must be whole numbers of at least 1; row 2 is 0"),
        (Binomial(), [0, 0], {"trials": [3.5, 1.0]}, "trials must be whole numbers of at least 1; row 1 is 3.5"),
        (Poisson(), [0, 3, 1.5], {}, "a whole number of at least 0 for Poisson; row 3 is 1.5"),
        (Poisson(), [0, -3, -1], {}, r"row 2 is -3 \(2 such rows\)"),
        (NegativeBinomial(), [0, 3, 1.5], {}, "a whole number of at least 0 for NegativeBinomial; row 3 is 1.5"),
        (Gamma(), [1.0, 0.0], {}, "must be positive for Gamma; row 2 is 0"),
        (Exponential(), [1.0, -2.0], {}, "must be positive for Exponential; row 2 is -2"),
        (Beta(), [0.2, 1.0], {}, "between 0 and 1, ends excluded, for Beta; row 2 is 1"),
        (Beta(), [0.0, 0.5], {}, "row 1 is 0"),
        (Ordinal(categories=3), [0, 1, 3], {"categories": ("a", "b", "c")}, "a category's number .*row 3 is 3"),
        (Ordinal(categories=3), [0, 2, 2], {"categories": ("a", "b", "c")}, "category 'b' of 'passed' never occurs"),
        (Categorical(categories=3), [0, 1, 1], {"categories": ("a", "b", "c")}, "category 'c' .* never occurs"),
        (Categorical(categories=3), [0.5, 1, 2], {"categories": ("a", "b", "c")}, "a category's number .*is 0.5"),
        (Poisson(), [0, 3], {"offset": [0.0, 1e4]}, r"the offset overflows in row 2: it is 10000.*offset\(log"),
        (NegativeBinomial(), [0, 3], {"offset": [-701.0, 0.0]}, "the offset overflows in row 1"),
        (Gamma(), [1, 3], {"offset": [800.0, 900.0]}, "the offset overflows in rows 1, 2"),
        (Exponential(), [1, 3], {"offset": [800.0, 0.0]}, "the offset overflows in row 1"),
    ],
    ids=lambda value: str(value) if hasattr(value, "links") else None,
)
def test_a_response_outside_the_support_is_refused(family, y, more, message):
    with pytest.raises(DataError, match=message) as caught:
        family.check_response(response(y, **more))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("family", [Ordinal(), Categorical()], ids=str)
def test_one_category_is_no_response(family):
    for categories in ((), ("only",)):
        with pytest.raises(DataError, match=f"at least 2 categories; 'passed' has {len(categories)}"):
            family.for_data(response([0, 0], categories=categories))
    assert family.for_data(response([0, 1, 2], categories=("a", "b", "c"))).categories == 3


def test_two_categories_are_ordered_or_a_bernoullis():
    two = response([0, 1], categories=("a", "b"))
    assert Ordinal().for_data(two).categories == 2
    with pytest.raises(DataError, match="for 3 categories or more; 'passed' has 2: use Bernoulli"):
        Categorical().for_data(two)


@pytest.mark.parametrize(
    "family, y, more",
    [
        (Gaussian(sigma=1.0), [1, 1, 1], {}),
        (StudentT(sigma=1.0), [1, 1, 1], {}),
        (Gaussian(), [1], {}),
        (Binomial(), [0, 0], {"trials": [1.0, 4.0]}),
        (Binomial(), [4, 1], {"trials": [4.0, 1.0]}),
        (Poisson(), [0, 0], {"offset": [-600.0, 600.0]}),
        (NegativeBinomial(), [0, 1e9], {}),
        (Gamma(), [1e-90, 1e90], {}),
        (Beta(), [1e-300, 1 - 1e-16], {}),
        (Ordinal(categories=2), [0, 1], {"categories": ("a", "b")}),
        (Gaussian(), [1, 2], {"offset": [1e5, -1e5]}),
        (Bernoulli(), [1, 0], {"offset": [1e5, -1e5]}),
    ],
)
def test_what_lies_within_the_support_is_accepted(family, y, more):
    family.check_response(response(y, **more))


def test_a_family_is_scaled_to_the_data_and_starts_at_their_mean():
    data = Data(np.empty((4, 0)), np.array([1.0, 2.0, 6.0, 3.0]), ())
    assert Gaussian().scale(data) == StudentT().scale(data) == (3.0, np.std(data.y))
    weighted = replace(data, weights=np.array([0.0, 0.0, 1.0, 3.0]), offset=np.array([9.0, 9.0, 2.0, 1.0]))
    assert Gaussian().scale(weighted) == (2.5, np.sqrt((1.5**2 + 3 * 0.5**2) / 4))
    for family in (Poisson(), NegativeBinomial(), Gamma(), Exponential()):
        assert family.scale(data) == (pytest.approx(np.log(12 / 4)), 1.0)
        assert family.start(data) == pytest.approx(np.log(12 / 4))
    exposed = replace(data, offset=np.log([2.0, 2.0, 1.0, 5.0]))
    assert np.isclose(Poisson().scale(exposed)[0], np.log(12 / 10))
    for family in (Bernoulli(), Binomial(), Beta(), Ordinal(categories=4), Categorical(categories=4)):
        assert family.scale(data) == (0.0, 1.0)
        assert family.scale(weighted) == (-1.25, 1.0)
    successes = replace(data, trials=np.array([2.0, 4.0, 10.0, 7.0]))
    p = 12.5 / 24
    assert np.isclose(Binomial().start(successes), special.logit(p))
    assert np.isclose(Bernoulli("cloglog").start(Data(data.x, np.array([0.0, 1, 0, 0]), ())), np.log(-np.log1p(-0.3)))
    assert abs(special.ndtr(Binomial("probit").start(successes)) - p) < 0.02
    assert np.isclose(Beta().start(replace(data, y=data.y / 10)), special.logit(0.3))
