"""The model check catches every fault of a density, names its term, and lets constants pass."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import USABLE, put_on_path
from honest import PROBLEMS, densities, gaussian, judged, logistic, scaled, without_terms

from bayescore.agreement.model_check import WHOLE, check
from bayescore.agreement.verdict import of_models
from bayescore.backend import LogDensity
from bayescore.comparison.run import compare
from bayescore.model import response
from bayescore.model.data import Data, from_arrays
from bayescore.model.distributions import LKJ, Exponential, Gamma, HalfNormal, InverseGamma, Normal
from bayescore.model.families import Binomial, Gaussian
from bayescore.regressions.points import points
from bayescore.report.words import sentence
from bayescore.settings import Settings
from bayescore.tables import problem
from bayescore.tables.problem import Problem


def test_the_specification_is_itself() -> None:
    found = judged(gaussian(), gaussian().regression)
    assert (found.verdict, found.spread, found.constant, found.points) == ("same", 0.0, 0.0, 20)


@pytest.mark.parametrize("scale", [1.0, 9.99, 100.0, 1 / 10**2])
def test_another_scale_of_a_prior_is_named(scale: float) -> None:
    honest = gaussian()
    found = judged(honest, replace(honest.regression, beta=(Normal(0, scale), Normal(0, 10))))
    assert (found.verdict, found.site) == ("different", "beta")


def test_another_scale_is_told_with_its_value() -> None:
    honest = gaussian()
    found = judged(honest, replace(honest.regression, intercept=Normal(0, 25)))
    assert (found.verdict, found.site) == ("different", "intercept")
    assert found.pattern == "as if the scale were 25 instead of 10"


@pytest.mark.parametrize("prior", [Gamma(2, 1 / 3), InverseGamma(2, 3), Exponential(3)], ids=str)
def test_another_prior_of_sigma_is_named(prior) -> None:
    honest = gaussian()
    found = judged(honest, replace(honest.regression, auxiliary={"sigma": prior}))
    assert (found.verdict, found.site) == ("different", "sigma")


def test_an_intercept_without_its_prior_is_named() -> None:
    honest = gaussian()
    at = points(honest.regression, honest.data)
    found = [scaled(f, "intercept", 0.0) for f in densities(honest.regression, honest.data, at)]
    result = check("wrong", honest.target, at, found)
    assert (result.verdict, result.site) == ("different", "intercept")


def drop(rows: int):
    return lambda data: data.take(slice(rows, None))


def permute(data: Data) -> Data:
    return replace(data, x=np.column_stack([np.roll(data.x[:, 0], 1), data.x[:, 1:]]))


@pytest.mark.parametrize("spoil", [drop(1), drop(10), permute], ids=["a row", "ten rows", "a column permuted"])
@pytest.mark.parametrize("honest", [gaussian(), logistic()], ids=["gaussian", "logistic"])
def test_other_data_are_found_in_the_likelihood(spoil, honest: Problem) -> None:
    found = judged(honest, honest.regression, spoil(honest.data))
    assert (found.verdict, found.site) == ("different", "likelihood")


@pytest.mark.parametrize("factor", [2.0, 0.2])
def test_a_likelihood_counted_otherwise_is_found_with_its_factor(factor: float) -> None:
    honest = gaussian()
    at = points(honest.regression, honest.data)
    found = [scaled(f, "likelihood", factor) for f in densities(honest.regression, honest.data, at)]
    result = check("wrong", honest.target, at, found)
    assert (result.verdict, result.site) == ("different", "likelihood")
    assert result.pattern == f"the likelihood is counted {factor:g} times"


@pytest.mark.parametrize("power", [2.0, 0.5])
def test_a_square_or_root_of_sigma_is_found(power: float) -> None:
    toy = problem.toy()
    found = judged(toy, replace(toy.regression, family=Gaussian(sigma=0.1**power)))
    assert (found.verdict, found.site) == ("different", "likelihood")


def test_probit_for_logit_is_found() -> None:
    from scipy.special import log_ndtr

    honest = logistic()
    at = points(honest.regression, honest.data)
    signs = 2 * honest.data.observed - 1
    found = []
    for f, point in zip(densities(honest.regression, honest.data, at), at, strict=True):
        eta = response.linear_predictor(honest.regression, honest.data, point)
        terms = {**f.by_site, "likelihood": float(log_ndtr(signs * eta).sum())}
        found.append(LogDensity(sum(terms.values()), terms))
    result = check("wrong", honest.target, at, found)
    assert (result.verdict, result.site) == ("different", "likelihood")


def test_a_constant_passes_and_is_reported() -> None:
    honest = gaussian("HalfNormal(1)")
    at = points(honest.regression, honest.data)
    found = [scaled(f, "sigma", 1.0, -np.log(2)) for f in densities(honest.regression, honest.data, at)]
    result = check("half", honest.target, at, found)
    assert result.verdict == "same"
    assert result.constant == pytest.approx(-np.log(2))


def test_a_total_alone_is_looked_at_as_a_whole() -> None:
    """Another scale of one prior is found, and no site is named; a constant passes."""
    honest = gaussian()
    at = points(honest.regression, honest.data)
    right = without_terms(densities(honest.regression, honest.data, at))
    result = check("whole", honest.target, at, right)
    assert (result.verdict, result.spread, result.gradient_spread, result.pattern) == ("same", 0.0, None, WHOLE)
    assert check("whole", honest.target, at, [replace(f, total=f.total - 7.0) for f in right]).constant == -7.0
    other = replace(honest.regression, beta=(Normal(0, 9.99), Normal(0, 10)))
    result = check("whole", honest.target, at, without_terms(densities(other, honest.data, at)))
    assert (result.verdict, result.site, result.pattern) == ("different", None, WHOLE)
    result = check("whole", honest.target, at, [replace(f, total=np.nan) for f in right])
    assert (result.verdict, result.site) == ("different", None)


def test_terms_at_some_points_are_none() -> None:
    honest = gaussian()
    at = points(honest.regression, honest.data)
    right = densities(honest.regression, honest.data, at)
    result = check("some", honest.target, at, [*right[:9], *without_terms(right[9:])])
    assert (result.verdict, result.pattern) == ("same", WHOLE)


def test_float32_alone_failing_is_precision() -> None:
    honest = gaussian()
    at = points(honest.regression, honest.data)
    good = densities(honest.regression, honest.data, at)
    rough = [replace(f, total=f.total + 0.2 * (-1) ** k) for k, f in enumerate(good)]
    result = check("f32", honest.target, at, rough, precision="float32", in_float64=good)
    assert result.verdict == "precision"
    again = check("f32", honest.target, at, rough, precision="float32", in_float64=rough)
    assert again.verdict == "different"


@pytest.mark.skipif("numpyro" not in USABLE, reason="the doctored plugin is made of numpyro's")
def test_a_doctored_prior_is_a_disagreement_that_names_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(monkeypatch, "doctored")
    result = compare(problem.toy(), ["exact", "doctored:nuts(warmup=200, draws=500)"], Settings(seed=1))
    assert result.decision.exit_code == 1
    reason = result.decision.reasons[0]
    assert reason.code == "different-model"
    assert "in the term of beta" in reason.text
    assert "as if the scale were 100 = 10^2 instead of 10" in reason.text


WIDER = {
    "groups-correlated-Gaussian": [
        (lambda r: replace(r, groups=(replace(r.groups[0], correlation=LKJ(2.0)),)), "cor(1,x1|g)"),
        (lambda r: replace(r, groups=(replace(r.groups[0], sds=(HalfNormal(99.0), r.groups[0].sds[1])),)), "sd(1|g)"),
    ],
    "groups-intercepts-Poisson": [
        (lambda r: replace(r, groups=(replace(r.groups[0], sds=(Exponential(1.0),)),)), "sd(1|g)"),
    ],
    "Ordinal-logit": [(lambda r: replace(r, thresholds=(Normal(0, 5), Normal(1, 5))), "threshold")],
    "Categorical-softmax": [(lambda r: replace(r, intercept=(Normal(0, 2.5), Normal(0, 5))), "intercept")],
    "NegativeBinomial-log": [
        (lambda r: replace(r, auxiliary={"concentration": Gamma(2, 0.2)}), "concentration"),
    ],
    "StudentT-identity": [(lambda r: replace(r, auxiliary={**r.auxiliary, "df": Exponential(0.1)}), "df")],
    "prior-Horseshoe": [
        (lambda r: replace(r, beta=(replace(r.beta[0], scale=1.0),) * 2), "global(beta)"),
        (lambda r: replace(r, beta=(replace(r.beta[0], df=3.0),) * 2), "local(beta)"),
        (lambda r: replace(r, beta=(replace(r.beta[0], slab_scale=1.0),) * 2), "slab(beta)"),
    ],
    "network-4": [
        (lambda r: replace(r, network=replace(r.network, priors={**r.network.priors, "layer1.bias": (Normal(0, 9),)})),
         "layer1.bias"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "spoil", "site"),
    [(name, spoil, site) for name, cases in WIDER.items() for spoil, site in cases],
    ids=[f"{name}-{site}" for name, cases in WIDER.items() for _, site in cases],
)
def test_another_prior_of_whatever_can_be_declared_is_named(name: str, spoil, site: str) -> None:
    honest = PROBLEMS[name]
    found = judged(honest, spoil(honest.regression))
    assert (found.verdict, found.site) == ("different", site)


def level_shifted(data: Data) -> Data:
    """Every row in the next level of its group."""
    count = 1 + max(int(m.index.max()) for m in data.groups.values())
    groups = {key: replace(m, index=(m.index + 1) % count) for key, m in data.groups.items()}
    return replace(data, groups=groups)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        *((f"{name}-weights-offset", lambda d: replace(d, weights=None)) for name in ("Gaussian", "Ordinal")),
        *((f"{name}-weights-offset", lambda d: replace(d, offset=-d.offset)) for name in ("Poisson", "Categorical")),
        ("Binomial-probit", lambda d: replace(d, trials=d.trials + 1)),
        ("groups-intercepts-Gaussian", level_shifted),
        ("groups-correlated-Poisson", level_shifted),
        ("groups-correlated-Gaussian", lambda d: replace(d, groups=dict.fromkeys(d.groups, d.groups["1|g"]))),
        ("Ordinal-logit", lambda d: replace(d, y=2 - d.y)),
        ("Categorical-softmax", lambda d: replace(d, y=2 - d.y)),
        ("network-3-2", permute),
    ],
)  # fmt: skip
def test_weights_offsets_trials_and_levels_that_are_not_heeded_are_found(name: str, spoil) -> None:
    honest = PROBLEMS[name]
    found = judged(honest, honest.regression, spoil(honest.data))
    assert (found.verdict, found.site) == ("different", "likelihood")


@pytest.mark.parametrize("link", ["probit", "cloglog"])
def test_another_link_is_found(link: str) -> None:
    honest = PROBLEMS["Binomial-logit"]
    found = judged(honest, replace(honest.regression, family=Binomial(link)))
    assert (found.verdict, found.site) == ("different", "likelihood")


def test_a_term_that_is_the_same_everywhere_is_checked() -> None:
    """A flat prior, or one that the backend leaves out."""
    honest = gaussian("Flat()")
    assert judged(honest, honest.regression).verdict == "same"
    found = judged(honest, replace(honest.regression, auxiliary={"sigma": Exponential(2.0)}))
    assert (found.verdict, found.site) == ("different", "sigma")


def test_terms_that_are_shared_out_otherwise_are_the_same_density() -> None:
    """What one term lacks the other has; and nothing that the larger of them could hide."""
    honest = gaussian()
    at = points(honest.regression, honest.data)

    def moved(share: float) -> list[LogDensity]:
        found = []
        for f in densities(honest.regression, honest.data, at):
            terms = {**f.by_site, "beta": 0.0, "likelihood": f.by_site["likelihood"] + share * f.by_site["beta"]}
            found.append(LogDensity(sum(terms.values()), terms, f.gradient))
        return found

    assert check("a", honest.target, at, moved(1.0)).verdict == "same"
    assert check("a", honest.target, at, moved(0.9)).verdict == "different"


def test_a_small_term_is_judged_by_its_own_size() -> None:
    """Beside a likelihood of 3e8 nats a prior would be lost in one limit of all, 3 nats."""
    data = from_arrays(np.empty((20, 0)), 1e5 + np.arange(20.0))
    honest = problem.from_data(data, family="Gaussian(sigma=1e-3)", priors={"intercept": "Normal(1e5, 1)"})
    wrong = replace(honest.regression, intercept=Normal(1e5, 2))
    at = points(honest.regression, data)
    totals = [f.total for f in densities(honest.regression, data, at)]
    assert np.abs(totals).max() > 1e8
    found = judged(honest, wrong)
    assert (found.verdict, found.site) == ("different", "intercept")


def test_terms_that_do_not_add_up_are_said_to() -> None:
    honest = gaussian()
    at = points(honest.regression, honest.data)
    right = densities(honest.regression, honest.data, at)
    for totals in ([np.nan] * 20, [f.total + k for k, f in enumerate(right)]):
        found = [replace(f, total=total) for f, total in zip(right, totals, strict=True)]
        result = check("a", honest.target, at, found)
        assert (result.verdict, result.site, result.pattern) == (
            "different", None, "its terms don't add up to its total"
        )  # fmt: skip
        assert "None" not in of_models("a", "b", [result]).reasons[0].text


def test_the_sentence_says_whose_model_was_checked() -> None:
    document = {
        "contenders": [{"name": n, "status": "ok", "method": "nuts"} for n in "abc"],
        "settings": {"margin": 0.1, "model_only": False},
        "pairs": [], "reasons": [], "verdict": "agree",
        "model_check": [{"contender": n, "verdict": "same", "points": k} for n, k in (("a", 20), ("b", 18))],
    }  # fmt: skip
    assert "model checked at 18 points, but not that of c)" in sentence(document)
    document["model_check"] = [{"contender": "b", "verdict": "same", "points": 0}]
    assert "model not checked)" in sentence(document)
    document["model_check"] = [{"contender": n, "verdict": "same", "points": 20} for n in "abc"]
    assert "model checked at 20 points)" in sentence(document)
