"""Every call to a backend is checked on the way in, and on the way out."""

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from declared import problems

from bayescore.backend import Backend, BackendInfo, Fit, LogDensity
from bayescore.contract.checked import Checked, refusal
from bayescore.density.guide import gaussian_moments
from bayescore.density.specification import log_density
from bayescore.errors import BackendContractError, DataError, RequestError, UnsupportedError
from bayescore.exact.backend import ExactBackend
from bayescore.exact.plugin import bayescore_backends
from bayescore.methods import MAP, MLE, NUTS, SVI, Exact, Kind, Laplace
from bayescore.model.posterior import label
from bayescore.regressions.points import prior_draw
from bayescore.tables import problem

(INFO,) = bayescore_backends()
TOY = problem.toy()
PROBLEMS = problems()


def checked(backend=None, info=INFO):
    return Checked(backend or ExactBackend(), info)


def fitted(backend):
    native = backend.build_data(TOY.regression, TOY.data)
    return backend.fit(TOY.regression, native, Exact(50), seed=0)


def test_a_sound_backend_passes_and_is_timed():
    backend = checked()
    fit = fitted(backend)
    posterior = backend.sample_posterior(fit, seed=1)
    drawn = backend.predict(fit, posterior, TOY.new_data, seed=2)
    assert drawn.shape == (1, 50, 20)
    assert set(backend.seconds) == {"build_data", "fit", "sample_posterior", "predict"}
    assert all(seconds >= 0 for seconds in backend.seconds.values())


def test_parts_of_a_fit_that_a_backend_tells_apart_are_kept():
    class Compiled(ExactBackend):
        def fit(self, *args, **kwargs):
            fit = super().fit(*args, **kwargs)
            return Fit(fit.regression, fit.method, fit.native, seconds={"compile": 0.25})

    backend = checked(Compiled())
    fitted(backend)
    assert backend.seconds["compile"] == 0.25


GOOD = {"loc": np.zeros((9, 2)), "log_scale": np.zeros((9, 2))}


@pytest.mark.parametrize(
    "iterates, message",
    [
        (GOOD, None),
        ({**GOOD, "lower": np.zeros((9, 2, 2))}, None),
        ([GOOD], "iterates: expected arrays by name, got list"),
        ({**GOOD, "loc": np.zeros(9)}, r"loc: expected \(step, parameter\) = \(9, 2\), got \(9,\)"),
        ({**GOOD, "loc": np.zeros((9, 7))}, r"loc: expected .* = \(9, 2\), got \(9, 7\)"),
        ({**GOOD, "log_scale": np.zeros((8, 2))}, r"log_scale: expected .* = \(9, 2\), got \(8, 2\)"),
        ({name: v[:0] for name, v in GOOD.items()}, r"loc: expected .* = \(1, 2\), got \(0, 2\)"),
        ({**GOOD, "a/b": np.zeros(9)}, "expected a name of letters, digits and _, got 'a/b'"),
    ],
)
def test_iterates_are_such_as_can_be_judged_and_stored(iterates, message):
    class Iterating(ExactBackend):
        def fit(self, *args, **kwargs):
            return replace(super().fit(*args, **kwargs), iterates=iterates)

    if message is None:
        assert fitted(checked(Iterating())).iterates is iterates
        return
    with pytest.raises(BackendContractError, match=message):
        fitted(checked(Iterating()))


@pytest.mark.parametrize("name", ["chain", "draw"])
def test_a_statistic_is_not_named_as_an_axis(name):
    class Named(ExactBackend):
        def sample_posterior(self, fit, *, seed):
            posterior = super().sample_posterior(fit, seed=seed)
            return replace(posterior, sample_stats={name: np.zeros(posterior.shape)})

    backend = checked(Named())
    with pytest.raises(BackendContractError, match=f"{name}: expected another name than '{name}'"):
        backend.sample_posterior(fitted(backend), seed=1)


