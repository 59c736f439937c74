"""The stated model's density, as it is and in the coordinates of inference, against the specification."""

from dataclasses import replace

import numpy as np
import pytest
from declared import problems
from numpyro_support import DATA, TOY, backend, stated

from bayescore.density import specification
from bayescore.density.mode import unconstrained_density
from bayescore.density.specification import LogJoint
from bayescore.methods import NUTS
from bayescore.model import families
from bayescore.model.data import from_arrays
from bayescore.tables.problem import from_data

COEFFICIENT = ["Normal(1, 2)", "StudentT(3, 0, 2)", "Cauchy(0, 2)", "Laplace(1, 2)", "Flat()"]
PROBLEMS = problems()
TRANSFORMS = [
    "StudentT-identity",
    "prior-coefficient-Uniform",
    "prior-auxiliary-Beta",
    "Ordinal-weights-offset",
    "Categorical-softmax",
    "prior-Horseshoe",
    "groups-independent-Poisson",
    "groups-three-correlated",
    "network-3-2",
]


def wide_data():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, len(COEFFICIENT)))
    return from_arrays(x, x.sum(axis=1) + rng.normal(size=30), columns=tuple("abcde"))


def assert_same_density(regression, data, values):
    numpyro = backend()
    got = numpyro.log_density(regression, numpyro.build_data(regression, data), values)
    want = specification.log_density(regression, data, values)
    assert got.total == pytest.approx(want.total, rel=1e-12)
    assert got.by_site == pytest.approx(dict(want.by_site), rel=1e-12, abs=1e-14)
    for site, slope in want.gradient.items():
        np.testing.assert_allclose(got.gradient[site], slope, rtol=1e-12, atol=1e-12)


def test_priors_of_several_kinds_in_one_site():
    data = wide_data()
    priors = {f"beta[{c}]": prior for c, prior in zip(data.columns, COEFFICIENT, strict=True)}
    regression = stated("Gaussian", data, priors | {"intercept": "Cauchy(0, 5)", "sigma": "HalfStudentT(3, 2)"})
    values = {"intercept": np.array(0.3), "beta": np.array([0.1, -1.2, 0.7, 2.0, 3.1]), "sigma": np.array(1.7)}
    assert_same_density(regression, data, values)


def test_positions_of_interleaved_priors_are_kept():
    data = wide_data()
    kinds = ["Normal(0, 1)", "Laplace(0, 1)", "Normal(0, 3)", "Laplace(0, 4)", "Normal(2, 1)"]
    priors = {f"beta[{c}]": prior for c, prior in zip(data.columns, kinds, strict=True)}
    regression = stated("Gaussian(sigma=1)", data, priors, intercept=False)
    assert_same_density(regression, data, {"beta": np.array([5.0, 0.5, -3.0, 0.2, 1.0])})


def test_priors_of_several_kinds_in_a_matrix():
    data = replace(wide_data(), x=wide_data().x[:, :2], columns=("a", "b"))
    regression = from_data(data, network=(2,), priors={"layer0.weight[0,1]": "Laplace(0, 2)"}).regression
    rng = np.random.default_rng(0)
    values = {site.name: rng.uniform(0.5, 1.5, site.shape) for site in regression.sites}
    assert_same_density(regression, data, values)


def test_a_model_without_columns_has_a_density():
    nothing = from_arrays(np.empty((30, 0)), wide_data().y, columns=())
    regression = stated("Gaussian", nothing, {"intercept": "Normal(0, 1)", "sigma": "Exponential(1)"})
    assert_same_density(regression, nothing, {"intercept": np.array(0.3), "sigma": np.array(1.7)})


def test_a_model_of_nothing_but_noise_has_a_density():
    nothing = from_arrays(np.empty((30, 0)), wide_data().y, columns=())
    regression = stated("Gaussian", nothing, {"sigma": "Exponential(1)"}, intercept=False)
    assert_same_density(regression, nothing, {"sigma": np.array(1.7)})


def test_rows_without_weight_do_not_count():
    data = wide_data()
    weights = np.r_[np.zeros(10), np.ones(20)]
    regression = stated("Gaussian", data, {})
    values = {"intercept": np.array(0.3), "beta": np.ones(5), "sigma": np.array(1.7)}
    numpyro = backend()
    terms = [
        numpyro.log_density(regression, numpyro.build_data(regression, rows), values).by_site["likelihood"]
        for rows in (replace(data, weights=weights), data.take(slice(10, None)))
    ]
    assert terms[0] == pytest.approx(terms[1], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "centred"),
    [*((name, None) for name in TRANSFORMS), *(("groups-three-correlated", centred) for centred in (True, False))],
)
def test_the_density_of_coordinates_is_the_cores(name, centred):
    """Values by the core's transforms in JAX, the Jacobian, and the gradient through both."""
    import jax
    from bayescore_numpyro import native
    from bayescore_numpyro.model import potential
    from bayescore_numpyro.precision import precision_of

    stated_problem = PROBLEMS[name]
    regression, data = stated_problem.regression, stated_problem.data
    with precision_of("float64"):
        target = native.locate(regression, native.build(regression, data), NUTS(centred=centred))
        z = np.random.default_rng(0).normal(0.0, 0.5, target.coordinates.size)
        got, slope = jax.jit(jax.value_and_grad(potential, argnums=1))(target.place, z)
    place = target.coordinates
    value, gradient = unconstrained_density(LogJoint(regression, data), shares=place.shares)
    u = place.unconstrained(z)
    assert -float(got) == pytest.approx(float(value(u)) + place.log_det, rel=1e-9)
    want = gradient(u) @ place.matrix
    np.testing.assert_allclose(-np.asarray(slope), want, rtol=1e-7, atol=1e-8 * np.max(np.abs(want)))


