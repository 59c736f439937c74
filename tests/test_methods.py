"""The methods' settings: defaults, what is refused, how they are written."""

import math
from dataclasses import dataclass, fields

import numpy as np
import pytest

from bayescore import methods
from bayescore.errors import RequestError
from bayescore.methods import MAP, MLE, NUTS, SVI, Exact, Laplace, Method


@pytest.mark.parametrize(
    "text, method",
    [
        ("svi", SVI()),
        ("SVI", SVI()),
        ("nuts(chains=2, draws=500)", NUTS(chains=2, draws=500)),
        ("svi(guide=full_rank, steps=5000)", SVI(guide="full_rank", steps=5000)),
        ("svi(tutorial)", SVI.tutorial()),
        ("svi(batch_size=None)", SVI()),
        ("map(schedule=constant)", MAP(schedule="constant")),
        ("mle", MLE()),
        ("exact(draws=10)", Exact(10)),
    ],
)
def test_a_method_is_read_and_its_writing_is_read_again(text, method):
    assert methods.parse(text) == method
    assert methods.parse(str(method)) == method


@pytest.mark.parametrize("name", methods.METHODS)
def test_a_default_method_is_written_as_its_name(name):
    assert str(methods.parse(name)) == name


def test_nuts_defaults_are_the_documented_ones():
    nuts = NUTS()
    assert (nuts.chains, nuts.warmup, nuts.draws, nuts.target_accept, nuts.max_tree_depth) == (4, 1000, 2500, 0.8, 10)