def test_exact_draws_that_are_all_equal_are_an_offence():
    class Still(ExactBackend):
        def sample_posterior(self, fit, *, seed):
            posterior = super().sample_posterior(fit, seed=seed)
            mean = np.round(posterior.moments.mean * 1024) / 1024  # whose mean over the draws is not rounded
            intercept, beta = (mean[posterior.moments.names.index(name)] for name in ("intercept", "beta[x]"))
            return replace(
                posterior, draws={"intercept": np.full((1, 200), intercept), "beta": np.full((1, 200, 1), beta)}
            )

    backend = checked(Still())
    native = backend.build_data(TOY.regression, TOY.data)
    fit = backend.fit(TOY.regression, native, Exact(200), seed=0)
    with pytest.raises(BackendContractError, match="sds of its own draws, 0 for"):
        backend.sample_posterior(fit, seed=1)


@pytest.mark.parametrize("method", [SVI(), NUTS()], ids=str)
def test_what_is_not_declared_is_refused_before_any_work(method):
    class Untouchable(ExactBackend):
        def fit(self, *args, **kwargs):
            raise AssertionError("it was called")

    backend = checked(Untouchable())
    with pytest.raises(UnsupportedError, match=r"^exact"):
        backend.fit(TOY.regression, TOY.data, method, seed=0)


ALL = BackendInfo(
    "all",
    lambda precision: ExactBackend(),
    frozenset().union(
        *(s.regression.requirements | s.data.requirements for s in PROBLEMS.values()),
        *(method.requirements for method in (SVI(), NUTS(), MAP(), MLE(), Exact(), Laplace())),
        {"precision:float64", "feature:log_density"},
    ),
)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_requirement_that_is_not_declared_is_refused(name):
    stated = PROBLEMS[name]
    assert refusal(ALL, stated.regression, NUTS(), stated.data) is None
    wanted = stated.regression.requirements | stated.data.requirements | {"method:nuts", "precision:float64"}
    for one in wanted:
        less = replace(ALL, supports=ALL.supports - {one})
        refused = refusal(less, stated.regression, NUTS(), stated.data)
        assert refused == f"all does not declare {one!r}"
        said = replace(less, gaps={one: "not yet: tomorrow"})
        assert refusal(said, stated.regression, NUTS(), stated.data) == "not yet: tomorrow"
    assert refusal(ALL, stated.regression, NUTS(), stated.data, "float32") == "all does not declare 'precision:float32'"


def test_offsets_weights_and_rows_that_stand_for_many_are_asked_for():
    plain = TOY.data
    assert plain.requirements == frozenset()
    ones = np.ones(plain.rows)
    assert replace(plain, offset=ones).requirements == {"feature:offset"}
    assert replace(plain, weights=ones).requirements == {"feature:weights"}
    assert replace(plain, weights=ones, ones=ones).requirements == {"feature:weights", "feature:reduction"}
    less = replace(INFO, supports=INFO.declared() - {"feature:weights"})
    with pytest.raises(UnsupportedError, match="exact does not declare 'feature:weights'"):
        checked(info=less).build_data(TOY.regression, replace(plain, weights=ones))


@pytest.mark.parametrize("name", ["groups-intercepts-Gaussian", "network-4", "prior-Horseshoe"])
def test_what_has_no_maximum_of_the_likelihood_has_no_mle(name):
    stated = PROBLEMS[name]
    assert "use " in refusal(ALL, stated.regression, MLE(), stated.data)
    for method in (SVI(), NUTS(), Laplace()):
        assert refusal(ALL, stated.regression, method, stated.data) is None
    assert refusal(ALL, PROBLEMS["Poisson-log"].regression, MLE()) is None


