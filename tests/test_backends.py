"""Every installed backend against the exact posterior, then each pair; seeds; two reference posteriors."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import USABLE

import bayescore
from bayescore import methods
from bayescore.agreement.estimates import FromDraws, judged_draws
from bayescore.comparison.run import Comparison, compare
from bayescore.model.data import from_arrays
from bayescore.model.transforms import REAL
from bayescore.plugins import loading
from bayescore.report.document import Document
from bayescore.settings import Settings
from bayescore.tables.files import read_table
from bayescore.tables.problem import Problem, from_data, from_table, toy

ENGINES = [name for name in USABLE if name in {"pyro", "numpyro"}]
METHODS = ["svi", "svi(guide=full_rank)", "nuts(warmup=500, draws=1500)"]
POSTERIORS = [f"{engine}:{method}" for engine in ENGINES for method in METHODS]
POINTS = [f"{engine}:{method}" for engine in ENGINES for method in ("mle", "map")]

pytestmark = pytest.mark.skipif(not ENGINES, reason="neither pyro nor numpyro is installed")


@pytest.fixture(scope="module")
def on_toy() -> Comparison:
    """All methods of all engines on the toy, compared with the exact answers."""
    return compare(toy(), ["exact", "exact:mle", "exact:map", *POSTERIORS, *POINTS], Settings(seed=1))


def pair(document: Document, a: str, b: str) -> Document:
    found: Document = next(p for p in document["pairs"] if {p["a"], p["b"]} == {a, b})
    return found


def contender(document: Document, name: str) -> Document:
    found: Document = next(c for c in document["contenders"] if c["name"] == name)
    return found


@pytest.mark.parametrize("name", [*POSTERIORS, *POINTS])
def test_a_contender_is_done_and_healthy(on_toy: Comparison, name: str) -> None:
    row = contender(on_toy.document, name)
    assert (row["status"], row["healthy"]) == ("ok", True), row


@pytest.mark.parametrize("name", POSTERIORS)
def test_a_posterior_agrees_with_the_exact_one(on_toy: Comparison, name: str) -> None:
    found = pair(on_toy.document, "exact", name)
    assert found["verdict"] == "agree", found["reasons"]


@pytest.mark.parametrize("name", POINTS)
def test_a_point_estimate_agrees_with_the_exact_one(on_toy: Comparison, name: str) -> None:
    found = pair(on_toy.document, f"exact:{name.split(':')[1]}", name)
    assert found["verdict"] == "agree"
    assert found["max_difference_sd"] < 0.01


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.skipif(len(ENGINES) < 2, reason="needs two engines")
def test_engines_agree_with_each_other(on_toy: Comparison, method: str) -> None:
    found = pair(on_toy.document, f"pyro:{method}", f"numpyro:{method}")
    assert found["verdict"] == "agree", found["reasons"]


@pytest.mark.parametrize("name", POSTERIORS)
def test_a_model_is_the_same_to_rounding(on_toy: Comparison, name: str) -> None:
    check = next(c for c in on_toy.document["model_check"] if c["contender"] == name)
    assert check["verdict"] == "same"
    assert check["points"] == 20
    assert abs(check["constant"]) < 1e-9


def test_a_posterior_and_a_point_are_not_compared(on_toy: Comparison) -> None:
    assert pair(on_toy.document, "exact", POINTS[0])["verdict"] == "not-comparable"


def test_all_agree(on_toy: Comparison) -> None:
    assert on_toy.verdict == "agree", on_toy.decision.reasons


SMALL = {"svi": methods.SVI(steps=20, draws=50), "nuts": methods.NUTS(chains=2, warmup=20, draws=20)}
DECLARED = [
    (name, method)
    for name, registered in loading.load().backends.items()
    for method in methods.METHODS
    if name in USABLE and f"method:{method}" in registered.info.declared("method")
]


def draw(engine: str, method: methods.Method, seed: int) -> tuple[np.ndarray, np.ndarray]:
    problem = toy(n=30)
    backend = bayescore.get_backend(engine)
    data = backend.build_data(problem.regression, problem.data)
    fit = backend.fit(problem.regression, data, method, seed=seed)
    posterior = backend.sample_posterior(fit, seed=seed)
    drawn = backend.predict(fit, posterior, problem.new_data, kind="response", seed=seed)
    return np.stack(list(posterior.parameters().values())), drawn


@pytest.mark.parametrize(("engine", "name"), DECLARED)
def test_a_seed_decides_everything_of_whatever_method_is_declared(engine: str, name: str) -> None:
    method = SMALL.get(name, methods.METHODS[name]().smoke())
    first, again, other = draw(engine, method, 3), draw(engine, method, 3), draw(engine, method, 4)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])
    if method.estimand == "posterior":
        assert not np.array_equal(first[0], other[0])


def free_sigma() -> Problem:
    """Correlated, uncentred columns and a sigma to be learned."""
    rng = np.random.default_rng(5)
    x1 = rng.normal(50.0, 5.0, 80)
    x2 = 0.9 * x1 + rng.normal(0.0, 2.0, 80)
    y = 3.0 + 0.5 * x1 - 0.2 * x2 + rng.normal(0.0, 2.0, 80)
    return from_data(from_arrays(np.column_stack([x1, x2]), y), priors={"sigma": "HalfCauchy(2.5)"})


def binary() -> Problem:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(150, 2))
    y = rng.random(150) < 1.0 / (1.0 + np.exp(-(0.3 + x @ [1.0, -0.5])))
    return from_data(from_arrays(x, y.astype(float)), family="Bernoulli", priors={"beta[x2]": "StudentT(3, 0, 1)"})


@pytest.mark.parametrize("problem", [free_sigma(), binary()], ids=["free sigma", "bernoulli"])
def test_nuts_agrees_on_other_regressions(problem: Problem) -> None:
    contenders = [f"{engine}:nuts(warmup=500, draws=1500)" for engine in ENGINES]
    result = compare(problem, contenders, Settings(seed=2))
    assert all(c["healthy"] for c in result.document["contenders"]), result.document["contenders"]
    assert not [pair for pair in result.decision.pairs if pair.verdict == "disagree"]
    assert result.verdict == "agree" or len(result.decision.pairs) == 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["kidiq-kidscore_momhsiq", "mesquite-mesquite"])
def test_nuts_finds_the_reference_posterior(engine: str, name: str, reference: Path) -> None:
    """All means and sds within Monte Carlo error: a family-wise rate of false alarms of 0.1 %."""
    entry = next(e for e in json.loads((reference / "references.json").read_text()) if e["name"] == name)
    table = read_table(reference / entry["file"])
    problem = from_table(entry["formula"], table, family=entry["family"], priors=entry["priors"])
    result = compare(problem, [f"{engine}:nuts(warmup=500, draws=1000)"], Settings(seed=3, reference="none"))
    assert result.document["contenders"][0]["healthy"], result.document["contenders"]
    posterior = result.outcomes[0].posterior
    assert posterior is not None
    names = problem.regression.parameters
    found = FromDraws(judged_draws(posterior, (REAL,) * len(names))).along(np.eye(len(names)))
    for j, parameter in enumerate(names):
        wanted = entry["parameters"][parameter]
        assert abs(found.mean[j] - wanted["mean"]) < 4.3 * found.mean_error[j], parameter
        assert abs(found.sd[j] - wanted["sd"]) < 4.3 * found.sd_error[j], parameter