@pytest.mark.parametrize(
    "text, message",
    [
        ("nutz", "unknown method 'nutz'; did you mean 'nuts'"),
        ("nuts(chain=4)", "no setting 'chain'; did you mean 'chains'"),
        ("nuts(4)", "by name"),
        ("nuts(chains=0)", "chains must be a whole number of at least 1"),
        ("nuts(draws=2.5)", "draws must be a whole number"),
        ("nuts(draws=True)", "draws must be a whole number"),
        ("nuts(draws=None)", "draws must be a whole number"),
        ("nuts(warmup=-1)", "warmup must be a whole number of at least 0"),
        ("nuts(target_accept=1.0)", "target_accept must be a number between 0 and 1"),
        ("nuts(dense_mass=1)", "dense_mass must be True or False"),
        ("svi(steps=0)", "steps must be a whole number"),
        ("svi(steps=None)", "steps must be a whole number"),
        ("svi(rate=0)", "rate must be a positive number"),
        ("svi(rate=1e999)", "rate must be a positive number"),
        ("svi(rate=fast)", "rate must be a positive number"),
        ("svi(guide=meanfield)", "guide must be one of mean_field, full_rank"),
        ("svi(schedule=linear)", "schedule must be one of"),
        ("svi(init=zero)", "init must be one of"),
        ("exact(draws=None)", "draws must be a whole number"),
        ("laplace(centred=None)", "centred must be True or False"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_reason(text, message):
    with pytest.raises(RequestError, match=message):
        methods.parse(text)


def test_warmup_may_be_zero():
    assert NUTS(warmup=0).warmup == 0


@pytest.mark.parametrize("schedule, last", [("constant", 0.2), ("cosine", 0.2 * 0.01), ("exponential", 0.2 * 0.01)])
def test_the_rate_ends_where_its_schedule_says(schedule, last):
    rates = SVI(steps=11, rate=0.2, schedule=schedule).rates
    assert len(rates) == 11
    assert math.isclose(rates[0], 0.2)
    assert math.isclose(rates[-1], last)
    assert rates == sorted(rates, reverse=True)


def test_one_step_has_a_rate():
    assert MLE(steps=1).rates == [0.05]


def test_smoke_is_two_iterations():
    assert SVI().smoke().steps == 2
    assert (NUTS().smoke().warmup, NUTS().smoke().draws) == (2, 2)
    assert Exact().smoke().draws == 2


def test_a_method_says_what_a_backend_needs_for_it():
    assert SVI().requirements == {"method:svi", "guide:mean_field"}
    assert SVI(guide="full_rank", batch_size=10).requirements == {"method:svi", "guide:full_rank", "feature:minibatch"}
    assert SVI(guide=lambda: None).requirements == {"method:svi", "feature:own_guide"}
    assert NUTS().requirements == {"method:nuts"}


def test_estimands():
    assert [m.estimand for m in (MLE(), MAP(), SVI(), NUTS(), Exact())] == [
        "mle",
        "map",
        "posterior",
        "posterior",
        "posterior",
    ]


@pytest.mark.parametrize("value", [print, len, [], {}, 1, None, ("constant",), np.zeros(2)], ids=str)
def test_only_a_guide_may_be_a_function(value):
    for make in (lambda: SVI(schedule=value), lambda: SVI(init=value), lambda: MAP(schedule=value)):
        with pytest.raises(RequestError, match="must be one of"):
            make()
    if not callable(value):
        with pytest.raises(RequestError, match="guide must be one of"):
            SVI(guide=value)
    assert SVI(guide=print).guide is print


def test_numbers_of_numpy_are_numbers():
    assert NUTS(draws=np.int64(5), target_accept=np.float64(0.9)) == NUTS(draws=5, target_accept=0.9)
    assert type(NUTS(draws=np.int64(5)).draws) is int
    assert str(SVI(rate=np.float32(0.5))) == "svi(rate=0.5)"


def test_a_class_stands_for_its_defaults():
    assert methods.parse(NUTS) == NUTS()


SAID = {
    MLE(): ("unknown", "none", "unknown", False, "start", (1, 1)),
    MAP(): ("unknown", "none", "unknown", False, "start", (1, 1)),
    SVI(): ("iterates", "diagonal", "elbo", True, "mass", (None, 10_000)),
    SVI(guide="full_rank", average=False): ("iterates", "full_rank", "elbo", False, "mass", (None, 10_000)),
    SVI(guide=print): ("iterates", "own", "unknown", True, "mass", (None, 10_000)),
    SVI.tutorial(): ("iterates", "diagonal", "elbo", False, "zero", (None, 10_000)),
    NUTS(): ("chains", "none", "unknown", False, "mass", (4, 2500)),
    Laplace(draws=5): ("construction", "full_rank", "mode", False, "mode", (None, 5)),
    Exact(draws=5): ("construction", "none", "unknown", False, "mass", (None, 5)),
}


@pytest.mark.parametrize("method", SAID, ids=str)
def test_a_method_says_by_what_it_is_judged_and_what_comes_out(method):
    found = (method.standard, method.guide_family, method.optimum, method.averaged, method.begins, method.shape)
    assert found == SAID[method]


@dataclass(frozen=True)
class Own(Method):
    """A method of somebody else's, who says nothing of it."""

    name = "own"
    kinds = ("independent",)


def test_of_a_method_that_says_nothing_nothing_is_believed():
    assert (Own().standard, Own().guide_family, Own().optimum, Own().shape) == (
        "unknown",
        "none",
        "unknown",
        (None, None),
    )
    assert Own().requirements == {"method:own"}


@pytest.mark.parametrize("name", methods.METHODS)
def test_every_setting_says_what_values_it_can_have(name):
    for setting in fields(methods.METHODS[name]):
        assert setting.metadata["values"].wanted_for(setting.default) is None
        assert setting.metadata["values"].wanted_for([]) is not None


def needs(method):
    return {need.what: need.numbers for need in method.needs(10, 500, 3)}


def test_a_method_says_what_memory_it_needs():
    assert needs(NUTS()) == {"10000 draws of nuts of 10 parameters": 100_000}
    assert needs(NUTS(dense_mass=True))["a matrix of 10 by 10 parameters of nuts"] == 100
    assert needs(MAP()) == {"1 draws of map of 10 parameters": 10, "1000 steps of map with 10 parameters": 2000}
    assert needs(SVI()) == {
        "10000 draws of svi of 10 parameters": 100_000,
        "1000 steps of svi with 10 parameters": 12_000,
        "32 particles of svi at 500 rows a step": 32 * 500 * 3,
    }
    assert needs(SVI(batch_size=20))["32 particles of svi at 20 rows a step"] == 32 * 20 * 3
    assert needs(SVI(guide="full_rank"))["a matrix of 10 by 10 parameters of svi"] == 100
    for method in (Exact(), Laplace()):
        assert needs(method)["the covariance of 10 parameters"] == 100
