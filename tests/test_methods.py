"""The methods' settings: defaults, what is refused, how they are written."""

import math

import numpy as np
import pytest

from bayescore import methods
from bayescore.errors import RequestError
from bayescore.methods import MAP, MLE, NUTS, SVI, Exact


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