def vanishing(stated, scale, offset=0.0):
    """The joint density as scales and what they scale go to 0 together."""
    values = {site.name: np.ones(site.shape) for site in stated.regression.sites}
    for name, value in values.items():
        if name.startswith(("sd(", "local(")):
            value[...] = scale
        if name.startswith("offset(") or (name == "beta" and "local(beta)" in values):
            value[...] = offset
        if name.startswith("cor("):
            value[...] = 0.1
    return log_density(stated.regression, stated.data, values).total


@pytest.mark.parametrize("name", ["groups-intercepts-Gaussian", "groups-correlated-Poisson", "prior-Horseshoe"])
def test_a_density_without_a_bound_has_no_map(name):
    stated = PROBLEMS[name]
    assert refusal(ALL, stated.regression, MAP()).startswith("the density of ")
    with_scale = [vanishing(stated, 10.0**-power) for power in (5, 50, 150)]
    assert with_scale[0] < with_scale[1] < with_scale[2]
    assert with_scale[2] > with_scale[0] + 300


@pytest.mark.parametrize("prior", ["InverseGamma(2, 1)", "LogNormal(0, 1)", "Uniform(0.1, 3)"])
def test_a_prior_that_keeps_an_sd_from_0_gives_the_density_a_bound(prior):
    plain = PROBLEMS["groups-intercepts-Gaussian"]
    groupings = tuple(term.grouping for term in plain.regression.groups)
    stated = problem.from_data(plain.data, groupings=groupings, priors={"sd": prior})
    everything = replace(ALL, supports=ALL.supports | stated.regression.requirements)
    assert refusal(everything, stated.regression, MAP()) is None
    if "Uniform" not in prior:
        assert vanishing(stated, 1e-150) < vanishing(stated, 1e-50) < vanishing(stated, 1.0)


def test_networks_have_a_map():
    assert refusal(ALL, PROBLEMS["network-4"].regression, MAP()) is None
    assert refusal(ALL, PROBLEMS["network-4"].regression, MLE()).endswith("use map, svi or nuts")


def test_a_backends_limits_are_asked_last():
    def limits(regression, method):
        return f"never: no {method.name} of {len(regression.columns)} column"

    limited = replace(ALL, limits=limits)
    assert refusal(limited, TOY.regression, NUTS()) == "no nuts of 1 column"
    with pytest.raises(UnsupportedError, match=r"^no exact of 1 column"):
        checked(info=limited).fit(TOY.regression, TOY.data, Exact(), seed=0)
    nothing = replace(limited, supports=frozenset())
    assert "no nuts" not in refusal(nothing, TOY.regression, NUTS())


@pytest.mark.parametrize(
    "prior, values, message",
    [
        ("HalfNormal(1)", -0.5, "sigma: expected positive values, got -0.5"),
        ("HalfNormal(1)", 0.0, "sigma: expected positive values, got 0"),
        ("Uniform(0, 2)", 2.5, r"sigma: expected values within \(0.0, 2.0\), got 2.5"),
        ("Uniform(0.5, 2)", 0.25, r"sigma: expected values within \(0.5, 2.0\), got 0.25"),
    ],
)
def test_draws_outside_of_their_support_are_an_offence(prior, values, message):
    class Odd(ExactBackend):
        def sample_posterior(self, fit, *, seed):
            draws = {site.name: np.ones((1, 5, *site.shape)) for site in fit.regression.sites}
            draws["sigma"][0, 3] = values
            return label(fit.regression, draws)

    stated = problem.from_data(TOY.data, priors={"sigma": prior})
    with pytest.raises(BackendContractError, match=message):
        checked(Odd()).sample_posterior(Fit(stated.regression, NUTS(chains=1, draws=5), None), seed=0)


