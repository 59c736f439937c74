"""The model check catches every fault of a density, names its term, and lets constants pass."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import USABLE, put_on_path
from declared import problems

import bayescore
from bayescore.agreement.model_check import WHOLE, ModelCheck, check
from bayescore.agreement.verdict import of_models
from bayescore.backend import LogDensity, Precision
from bayescore.comparison.run import compare
from bayescore.density import specification, target
from bayescore.density.mode import unconstrained_density
from bayescore.model import response
from bayescore.model.data import Data, from_arrays, toy_data
from bayescore.model.distributions import LKJ, Exponential, Gamma, HalfNormal, InverseGamma, Normal
from bayescore.model.families import Binomial, Gaussian
from bayescore.model.regression import Regression
from bayescore.model.transforms import unconstrain
from bayescore.regressions.points import points
from bayescore.regressions.target import RegressionTarget
from bayescore.report.words import sentence
from bayescore.settings import Settings
from bayescore.tables import problem
from bayescore.tables.problem import Problem

PRIORS = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)"}


def gaussian(sigma: str = "Gamma(2, 3)") -> Problem:
    table = toy_data(n=100, p=2)
    return problem.from_data(from_arrays(table[:, :2], table[:, 2]), priors={**PRIORS, "sigma": sigma})


def logistic() -> Problem:
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    y = (rng.random(100) < 1 / (1 + np.exp(-x))).astype(float)
    return problem.from_data(from_arrays(x, y), family="Bernoulli", priors=PRIORS)


def densities(regression: Regression, data: Data, at) -> list[LogDensity]:
    return [specification.log_density(regression, data, point) for point in at]


def judged(honest: Problem, regression: Regression, data: Data | None = None) -> ModelCheck:
    at = points(honest.regression, honest.data)
    found = densities(regression, data or honest.data, at)
    return check("wrong", honest.target, at, found)


def scaled(found: LogDensity, term: str, factor: float = 1.0, constant: float = 0.0) -> LogDensity:
    terms = dict(found.by_site)
    terms[term] = factor * terms[term] + constant
    return LogDensity(sum(terms.values()), terms, None)


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


def test_a_wrong_gradient_is_found() -> None:
    honest = gaussian()
    at = points(honest.regression, honest.data)
    found = [
        replace(f, gradient={**f.gradient, "sigma": f.gradient["sigma"] + 1.0})
        for f in densities(honest.regression, honest.data, at)
    ]
    result = check("wrong", honest.target, at, found)
    assert (result.verdict, result.site) == ("different", "sigma")


def test_a_gradient_that_is_no_number_at_one_site_is_found() -> None:
    honest = gaussian()
    at = points(honest.regression, honest.data)
    for site in honest.regression.sites:
        found = [
            replace(f, gradient={**f.gradient, site.name: np.full(site.shape, np.nan)})
            for f in densities(honest.regression, honest.data, at)
        ]
        result = check("wrong", honest.target, at, found)
        assert (result.verdict, result.site) == ("different", site.name)


def without_terms(found: list[LogDensity]) -> list[LogDensity]:
    return [LogDensity(f.total) for f in found]


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


def test_points_without_a_mode_come_from_the_priors() -> None:
    """Separated classes under flat priors have no mode."""
    x = np.array([-2.0, -1.0, 1.0, 2.0])
    data = from_arrays(x, (x > 0).astype(float))
    honest = problem.from_data(data, family="Bernoulli", priors=PRIORS)
    flat = replace(honest.regression, intercept=Normal(0, 1e12), beta=(Normal(0, 1e12),))
    assert len(points(flat, data)) == 20


@pytest.mark.skipif("numpyro" not in USABLE, reason="the doctored plugin is made of numpyro's")
def test_a_doctored_prior_is_a_disagreement_that_names_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(monkeypatch, "doctored")
    result = compare(problem.toy(), ["exact", "doctored:nuts(warmup=200, draws=500)"], Settings(seed=1))
    assert result.decision.exit_code == 1
    reason = result.decision.reasons[0]
    assert reason.code == "different-model"
    assert "in the term of beta" in reason.text
    assert "as if the scale were 100 = 10^2 instead of 10" in reason.text


PROBLEMS = problems()
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


@pytest.mark.parametrize("name", [name for name in PROBLEMS if not name.endswith(("-fixed", "-weights-offset"))])
def test_gradients_of_the_unconstrained_numbers_are_held_against_their_density(name: str) -> None:
    """The Jacobian's gradient among them; what is moved by a thousandth is found."""
    honest = PROBLEMS[name]
    at, slots = points(honest.regression, honest.data, 12), honest.regression.slots()
    slopes = unconstrained_density(specification.LogJoint(honest.regression, honest.data))[1]
    found = []
    for point, density in zip(at, densities(honest.regression, honest.data, at), strict=True):
        along = slopes(unconstrain(slots, point, np))
        parts = {slot.site: along[slot.start : slot.stop].reshape(slot.shape) for slot in slots}
        found.append(replace(density, gradient=parts, gradient_of="unconstrained"))
    result = check("climbs", honest.target, at, found)
    assert result.verdict == "same", result
    site = honest.regression.sites[-1].name
    wrong = [replace(f, gradient={**f.gradient, site: 1.01 * f.gradient[site]}) for f in found]
    result = check("climbs", honest.target, at, wrong)
    assert (result.verdict, result.site) == ("different", site)


@pytest.mark.parametrize("name", PROBLEMS)
def test_points_lie_in_the_support_and_are_spread(name: str) -> None:
    honest = PROBLEMS[name]
    at = points(honest.regression, honest.data, 8)
    totals = [f.total for f in densities(honest.regression, honest.data, at)]
    assert np.all(np.isfinite(totals))
    assert np.ptp(totals) > 1.0
    for point in at:
        for site in honest.regression.sites:
            lows, highs = np.array(site.bounds).T
            value = np.reshape(point[site.name], -1)
            assert np.all((value > lows) & (value < highs))


