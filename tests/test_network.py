"""A network against a plain forward pass written by hand, its sites, its default priors."""

import time

import numpy as np
import pytest

from bayescore.errors import RequestError
from bayescore.model import network
from bayescore.model.data import from_arrays
from bayescore.model.response import linear_predictor
from bayescore.regressions.points import prior_draw
from bayescore.tables import problem
from bayescore.tables.default_priors import state

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
DATA = from_arrays(X, np.sin(X.sum(axis=1)), columns=("a", "b", "c"))


def forward(values, layers, row):
    """Unit by unit, weight by weight."""
    out = list(row)
    for layer in range(layers):
        weight, bias = values[f"layer{layer}.weight"], values[f"layer{layer}.bias"]
        total = [
            b + sum(w * value for w, value in zip(ws, out, strict=True)) for ws, b in zip(weight, bias, strict=True)
        ]
        out = [np.tanh(t) for t in total] if layer + 1 < layers else total
    (only,) = out
    return only


def drawn(shapes, lead=(), seed=1):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(*lead, *shape)) for name, shape in shapes.items()}


@pytest.mark.parametrize("hidden", [(1,), (5,), (4, 2), (3, 3, 2)])
def test_the_predictor_is_the_forward_pass(hidden):
    stated = problem.from_data(DATA, network=hidden)
    shapes = network.shapes(hidden, 3)
    values = drawn(shapes, (2, 4))
    eta = linear_predictor(stated.regression, DATA, values)
    assert eta.shape == (2, 4, 12)
    for i, j in ((0, 0), (1, 3)):
        one = {name: v[i, j] for name, v in values.items()}
        wanted = [forward(one, len(hidden) + 1, row) for row in X]
        np.testing.assert_allclose(eta[i, j], wanted, rtol=1e-12)
        np.testing.assert_allclose(linear_predictor(stated.regression, DATA, one), wanted, rtol=1e-12)


def test_sites_are_named_and_shaped_as_torch_has_them():
    stated = problem.from_data(DATA, network=(4, 2))
    sites = {site.name: site.shape for site in stated.regression.sites}
    assert sites == {
        "layer0.weight": (4, 3),
        "layer0.bias": (4,),
        "layer1.weight": (2, 4),
        "layer1.bias": (2,),
        "layer2.weight": (1, 2),
        "layer2.bias": (1,),
        "sigma": (),
    }
    first_row = [f"layer0.weight[0,{j}]" for j in range(3)]
    assert stated.regression.parameters[:4] == (*first_row, "layer0.weight[1,0]")
    assert "layer0.bias[3]" in stated.regression.parameters
    assert not stated.regression.identified
    assert problem.from_data(DATA).regression.identified
    assert "feature:network" in stated.regression.requirements
    assert "eta = network(a, b, c; 3 -> 4 -> 2 -> 1, tanh)" in stated.regression.describe()


def test_permuting_units_and_flipping_signs_changes_nothing():
    """Which is why weights are not compared."""
    stated = problem.from_data(DATA, network=(3,))
    values = drawn(network.shapes((3,), 3))
    order, signs = [2, 0, 1], np.array([1.0, -1.0, -1.0])
    other = {
        "layer0.weight": signs[:, None] * values["layer0.weight"][order],
        "layer0.bias": signs * values["layer0.bias"][order],
        "layer1.weight": values["layer1.weight"][:, order] * signs,
        "layer1.bias": values["layer1.bias"],
    }
    first, second = (linear_predictor(stated.regression, DATA, v) for v in (values, other))
    np.testing.assert_allclose(first, second, rtol=1e-12)


@pytest.mark.parametrize("hidden", [(0,), (-3,), (2.5,), (True,), (4, 0), ("4",)])
def test_layers_that_make_no_network_are_refused(hidden):
    with pytest.raises(RequestError, match="whole numbers of at least 1"):
        problem.from_data(DATA, network=hidden)


def test_priors_are_given_by_site_or_by_weight():
    priors = {
        "layer0.weight": "Laplace(0, 2)",
        "layer0.weight[1,2]": "StudentT(3, 0, 1)",
        "layer1.bias": "Normal(0, 3)",
    }
    regression = problem.from_data(DATA, network=(2,), priors=priors).regression
    given = [str(prior) for prior in regression.network.priors["layer0.weight"]]
    assert given == ["Laplace(0, 2)"] * 5 + ["StudentT(3, 0, 1)"]
    assert [str(prior) for prior in regression.network.priors["layer1.bias"]] == ["Normal(0, 3)"]


@pytest.mark.parametrize(
    "name, message",
    [
        ("beta", "'beta', which is no parameter"),
        ("intercept", "'intercept', which is no parameter"),
        ("layer0.wieght", "did you mean 'layer0.weight'"),
        ("layer0.weight[4,0]", r"'layer0.weight\[4,0\]', which is no parameter"),
        ("layer2.bias", "'layer2.bias', which is no parameter"),
    ],
)
def test_priors_of_what_is_no_weight_are_refused(name, message):
    with pytest.raises(RequestError, match=message):
        problem.from_data(DATA, network=(2,), priors={name: "Normal(0, 1)"})


def test_a_weights_prior_must_fit():
    for prior, message in (("HalfNormal(1)", r"layer0.weight\[0,0\] is real"), ("Horseshoe()", "all coefficients")):
        with pytest.raises(RequestError, match=message):
            problem.from_data(DATA, network=(2,), priors={"layer0.weight": prior})


def test_default_priors_do_not_depend_on_the_units_of_the_inputs():
    """The prior of a prediction is that of standardized inputs, whatever their scale; and scaled to the response."""
    prediction = []
    for scale, stretch, moved in ((1.0, 1.0, 0.0), (1e6, 1.0, 0.0), (1e-3, 100.0, 0.0), (1.0, 1.0, 1000.0)):
        data = from_arrays(scale * X + moved, stretch * DATA.y, columns=("a", "b", "c"))
        regression = state("gaussian", data, {}, hidden=(50,))
        rng = np.random.default_rng(2)
        draws = [prior_draw(regression, rng) for _ in range(400)]
        values = {name: np.stack([d[name] for d in draws]) for name in draws[0]}
        prediction.append(linear_predictor(regression, data, values) / stretch)
    for other in prediction[1:]:
        np.testing.assert_allclose(other, prediction[0], rtol=1e-8)
    assert 0.5 < np.median(prediction[0].std(axis=0)) / DATA.y.std() < 8.0


def test_a_wide_network_is_stated_in_linear_time():
    """30,000 weights with a prior each: seconds, where looking each name up among all would take a minute."""
    rng, start = np.random.default_rng(0), time.process_time()
    problem.from_data(from_arrays(rng.normal(size=(20, 9)), rng.normal(size=20)), network=(3000,))
    assert time.process_time() - start < 5.0
