"""Every call to a backend is checked on the way in, and on the way out."""

import numpy as np
import pytest

from bayescore import problem
from bayescore.backend import Backend, BackendInfo, Fit, LogDensity
from bayescore.contract import Checked, requirements
from bayescore.errors import BackendContractError, RequestError, UnsupportedError
from bayescore.exact.backend import ExactBackend
from bayescore.exact.plugin import bayescore_backends
from bayescore.methods import NUTS, SVI, Exact

(INFO,) = bayescore_backends()
TOY = problem.toy()


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


@pytest.mark.parametrize("method", [SVI(), NUTS()], ids=str)
def test_what_is_not_declared_is_refused_before_any_work(method):
    class Untouchable(ExactBackend):
        def fit(self, *args, **kwargs):
            raise AssertionError("it was called")

    backend = checked(Untouchable())
    with pytest.raises(UnsupportedError, match="never: exact"):
        backend.fit(TOY.regression, TOY.data, method, seed=0)


def test_the_method_exact_asks_for_each_requirement_of_its_own():
    wanted = requirements(TOY.regression, Exact())
    assert {"method:exact", "family:Gaussian", "exact:family:Gaussian", "exact:prior:coefficient:Normal"} <= wanted
    assert "exact:family:Gaussian" not in requirements(TOY.regression, NUTS())


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
    with pytest.raises(BackendContractError, match=r"expected terms \['beta', 'intercept', 'likelihood'\]"):
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
