"""Programs of one's own: their sites and density against SciPy, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro import handlers
from numpyro.infer.reparam import LocScaleReparam
from scipy import stats

from bayescore.errors import DataError, UnsupportedError

Y = np.array([28.0, 8.0, -3.0, 7.0])
SIGMA = np.array([15.0, 10.0, 16.0, 11.0])
COUNTS = np.array([0, 1, 4, 2])


def program(function, precision="float64", **data):
    from bayescore_numpyro.backend import NumPyroBackend

    return NumPyroBackend(precision).program(function, data)


def by_name(function, values=None, **data):
    return {site.name: site for site in program(function, **data).sites(values)}


def schools(y, sigma):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("school", len(y)):
        theta = numpyro.sample("theta", dist.Normal(mu, tau))
        numpyro.sample("obs", dist.Normal(theta, sigma), obs=y)
    numpyro.deterministic("shrunken", theta - mu)


AT = {"mu": np.array(2.0), "tau": np.array(3.0), "theta": np.array([5.0, 2.0, -1.0, 0.5])}


def test_sites_in_words():
    sites = program(schools, y=Y, sigma=SIGMA).sites(AT)
    told = [(s.name, s.role, s.distribution, s.support, s.ends[0], s.event_dim) for s in sites]
    assert told == [
        ("mu", "latent", "Normal", "real", -np.inf, 0),
        ("tau", "latent", "HalfCauchy", "positive", 0.0, 0),
        ("theta", "latent", "Normal", "real", -np.inf, 0),
        ("obs", "observed", "Normal", "real", -np.inf, 0),
        ("shrunken", "deterministic", "", "real", -np.inf, 0),
    ]
    found = {site.name: site for site in sites}
    np.testing.assert_array_equal(found["theta"].parameters["scale"], np.full(4, 3.0))
    np.testing.assert_array_equal(found["obs"].parameters["loc"], AT["theta"])
    np.testing.assert_array_equal(found["shrunken"].value, AT["theta"] - 2.0)


def test_values_not_given_are_drawn_by_the_seed():
    same, again, other = (
        {s.name: s.value for s in program(schools, y=Y, sigma=SIGMA).sites({"mu": AT["mu"]}, seed=seed)}
        for seed in (1, 1, 2)
    )
    assert same["mu"] == other["mu"] == 2.0
    np.testing.assert_array_equal(same["theta"], again["theta"])
    assert np.all(same["theta"] != other["theta"])


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_density_by_site_and_row(precision):
    own = program(schools, precision, y=Y, sigma=SIGMA)
    got = own.log_density(AT)
    rows = {
        "mu": stats.norm(0, 5).logpdf(2.0),
        "tau": stats.halfcauchy(0, 5).logpdf(3.0),
        "theta": stats.norm(2, 3).logpdf(AT["theta"]),
        "obs": stats.norm(AT["theta"], SIGMA).logpdf(Y),
    }
    rounding = 1e-13 if precision == "float64" else 1e-6
    assert list(got.by_site) == list(got.by_row) == ["mu", "tau", "theta", "obs"]
    for name, row in rows.items():
        np.testing.assert_allclose(got.by_row[name], row, rtol=rounding)
        assert got.by_site[name] == pytest.approx(np.sum(row), rel=rounding)
    assert got.total == sum(got.by_site.values())
    own.log_density({name: value + 1.0 for name, value in AT.items()})
    assert own._compiled.programs == 1


@pytest.mark.parametrize("site, value", [("tau", -1.0), ("tau", 0.0), ("tau", np.nan), ("u", 3.0), ("k", 1.5)])
def test_out_of_its_support_a_site_has_no_density(site, value):
    def bounded():
        numpyro.sample("tau", dist.Gamma(2, 3))
        numpyro.sample("u", dist.Uniform(-1, 2))
        numpyro.sample("k", dist.Poisson(3))

    values = {"tau": np.array(1.0), "u": np.array(0.0), "k": np.array(2)}
    inside = program(bounded).log_density(values)
    assert np.isfinite(inside.total)
    outside = program(bounded).log_density(values | {site: np.array(value)})
    assert outside.by_site == inside.by_site | {site: -np.inf}
    assert outside.total == -np.inf


def test_what_another_precision_has_rounded_is_in_its_support():
    def vectors():
        numpyro.sample("p", dist.Dirichlet(jnp.ones(3)))
        numpyro.sample("L", dist.LKJCholesky(3, 2.0))

    values = {s.name: s.value for s in program(vectors, "float32").sites()}
    found = program(vectors).log_density(values)
    assert np.isfinite(found.total)
    worse = {"p": values["p"] * 1.01, "L": values["L"] * 1.01}
    assert set(program(vectors).log_density(worse).by_site.values()) == {-np.inf}


def test_scales_masks_and_events():
    def handled(y):
        with handlers.scale(scale=2.5):
            numpyro.sample("a", dist.Exponential(jnp.array([1.0, 2.0])).to_event(1))
        with numpyro.plate("row", 4), handlers.mask(mask=jnp.arange(4) > 0):
            numpyro.sample("obs", dist.Gamma(2.0, 1.0), obs=y)
        numpyro.factor("f", -3.0)

    at = {"a": np.array([0.5, 0.7])}
    got = program(handled, y=np.array([np.nan, 1.0, 2.0, 3.0])).log_density(at)
    exponential = stats.expon(scale=[1.0, 0.5]).logpdf(at["a"]).sum()
    assert got.by_site["a"] == pytest.approx(2.5 * exponential)
    assert got.by_row["a"].shape == ()
    np.testing.assert_allclose(got.by_row["obs"], [0, *stats.gamma(2).logpdf([1.0, 2.0, 3.0])])
    assert got.by_site["f"] == -3.0
    site = by_name(handled, y=Y)["a"]
    assert (site.distribution, site.event_dim, site.support) == ("Exponential", 1, "positive")
    np.testing.assert_array_equal(site.parameters["rate"], [1.0, 2.0])


def test_a_reparametrized_site_is_deterministic():
    moved = handlers.reparam(schools, config={"theta": LocScaleReparam(0)})
    sites = by_name(moved, AT | {"theta_decentered": np.ones(4)}, y=Y, sigma=SIGMA)
    assert sites["theta"].role == "deterministic"
    np.testing.assert_array_equal(sites["theta"].value, np.full(4, 5.0))
    assert sites["theta_decentered"].role == "latent"


PAIR = np.array([[2.0, 0.6], [0.6, 1.0]])
LAWS = {
    "bernoulli": (lambda: dist.Bernoulli(logits=0.0), "Bernoulli", {"probs": 0.5}, "boolean", (-np.inf, np.inf)),
    "binomial": (
        lambda: dist.Binomial(5, logits=0.0),
        "Binomial",
        {"total_count": 5, "probs": 0.5},
        "integers",
        (0, 5),
    ),
    "categorical": (
        lambda: dist.Categorical(logits=jnp.zeros(2)),
        "Categorical",
        {"probs": [0.5, 0.5]},
        "integers",
        (0, 1),
    ),
    "negative binomial": (
        lambda: dist.NegativeBinomial2(3.0, 1.0),
        "NegativeBinomial",
        {"total_count": 1.0, "probs": 0.75},
        "integers",
        (0, np.inf),
    ),
    "by logits": (
        lambda: dist.NegativeBinomialLogits(2.0, 0.0),
        "NegativeBinomial",
        {"total_count": 2.0, "probs": 0.5},
        "integers",
        (0, np.inf),
    ),
    "zeros": (
        lambda: dist.ZeroInflatedPoisson(0.1, rate=2.0),
        "ZeroInflatedPoisson",
        {"gate": 0.1, "rate": 2.0},
        "integers",
        (0, np.inf),
    ),
    "pair": (
        lambda: dist.MultivariateNormal(jnp.zeros(2), scale_tril=jnp.linalg.cholesky(jnp.asarray(PAIR))),
        "MultivariateNormal",
        {"loc": [0, 0], "covariance_matrix": PAIR},
        "real",
        (-np.inf, np.inf),
    ),
    "ordered": (
        lambda: dist.OrderedLogistic(0.5, jnp.array([-1.0, 1.0])),
        "OrderedLogistic",
        {"predictor": 0.5, "cutpoints": [-1, 1]},
        "integers",
        (0, 2),
    ),
    "truncated": (
        lambda: dist.TruncatedNormal(1.0, 2.0, low=0.5),
        "TruncatedNormal",
        {"loc": 1.0, "scale": 2.0, "low": 0.5},
        "positive",
        (0.5, np.inf),
    ),
    "cholesky": (
        lambda: dist.LKJCholesky(2, 3.0),
        "LKJCholesky",
        {"concentration": 3.0},
        "correlation_cholesky",
        (-np.inf, np.inf),
    ),
    "mixture": (
        lambda: dist.MixtureSameFamily(
            dist.Categorical(jnp.array([0.3, 0.7])), dist.Normal(jnp.array([0.0, 1.0]), 2.0)
        ),
        "MixtureSameFamily",
        {"mixing_probs": [0.3, 0.7], "loc": [0, 1], "scale": [2, 2]},
        "real",
        (-np.inf, np.inf),
    ),
    "increasing": (
        lambda: dist.TransformedDistribution(
            dist.Normal(0, 1).expand([3]).to_event(1), dist.transforms.OrderedTransform()
        ),
        "TransformedDistribution",
        {"loc": [0, 0, 0], "scale": [1, 1, 1]},
        "ordered",
        (-np.inf, np.inf),
    ),
}


@pytest.mark.parametrize("law", LAWS)
def test_words_of_distributions(law):
    make, name, parameters, support, ends = LAWS[law]
    site = by_name(lambda: numpyro.sample("x", make().mask(True)))["x"]
    assert (site.distribution, site.support, site.ends) == (name, support, ends)
    assert site.parameters.keys() == parameters.keys()
    for parameter, value in parameters.items():
        np.testing.assert_allclose(site.parameters[parameter], value, rtol=1e-12)


def test_a_flat_prior_can_be_drawn_from():
    def flat():
        numpyro.sample("s", dist.ImproperUniform(dist.constraints.positive, (), (2,)))

    site = by_name(flat)["s"]
    assert site.support == "positive"
    assert np.all(site.value > 0)
    assert program(flat).log_density({"s": np.ones(2)}).total == 0.0


def test_python_code_may_look_at_data_and_values(capsys):
    def looking(group, y):
        print("looking")
        size = int(group.max()) + 1
        scale = numpyro.sample("scale", dist.HalfNormal(1))
        numpyro.sample("a", dist.Normal(0, 1).expand([size]).to_event(1))
        numpyro.sample("obs", dist.Normal(0, 1.0 if scale > 1 else 2.0).to_event(0), obs=y)

    own = program(looking, group=np.array([0, 2, 1, 2]), y=Y)
    for scale, sd in [(0.5, 2.0), (1.5, 1.0)]:
        got = own.log_density({"scale": np.array(scale), "a": np.zeros(3)})
        assert got.by_site["obs"] == pytest.approx(stats.norm(0, sd).logpdf(Y).sum())
    assert "looking" in capsys.readouterr().out


def learnable():
    numpyro.sample("a", dist.Normal(numpyro.param("m", 0.0), 1))


def subsampled(y):
    with numpyro.plate("row", 4, subsample_size=2) as rows:
        numpyro.sample("obs", dist.Normal(0, 1), obs=y[rows])


def wandering():
    if numpyro.sample("a", dist.Normal(0, 1)) > 0:
        numpyro.sample("b", dist.Normal(0, 1))


def growing():
    size = int(numpyro.sample("n", dist.DiscreteUniform(1, 1000)))
    numpyro.sample("b", dist.Normal(jnp.zeros(size), 1))


@pytest.mark.parametrize(
    "function, data, sentence",
    [
        (learnable, {}, "a learnable parameter, 'm'"),
        (subsampled, {"y": Y}, "plate 'row' takes 2 of 4 rows"),
        (wandering, {}, "'b' is there or not"),
        (growing, {}, "'b' changes its shape"),
    ],
)
def test_refused_with_a_sentence(function, data, sentence):
    with pytest.raises(UnsupportedError, match=sentence):
        program(function, **data).sites()


def test_values_of_another_shape_and_none_are_refused():
    own = program(schools, y=Y, sigma=SIGMA)
    with pytest.raises(DataError, match=r"'theta' has the shape \(4,\), its values \(3,\)"):
        own.log_density(AT | {"theta": np.zeros(3)})
    with pytest.raises(DataError, match="'tau'"):
        own.log_density({name: value for name, value in AT.items() if name != "tau"})


def test_arguments_are_of_the_precision_and_nothing_global_changes():
    seen = {}

    def typed(**arguments):
        seen.update(arguments)

    before = jnp.zeros(()).dtype
    program(typed, "float32", x=np.ones(2), k=COUNTS, b=np.array([True]), n=3, name="a").sites()
    assert [seen[name].dtype for name in ("x", "k", "b")] == ["float32", "int32", "bool"]
    assert isinstance(seen["x"], jax.Array)
    assert (seen["n"], seen["name"]) == (3, "a")
    program(typed, "float64", x=np.ones(2), k=COUNTS).sites()
    assert [seen[name].dtype for name in ("x", "k")] == ["float64", "int64"]
    assert jnp.zeros(()).dtype == before


def test_a_network_with_priors_for_its_parameters():
    nnx = pytest.importorskip("flax.nnx", reason="modules of flax need it")
    from numpyro.contrib.module import random_nnx_module

    def network(x, y):
        module = nnx.Linear(1, 1, rngs=nnx.Rngs(0))
        net = random_nnx_module("net", module, prior=dist.Normal(0, 2))
        with numpyro.plate("row", len(y)):
            numpyro.sample("obs", dist.Normal(net(x[:, None])[:, 0], 1), obs=y)

    own = program(network, x=SIGMA, y=Y)
    got = own.log_density({"net/kernel": np.array([[0.5]]), "net/bias": np.array([1.0])})
    assert got.by_site["obs"] == pytest.approx(stats.norm(1.0 + 0.5 * SIGMA).logpdf(Y).sum())