@pytest.mark.parametrize(
    "name, site, values, message",
    [
        ("Ordinal-logit", "threshold", [0.5, -0.5], "expected values that increase"),
        ("groups-three-correlated", "cor(1,x1,x2|g)", [0.9, -0.9, 0.9], "correlations of a positive definite matrix"),
    ],
)
def test_values_that_cant_be_together_are_an_offence(name, site, values, message):
    stated = PROBLEMS[name]
    one = prior_draw(stated.regression, np.random.default_rng(0))
    draws = {n: np.stack([[v, v, v]]) for n, v in one.items()}

    class Odd(ExactBackend):
        def sample_posterior(self, fit, *, seed):
            return label(fit.regression, draws)

    fit = Fit(stated.regression, NUTS(chains=1, draws=3), None)
    assert checked(Odd()).sample_posterior(fit, seed=0).shape == (1, 3)
    draws[site][0, 1] = values
    with pytest.raises(BackendContractError, match=f"{re.escape(site)}: .*{message}"):
        checked(Odd()).sample_posterior(fit, seed=0)


@pytest.mark.parametrize(
    "method",
    [NUTS(chains=1, draws=5), SVI(draws=5), Laplace(draws=5), MLE(), MAP(), Exact(draws=5)],
    ids=lambda m: m.name,
)
def test_a_posterior_of_another_kind_than_the_methods_is_an_offence(method):
    moments = gaussian_moments(TOY.regression, np.zeros(2), np.eye(2), np.zeros((2, 2)), np.zeros(2))

    class Given(ExactBackend):
        kind = "chains"

        def sample_posterior(self, fit, *, seed):
            count = getattr(fit.method, "draws", 1)
            draws = {site.name: np.zeros((1, count, *site.shape)) for site in fit.regression.sites}
            known = moments if self.kind in {"exact", "guide"} else None
            return label(fit.regression, draws, moments=known, kind=self.kind)

    backend, fit = Given(), Fit(TOY.regression, method, None)
    for backend.kind in get_args(Kind):
        if backend.kind in method.kinds:
            assert checked(backend).sample_posterior(fit, seed=0).kind == backend.kind
        else:
            message = f"expected kind='{method.kinds[0]}' .*of {method.name}, got kind='{backend.kind}'"
            with pytest.raises(BackendContractError, match=message):
                checked(backend).sample_posterior(fit, seed=0)


@pytest.mark.parametrize("name", PROBLEMS)
def test_sound_draws_of_whatever_can_be_declared_pass(name):
    """And are refused with an element less, another name, or labels out of order."""
    stated = PROBLEMS[name]
    rng = np.random.default_rng(0)
    draws = [prior_draw(stated.regression, rng) for _ in range(6)]
    stacked = {n: np.stack([d[n] for d in draws]).reshape((2, 3, *np.shape(draws[0][n]))) for n in draws[0]}
    sound = label(stated.regression, stacked)

    class Given(ExactBackend):
        given = sound

        def sample_posterior(self, fit, *, seed):
            return self.given

    backend = Given()
    fit = Fit(stated.regression, NUTS(chains=2, draws=3), None)
    assert checked(backend).sample_posterior(fit, seed=0) is sound
    for site in stated.regression.sites:
        backend.given = replace(sound, draws={n: v for n, v in stacked.items() if n != site.name})
        with pytest.raises(BackendContractError, match="expected sites"):
            checked(backend).sample_posterior(fit, seed=0)
        if not site.shape:
            continue
        backend.given = replace(sound, draws={**stacked, site.name: stacked[site.name][..., :-1]})
        with pytest.raises(BackendContractError, match="expected shape"):
            checked(backend).sample_posterior(fit, seed=0)
        if len(site.labels) > 1:
            backend.given = replace(sound, labels={**sound.labels, site.name: site.labels[::-1]})
            with pytest.raises(BackendContractError, match=f"labels of {re.escape(site.name)}"):
                checked(backend).sample_posterior(fit, seed=0)