SAMPLE = {"Ordinal": 1.0, "Categorical": 2.0, "Bernoulli": 1.0, "Beta": 0.3}
KINDS = [(name, link) for name, family in families.FAMILIES.items() for link in family.links]


@pytest.mark.parametrize(("name", "link"), KINDS)
def test_a_response_keeps_its_digits_in_the_tails(name, link):
    """Density, and its slope in the linear predictor, from -30 to 30."""
    import jax
    import jax.numpy as jnp
    from autograd import elementwise_grad
    from bayescore_numpyro.families import RESPONSES
    from bayescore_numpyro.precision import precision_of

    family = families.FAMILIES[name](link=link)
    if family.categorical:
        family = replace(family, categories=3)
    top = 5.0 if link == "cloglog" else 30.0
    eta = np.linspace(-30.0, top, 61)
    given = {auxiliary: np.array(1.7) for auxiliary in family.auxiliaries}
    given |= {"trials": np.full(61, 7.0)} if name == "Binomial" else {}
    given |= {"threshold": np.array([-1.0, 0.5])} if family.thresholds else {}
    predictor = np.stack([eta, eta[::-1]], axis=-1) if family.predictors > 1 else eta
    y = np.full(61, SAMPLE.get(name, 3.0))

    def total(eta, log_prob):
        return log_prob(eta).sum()

    with precision_of("float64"):
        observed = y.astype(int) if family.categorical else y

        def native(eta):
            return RESPONSES[name, link](eta, **given).log_prob(observed)

        got, slope = native(jnp.asarray(predictor)), jax.grad(total)(jnp.asarray(predictor), native)
    lifted = {key: value[None, None] if key == "threshold" else value for key, value in given.items()}

    def specified(eta):
        return family.log_prob(y, eta[None], {k: v[..., None] if np.ndim(v) == 0 else v for k, v in lifted.items()})[0]

    np.testing.assert_allclose(got, specified(predictor), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(slope, elementwise_grad(specified)(predictor), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", ["Poisson", "NegativeBinomial", "Gamma", "Exponential"])
def test_a_log_link_stays_finite_where_the_exponential_is_not(name):
    import jax
    from bayescore_numpyro.families import RESPONSES
    from bayescore_numpyro.precision import precision_of

    given = dict.fromkeys(families.FAMILIES[name].auxiliaries, 1.7)
    with precision_of("float32"):
        y, eta = np.array([3.0, 3.0]), np.array([-2e3, 2e3])
        found = jax.jit(lambda eta, given: RESPONSES[name, "log"](eta, **given).log_prob(y))(eta, given)
    assert not np.isnan(np.asarray(found)).any()


def test_float32_computes_in_float32():
    from bayescore_numpyro import native
    from bayescore_numpyro.precision import precision_of

    with precision_of("float32"):
        assert native.build(TOY, DATA).numbers.rows.x.dtype == np.float32
    values = {"intercept": np.array(1.0), "beta": np.array([3.0])}
    narrow, wide = backend("float32"), backend()
    difference = (
        narrow.log_density(TOY, narrow.build_data(TOY, DATA), values).total
        - wide.log_density(TOY, wide.build_data(TOY, DATA), values).total
    )
    assert 0 < abs(difference) < 1e-3


@pytest.mark.parametrize("trials", [None, 3.0])
def test_successes_have_their_derivatives_at_even_odds_and_far_out(trials):
    """Of the log density y eta - n log(1 + exp(eta)): y - n p and -n p (1 - p)."""
    import jax
    from bayescore_numpyro.precision import precision_of
    from bayescore_numpyro.successes import Bernoulli, Binomial

    with precision_of("float64"):
        eta = np.array([0.0, -0.0, 1e-9, 2.0, -3.0, 40.0, -40.0, 800.0, -800.0])
        n = 1.0 if trials is None else trials
        p = np.exp(-np.logaddexp(0.0, -eta))
        for y in (0.0, 1.0):

            def density(at, y=y):
                law = Bernoulli(logits=at) if trials is None else Binomial(logits=at, total_count=trials)
                return law.log_prob(jax.numpy.asarray(y))

            slope = jax.vmap(jax.grad(density))(eta)
            curvature = jax.vmap(jax.jacfwd(jax.grad(density)))(eta)
            np.testing.assert_allclose(slope, y - n * p, rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(curvature, -n * p * (1.0 - p), rtol=1e-12, atol=1e-15)