def zeros(scale: float) -> Problem:
    """Twenty counts of 0: far out the rate overflows, and the density lies 1e198 nats under the mode's."""
    data = from_arrays(np.empty((20, 0)), np.zeros(20))
    return problem.from_data(data, family="Poisson", priors={"intercept": f"Normal(0, {scale})"})


@pytest.mark.parametrize("scale", [100.0, 1000.0])
def test_a_far_point_hides_no_other_prior(scale: float) -> None:
    """As it would if one limit, by the largest of all densities, were set to all of them; here without gradients."""
    honest = zeros(scale)
    at = points(honest.regression, honest.data)
    totals = np.array([f.total for f in densities(honest.regression, honest.data, at)])
    assert len(at) == 20
    assert np.ptp(totals) < 1000.0
    wrong = replace(honest.regression, intercept=Normal(0, 1))
    found = [replace(f, gradient=None) for f in densities(wrong, honest.data, at)]
    result = check("wrong", honest.target, at, found)
    assert (result.verdict, result.site) == ("different", "intercept")
    assert result.pattern == f"as if the scale were 1 instead of {scale:g}"
    assert judged(honest, honest.regression).verdict == "same"


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("backend", [name for name in USABLE if name in {"pyro", "numpyro"}])
@pytest.mark.parametrize("scale", [100.0, 1000.0])
def test_honest_backends_have_the_same_model_far_out(backend: str, precision: Precision, scale: float) -> None:
    """Where the rate is no number but 0, too."""
    honest, engine = zeros(scale), bayescore.get_backend(backend, precision=precision)
    native = engine.build_data(honest.regression, honest.data)
    at = points(honest.regression, honest.data)
    found = [engine.log_density(honest.regression, native, point) for point in at]
    result = check(backend, honest.target, at, found, precision=precision)
    assert (result.verdict, result.points) == ("same", 20)
    assert result.gradient_spread is not None


def test_points_that_say_nothing_are_left_out() -> None:
    """Ten are enough; of fewer nothing follows, whatever the backend says."""
    honest = zeros(100.0)
    at = points(honest.regression, honest.data)
    far = [{"intercept": np.array(float(u))} for u in (20, 100, 700, 800)]
    with np.errstate(over="ignore"):
        found = densities(honest.regression, honest.data, at[:10]) + [LogDensity(np.nan, {"intercept": np.nan})] * 4
    result = check("a", honest.target, [*at[:10], *far], found)
    assert (result.verdict, result.points) == ("same", 10)
    result = check("a", honest.target, [*at[1:10], *far], found[1:])
    assert (result.verdict, result.points) == ("not-checked", 0)
    assert result.pattern is not None
    assert result.pattern.startswith("9 of 13 points can be used, and 10 are needed")


def test_a_parameter_that_no_point_tells_apart_leaves_the_model_unchecked() -> None:
    honest = gaussian()
    at = [{**point, "sigma": np.array(0.1)} for point in points(honest.regression, honest.data)]
    result = check("a", honest.target, at, densities(honest.regression, honest.data, at))
    assert (result.verdict, result.points) == ("not-checked", 0)
    assert result.pattern == "sigma has the same value at all points"


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


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_wrong_gradient_is_found_in_any_units(unit: float) -> None:
    rng = np.random.default_rng(1)
    x = unit * rng.normal(size=(50, 1))
    data = from_arrays(x, x[:, 0] / unit + rng.normal(size=50))
    honest = problem.from_data(data, family="Gaussian(sigma=1)")
    at = points(honest.regression, data)
    right = densities(honest.regression, data, at)
    assert check("a", RegressionTarget(honest.regression, data, data), at, right).verdict == "same"
    found = [replace(f, gradient={**f.gradient, "beta": 1.001 * f.gradient["beta"]}) for f in right]
    result = check("a", RegressionTarget(honest.regression, data, data), at, found)
    assert (result.verdict, result.site) == ("different", "beta")
    assert result.pattern == "its gradient is not that of its density"


def test_many_parameters_have_points_that_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """At twice the posterior's width all would lie too far under the mode, as 600 parameters by 1000 nats."""
    monkeypatch.setattr(target, "DEEPEST", 50.0)
    rng = np.random.default_rng(2)
    data = from_arrays(rng.normal(size=(40, 30)), rng.normal(size=40))
    honest = problem.from_data(data, family="Gaussian(sigma=1)", priors={"beta": "Normal(0, 1)"})
    at = points(honest.regression, honest.data)
    joint = specification.LogJoint(honest.regression, honest.data)
    totals = np.array([float(joint(point)) for point in at])
    assert len(at) == 20
    assert 5.0 < np.ptp(totals) < 50.0


def test_the_sentence_says_whose_model_was_checked() -> None:
    document = {
        "contenders": [{"name": n, "status": "ok", "method": "nuts"} for n in "abc"],
        "settings": {"margin": 0.1, "model_only": False},
        "pairs": [], "reasons": [], "verdict": "agree",
        "model_check": [{"contender": "a", "points": 20}, {"contender": "b", "points": 18}],
    }  # fmt: skip
    assert "model checked at 18 points, but not that of c)" in sentence(document)
    document["model_check"] = [{"contender": "b", "points": 0}]
    assert "model not checked)" in sentence(document)
    document["model_check"] = [{"contender": n, "points": 20} for n in "abc"]
    assert "model checked at 20 points)" in sentence(document)
