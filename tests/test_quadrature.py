"""Quadrature against scipy's, closed forms, brute force on fine grids, and its own error estimate."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special, stats

from bayescore.density.specification import LogJoint
from bayescore.errors import UnsupportedError
from bayescore.exact import posterior, quadrature
from bayescore.exact.quadrature import solve
from bayescore.model.data import Data, from_arrays
from bayescore.model.posterior import to_judged
from bayescore.tables.default_priors import state

CLOSE = 1e-8
"""In posterior sds, and nats: ten times what the quadrature itself aims at is allowed for scipy's error."""

Y01 = np.array([0.0, 1, 1, 1, 0, 1, 1])
COUNTS = np.array([3.0, 0, 2, 5, 1])
WAITS = np.array([0.3, 2.1, 0.7, 1.4])


def one_unknown():
    """Families with an intercept only: data, family, log likelihood at eta."""
    expit = special.expit
    yield "logit", Y01, "Bernoulli", lambda eta: stats.bernoulli.logpmf(Y01, expit(eta)).sum()
    yield "probit", Y01, "Bernoulli(link=probit)", lambda eta: stats.bernoulli.logpmf(Y01, special.ndtr(eta)).sum()
    yield (
        "cloglog",
        Y01,
        "Bernoulli(link=cloglog)",
        lambda eta: np.sum(Y01) * np.log(-np.expm1(-np.exp(eta))) - np.sum(1 - Y01) * np.exp(eta),
    )
    yield "Poisson", COUNTS, "Poisson", lambda eta: stats.poisson.logpmf(COUNTS, np.exp(eta)).sum()
    yield "Exponential", WAITS, "Exponential", lambda eta: stats.expon.logpdf(WAITS, scale=np.exp(eta)).sum()
    yield (
        "Gamma",
        WAITS,
        "Gamma(concentration=2.5)",
        lambda eta: stats.gamma.logpdf(WAITS, 2.5, scale=np.exp(eta) / 2.5).sum(),
    )
    yield (
        "NegativeBinomial",
        COUNTS,
        "NegativeBinomial(concentration=2.5)",
        lambda eta: stats.nbinom.logpmf(COUNTS, 2.5, 2.5 / (2.5 + np.exp(eta))).sum(),
    )
    yield "StudentT", WAITS, "StudentT(df=3, sigma=0.5)", lambda eta: stats.t.logpdf(WAITS, 3, eta, 0.5).sum()


def empty(y):
    return Data(np.empty((len(y), 0)), y, ())


def by_scipy(log_density, low=-30.0, high=30.0, points=()):
    """Log evidence, mean and sd of a density on the line."""
    left, right = max(low, -50.0), min(high, 50.0)
    for _ in range(3):  # the top, then a closer look around it
        at = np.linspace(left, right, 201)
        values = [log_density(a) for a in at]
        peak = int(np.argmax(values))
        left, right = at[max(peak - 5, 0)], at[min(peak + 5, 200)]
    top = max(values)
    ends = sorted({low, *points, left, at[peak], right, high})

    def moment(f):
        parts = pairwise(ends)
        settings = {"epsabs": 1e-15, "epsrel": 1e-12, "limit": 400}
        return sum(integrate.quad(lambda u: f(u) * np.exp(log_density(u) - top), *ab, **settings)[0] for ab in parts)

    total = moment(lambda u: 1.0)
    mean = moment(lambda u: u) / total
    return top + np.log(total), mean, np.sqrt(moment(lambda u: (u - mean) ** 2) / total)


def assert_moments(found, log_evidence, mean, sd, tolerance=10 * CLOSE):
    assert np.max(np.abs(found.mean - mean) / sd) < tolerance
    assert np.max(np.abs(found.sd / sd - 1)) < tolerance
    if log_evidence is not None:
        assert abs(found.log_evidence - log_evidence) < tolerance


@pytest.mark.parametrize(
    ("y", "family", "log_likelihood"), [c[1:] for c in one_unknown()], ids=[c[0] for c in one_unknown()]
)
def test_one_unknown_against_scipy(y, family, log_likelihood):
    found = solve(state(family, empty(y), {"intercept": "Normal(0.5, 2)"}), empty(y)).moments
    prior = stats.norm(0.5, 2)
    assert_moments(found, *by_scipy(lambda eta: log_likelihood(eta) + prior.logpdf(eta), -12.0, 8.0))
    assert found.quadrature_error < CLOSE