def test_probabilities_of_categories_are_predicted_along_a_last_axis():
    stated = PROBLEMS["Ordinal-logit"]
    values = {s.name: np.zeros((1, 4, *s.shape)) for s in stated.regression.sites}
    sound = label(stated.regression, values | {"threshold": np.tile([-1.0, 2.0], (1, 4, 1))})

    class Predicts(ExactBackend):
        last: slice | int = slice(None)

        def predict(self, fit, posterior, new_data, *, kind="mean", seed):
            return super().predict(fit, posterior, new_data, seed=seed)[..., self.last]

    backend, fit = Predicts(), Fit(stated.regression, NUTS(), None)
    shape = (1, 4, stated.data.rows, 3)
    assert checked(backend).predict(fit, sound, stated.data, seed=0).shape == shape
    with pytest.raises(BackendContractError, match=r"predict: response: expected shape \(1, 4, 60\)"):
        checked(backend).predict(fit, sound, stated.data, kind="response", seed=0)
    backend.last = 0
    assert checked(backend).predict(fit, sound, stated.data, kind="response", seed=0).shape == shape[:3]
    with pytest.raises(BackendContractError, match=r"predict: mean: expected shape \(1, 4, 60, 3\)"):
        checked(backend).predict(fit, sound, stated.data, seed=0)
    backend.last = slice(None, None, -1)
    with pytest.raises(BackendContractError, match="the categories are in another order"):
        checked(backend).predict(fit, sound, replace(stated.data, x=stated.data.x + 1.0), seed=0)


@pytest.mark.parametrize("seed", [-1, 1.0, True, None, "0"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(RequestError, match="a seed must be a whole number"):
        checked().fit(TOY.regression, TOY.data, Exact(), seed=seed)


def test_data_of_other_columns_are_refused():
    other = problem.toy(p=2)
    backend = checked()
    with pytest.raises(RequestError, match="are not the regression's"):
        backend.build_data(TOY.regression, other.data)
    fit = fitted(backend)
    with pytest.raises(RequestError, match="new data's columns"):
        backend.predict(fit, backend.sample_posterior(fit, seed=0), other.new_data, seed=0)


def test_data_that_no_formula_made_are_looked_at():
    data = replace(TOY.data, weights=np.full(TOY.data.rows, -1.0))
    with pytest.raises(DataError, match="weights are negative in rows 1, 2"):
        checked().build_data(TOY.regression, data)


def test_an_offence_names_the_plugin_what_was_expected_and_what_came():
    class Transposed(ExactBackend):
        def predict(self, *args, **kwargs):
            return super().predict(*args, **kwargs).transpose(2, 1, 0)

    backend = checked(Transposed())
    fit = fitted(backend)
    posterior = backend.sample_posterior(fit, seed=0)
    with pytest.raises(BackendContractError, match=r"exact: predict: mean: expected shape \(1, 50, 20\), got \(20, 50"):
        backend.predict(fit, posterior, TOY.new_data, seed=0)


def test_an_interface_that_is_not_filled_in_cant_be_made():
    class Half(Backend):
        def build_data(self, regression, data):
            return data

    with pytest.raises(TypeError, match="abstract"):
        Half()


def test_the_log_density_has_a_term_for_every_site_and_the_likelihood():
    class Forgetful(ExactBackend):
        def log_density(self, regression, data, values):
            return LogDensity(0.0, {"beta": 0.0, "likelihood": 0.0})

    values = {"intercept": np.array(1.0), "beta": np.array([3.0])}
    assert np.isfinite(checked().log_density(TOY.regression, TOY.data, values).total)
    with pytest.raises(
        BackendContractError, match=r"expected terms \['intercept', 'beta', 'likelihood'\], got .*: intercept left out"
    ):
        checked(Forgetful()).log_density(TOY.regression, TOY.data, values)
    silent = BackendInfo("silent", lambda precision: ExactBackend(), frozenset())
    with pytest.raises(UnsupportedError, match="log_density"):
        checked(info=silent).log_density(TOY.regression, TOY.data, values)


def test_a_backend_is_made_by_its_name():
    import bayescore

    for _ in range(2):
        backend = bayescore.get_backend("exact")
        assert isinstance(backend, Checked)
        assert backend.info.name == "exact"