@pytest.mark.parametrize(
    ("prior", "frozen"),
    [
        ("StudentT(3, 1, 0.5)", stats.t(3, 1, 0.5)),
        ("Cauchy(0, 0.3)", stats.cauchy(0, 0.3)),
        ("Laplace(0, 0.2)", stats.laplace(0, 0.2)),
        ("Laplace(1.5, 0.02)", stats.laplace(1.5, 0.02)),
        ("Laplace(9, 1)", stats.laplace(9, 1)),
        ("Uniform(-1, 0.7)", stats.uniform(-1, 1.7)),
        ("Beta(2, 3)", stats.beta(2, 3)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_kind_of_prior_against_scipy(prior, frozen):
    """A likelihood that the prior meets half way, or pulls away."""
    data = empty(np.array([0.9, 1.4, 2.2]))
    found = solve(state("Gaussian(sigma=1)", data, {"intercept": prior}), data).moments
    low, high = max(frozen.support()[0], -30.0), min(frozen.support()[1], 30.0)
    loc = frozen.kwds.get("loc", frozen.args[-2])

    def log_density(eta):
        return stats.norm.logpdf(data.y, eta, 1).sum() + frozen.logpdf(eta)

    inside = (low + 1e-12, high - 1e-12)
    assert_moments(found, *by_scipy(log_density, *inside, points=(loc,) if low < loc < high else ()))


@pytest.mark.parametrize("df", [3, 5])
def test_tails_as_heavy_as_the_priors(df):
    """Where the data bound the coefficient on one side only, the other one is Student's t."""
    data = from_arrays([0.5, 1.0, 2.0], [1.0, 1.0, 1.0])
    found = solve(state("Bernoulli", data, {"beta": f"StudentT({df}, 0, 1)"}, intercept=False), data).moments

    def log_density(b):
        return -np.sum(np.logaddexp(0, -b * data.x[:, 0])) + stats.t.logpdf(b, df)

    reach = 1e9
    points = [-10.0, -1.0, 0.0, *np.geomspace(1.0, reach, 40)]
    log_evidence, mean, sd = by_scipy(log_density, -200.0, reach, points)
    rest = stats.t(df).pdf(reach) * reach**3 / (df - 2) / np.exp(log_evidence)  # of the second moment, beyond
    assert_moments(found, log_evidence, mean, np.sqrt(sd**2 + rest))


def test_an_improper_posterior_is_refused():
    data = from_arrays([0.5, 1.0, 2.0], [1.0, 1.0, 1.0])
    with pytest.raises(
        UnsupportedError, match=r"improper, or its tails are too long: .* in beta\[x\]; give it a prior"
    ):
        solve(state("Bernoulli", data, {"beta": "Flat()"}, intercept=False), data)


@pytest.mark.parametrize("df", [1, 2])
def test_a_posterior_without_a_variance_is_drawn_from(df):
    """The share of 10,000 draws up to each quantile of the posterior, integrated by scipy, to 4 standard errors."""
    data = from_arrays([0.5, 1.0, 2.0], [1.0, 1.0, 1.0])
    prior = "Cauchy(0, 1)" if df == 1 else "StudentT(2, 0, 1)"
    solved = solve(state("Bernoulli", data, {"beta": prior}, intercept=False), data)
    drawn = solved.sample(10_000, 0)
    assert (solved.moments, drawn.kind) == (None, "independent")
    t = np.linspace(-20.0, 45.0, 200_001)  # b = sinh(t) reaches 1e19
    b = np.sinh(t)
    density = stats.t.pdf(b, df) * np.exp(-np.sum(np.logaddexp(0, -np.outer(data.x[:, 0], b)), axis=0)) * np.cosh(t)
    cumulative = np.cumsum(density) / np.sum(density)
    for level in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999):
        share = np.mean(drawn.draws["beta"] <= np.interp(level, cumulative, b))
        assert abs(share - level) < 4 * np.sqrt(level * (1 - level) / 10_000)


def gaussian(free, p=1, n=12, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(2.0, 1.0, size=(n, p))
    data = Data(x, 1 + x.sum(axis=1) + rng.normal(0, 0.6, n), tuple("ab"[:p]), offset=rng.normal(size=n),
                weights=rng.uniform(0.5, 2.0, n))  # fmt: skip
    priors = {"intercept": "Normal(0, 3)", "beta": "Normal(0.5, 2)"} | ({"sigma": free} if free else {})
    return state("gaussian" if free else "Gaussian(sigma=0.7)", data, priors), data


def distance(found, expected):
    """Largest difference, in posterior sds and nats."""
    sd = np.sqrt(np.diag(expected.unconstrained_cov))
    return max(
        np.max(np.abs(found.unconstrained_mean - expected.unconstrained_mean) / sd),
        np.max(np.abs(found.unconstrained_cov - expected.unconstrained_cov) / np.outer(sd, sd)),
        np.max(np.abs(found.mean - expected.mean) / expected.sd),
        np.max(np.abs(found.sd / expected.sd - 1)),
        abs(found.log_joint - expected.log_joint),
        abs(found.log_evidence - expected.log_evidence),
    )


@pytest.mark.parametrize("sigma", [None, "Exponential(1)", "InverseGamma(3, 1)", "HalfCauchy(1)", "HalfStudentT(4, 1)"])
def test_it_finds_what_the_closed_form_does(sigma):
    regression, data = gaussian(sigma, p=1 if sigma else 2)
    found = solve(regression, data).moments
    assert found.names == regression.parameters
    assert distance(found, posterior.solve(regression, data).moments) < CLOSE


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("case", range(6))
def test_the_error_is_no_smaller_than_it_is_said_to_be(monkeypatch, tolerance, case):
    """Stopped early, it says so; held against the closed form."""
    monkeypatch.setattr(quadrature, "_TOLERANCE", tolerance)
    monkeypatch.setattr(quadrature, "_WORST", 1.0)
    regression, data = gaussian("HalfCauchy(1)" if case % 2 else None, p=1 if case % 2 else 2, n=5 + case, seed=case)
    found = solve(regression, data).moments
    error = distance(found, posterior.solve(regression, data).moments)
    assert error <= found.quadrature_error + 1e-12
    assert found.quadrature_error < tolerance


def on_grid(log_density, *axes):
    """Weights of a tensor grid, and its coordinates, each of shape (n,)."""
    at = [a.ravel() for a in np.meshgrid(*axes, indexing="ij")]
    values = np.concatenate([log_density(*(a[i : i + 20_000, None] for a in at)) for i in range(0, at[0].size, 20_000)])
    weights = np.exp(values - values.max())
    cell = np.prod([a[1] - a[0] for a in axes])
    return values.max() + np.log(weights.sum() * cell), weights / weights.sum(), at


def two_columns(n=25, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, (rng.random(n) < special.expit(0.5 + 1.5 * x)).astype(float)


def test_a_logistic_regression_against_brute_force():
    x, y = two_columns()
    data = from_arrays(x, y)
    found = solve(state("Bernoulli", data, {"intercept": "Normal(0, 2)", "beta": "StudentT(4, 0, 1)"}), data).moments

    def log_density(a, b):
        p = special.expit(a + b * x)
        likelihood = np.sum(np.where(y == 1, np.log(p), np.log1p(-p)), axis=1)
        return likelihood + stats.norm(0, 2).logpdf(a[:, 0]) + stats.t(4).logpdf(b[:, 0])

    log_evidence, w, at = on_grid(log_density, np.linspace(-6, 7, 201), np.linspace(-6, 12, 201))
    mean = np.array([w @ c for c in at])
    cov = np.cov(at, aweights=w, ddof=0)
    assert_moments(found, log_evidence, mean, np.sqrt(np.diag(cov)))
    np.testing.assert_allclose(found.unconstrained_cov, cov, atol=1e-9)


def test_an_ordinal_regression_against_brute_force():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=20), rng.permutation(np.arange(20) % 3.0)
    data = Data(x[:, None], y, ("x",), categories=("low", "middle", "high"))
    regression = state("Ordinal", data, {"threshold": "Normal(0, 2)", "beta": "Normal(0, 1)"})
    found = solve(regression, data).moments

    def log_density(b, low, gap):
        high = low + np.exp(gap)
        below, above = special.expit(low - b * x), special.expit(high - b * x)
        p = np.where(y == 0, below, np.where(y == 1, above - below, 1 - above))
        priors = stats.norm(0, 1).logpdf(b) + stats.norm(0, 2).logpdf(low) + stats.norm(0, 2).logpdf(high) + gap
        return np.sum(np.log(p), axis=1) + priors[:, 0]

    axes = np.linspace(-3.5, 3.5, 51), np.linspace(-5, 3.5, 61), np.linspace(-3.5, 2.3, 61)
    log_evidence, w, (b, low, gap) = on_grid(log_density, *axes)
    at = np.array([b, low, low + np.exp(gap)])
    assert found.names == ("beta[x]", "threshold[1]", "threshold[2]")
    assert_moments(found, log_evidence, at @ w, np.sqrt(np.diag(np.cov(at, aweights=w, ddof=0))), 1e-6)


def test_a_categorical_regression_against_brute_force():
    y = np.array([0.0, 1, 1, 2, 1, 0, 1])
    data = Data(np.empty((7, 0)), y, (), categories=("a", "b", "c"))
    found = solve(state("Categorical", data, {"intercept": "Normal(0, 2)"}), data).moments

    def log_density(b, c):
        total = np.logaddexp(0, np.logaddexp(b, c))[:, 0]
        return 4 * b[:, 0] + c[:, 0] - 7 * total + stats.norm(0, 2).logpdf(np.hstack([b, c])).sum(axis=1)

    log_evidence, w, at = on_grid(log_density, np.linspace(-8, 10, 301), np.linspace(-12, 8, 301))
    assert_moments(found, log_evidence, np.array(at) @ w, np.sqrt(np.diag(np.cov(at, aweights=w, ddof=0))))


def test_two_priors_with_kinks_against_brute_force():
    """Simpson's panels end at the kinks."""
    x, y = two_columns(20)
    data = from_arrays(x, y)
    priors = {"intercept": "Laplace(0.2, 0.3)", "beta": "Laplace(0.5, 0.4)"}
    found = solve(state("Bernoulli", data, priors), data).moments

    def panels(*ends):
        parts = [special.roots_legendre(60) for _ in ends[1:]]
        half = np.diff(ends) / 2
        at = [h * t + e + h for (t, _), h, e in zip(parts, half, ends[:-1], strict=True)]
        return np.concatenate(at), np.concatenate([h * w for (_, w), h in zip(parts, half, strict=True)])

    (a, wa), (b, wb) = panels(-8.0, 0.2, 8.0), panels(-8.0, 0.5, 10.0)
    eta = a[:, None, None] + b[None, :, None] * x
    log_density = (
        np.sum(y * eta - np.logaddexp(0, eta), axis=2)
        + stats.laplace(0.2, 0.3).logpdf(a)[:, None]
        + stats.laplace(0.5, 0.4).logpdf(b)
    )
    mass = np.exp(log_density) * wa[:, None] * wb
    total = mass.sum()
    mean = np.array([np.sum(mass * a[:, None]), np.sum(mass * b)]) / total
    square = np.array([np.sum(mass * (a[:, None] - mean[0]) ** 2), np.sum(mass * (b - mean[1]) ** 2)]) / total
    assert_moments(found, np.log(total), mean, np.sqrt(square))


def test_weights_are_repeated_rows():
    rng = np.random.default_rng(6)
    x, offset = rng.normal(size=(10, 1)), rng.normal(0, 0.5, 10)
    data = Data(x, rng.poisson(2.0, 10).astype(float), ("x",), offset=offset, weights=np.arange(10) % 3 + 1.0)
    times = np.repeat(np.arange(10), data.weights.astype(int))
    plain = Data(x[times], data.y[times], ("x",), offset=offset[times])
    priors = {"beta": "Normal(0, 1)", "intercept": "Normal(0, 2)"}
    found, expected = (solve(state("Poisson", d, priors), d).moments for d in (data, plain))
    assert_moments(found, expected.log_evidence, expected.mean, expected.sd)


def test_an_offset_is_added():
    """A constant one moves the intercept, and its prior with it."""
    rng = np.random.default_rng(6)
    plain = Data(rng.normal(size=(10, 1)), rng.poisson(2.0, 10).astype(float), ("x",))
    moved = Data(plain.x, plain.y, ("x",), offset=np.full(10, 0.7))
    found = solve(state("Poisson", moved, {"beta": "Normal(0, 1)", "intercept": "Normal(0, 2)"}), moved).moments
    expected = solve(state("Poisson", plain, {"beta": "Normal(0, 1)", "intercept": "Normal(0.7, 2)"}), plain).moments
    assert_moments(found, expected.log_evidence, expected.mean - [0.7, 0.0], expected.sd)


def test_columns_far_from_zero_change_nothing():
    x, y = two_columns(30)
    near, far = from_arrays(x, y), from_arrays(x + 4000.0, y)
    priors = {"intercept": "Flat()", "beta": "Laplace(0, 1)"}
    found = [solve(state("Bernoulli", data, priors), data).moments for data in (near, far)]
    assert abs(found[0].mean[1] - found[1].mean[1]) < 1e-7 * found[0].sd[1]
    assert abs(found[0].sd[1] / found[1].sd[1] - 1) < 1e-7
    assert found[0].log_evidence is None


PROBLEMS = {
    "separated": (
        "Bernoulli",
        np.linspace(-1, 1.3, 12),
        (np.arange(12) > 5).astype(float),
        {"beta": "StudentT(7, 0, 3)"},
    ),
    "kinks": ("Bernoulli", *two_columns(8), {"beta": "Laplace(0, 0.5)", "intercept": "Laplace(0, 0.5)"}),
    "sigma": ("gaussian", np.arange(5.0), np.array([1.0, 0.0, 2.0, 5.0, 3.0]), {"beta": "Cauchy(0, 1)"}),
    "bounded": ("gaussian", np.arange(8.0), np.arange(8.0) % 3, {"beta": "Uniform(0, 1)", "sigma": "Uniform(0, 4)"}),
    "counts": ("NegativeBinomial", np.arange(8.0), np.array([0.0, 3, 0, 1, 7, 0, 0, 2]), {}),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_draws_have_the_moments(name):
    family, x, y, priors = PROBLEMS[name]
    data = from_arrays(x, y)
    regression = state(family, data, priors)
    solved = solve(regression, data)
    n = 10_000
    drawn = solved.sample(n, seed=3)
    judged = to_judged(np.stack([v[0] for v in drawn.parameters().values()], axis=-1), regression.bounds)
    moments = solved.moments
    sd = np.sqrt(np.diag(moments.unconstrained_cov))
    z = (judged - moments.unconstrained_mean) / sd
    assert np.max(np.abs(z.mean(axis=0))) < 4.5 / np.sqrt(n)
    squares = z**2
    assert np.max(np.abs(squares.mean(axis=0) - 1) / squares.std(axis=0)) < 4.5 / np.sqrt(n)
    products = z[:, :1] * z[:, 1:]
    expected = (moments.unconstrained_cov / np.outer(sd, sd))[0, 1:]
    assert np.max(np.abs(products.mean(axis=0) - expected) / products.std(axis=0)) < 4.5 / np.sqrt(n)
    log_joint = LogJoint(regression, data)(drawn.draws)[0]
    assert abs(log_joint.mean() - moments.log_joint) < 4.5 * log_joint.std() / np.sqrt(n)
    for a, b in zip(drawn.draws.values(), solved.sample(n, seed=3).draws.values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_draws_have_the_distribution():
    """With a kink in the middle of it."""
    data = empty(np.array([0.9, 1.4, 2.2]))
    solved = solve(state("Gaussian(sigma=1)", data, {"intercept": "Laplace(1, 0.3)"}), data)
    grid = np.linspace(-4.0, 6.0, 200_001)
    density = np.exp(stats.norm(data.y[:, None], 1).logpdf(grid).sum(axis=0) + stats.laplace(1, 0.3).logpdf(grid))
    cumulative = integrate.cumulative_trapezoid(density, grid, initial=0)
    drawn = solved.sample(20_000, seed=0).draws["intercept"][0]
    assert stats.kstest(drawn, lambda v: np.interp(v, grid, cumulative / cumulative[-1])).pvalue > 1e-3
