"""Draws are compared as users have them: names, chosen and renamed sites, MCMC objects, free entries."""

import numpy as np
import pytest

from bayescore.errors import DataError, RequestError
from bayescore.testing import assert_posteriors_agree


def draws(seed, **more):
    rng = np.random.default_rng(seed)
    found = {"mu": rng.normal(size=(4, 4000)), "w": 1.0 + rng.normal(size=(4, 4000, 2))}
    return {**found, **{name: make(rng) for name, make in more.items()}}


class Sampler:
    """Has what NumPyro's MCMC has, and Pyro's."""

    num_chains = 4

    def __init__(self, samples, diverging=None, divergences=None):
        self.samples = samples
        if divergences is not None:
            self.diagnostics = lambda: {"divergences": divergences, "mu": {"r_hat": 1.0}}
        if diverging is not None:
            self.get_extra_fields = lambda group_by_chain: {"diverging": diverging}

    def get_samples(self, *, group_by_chain):
        if self.samples is None:
            raise AttributeError("'NoneType' object has no attribute 'items'")
        return self.samples


def test_names_are_those_of_the_user_and_the_table_is_there():
    other = draws(2)
    other["mu"] = other["mu"] + 1.0
    with pytest.raises(AssertionError) as told:
        assert_posteriors_agree(draws(1), other, names=("pyro", "numpyro"))
    lines = str(told.value).splitlines()
    assert lines[0].startswith("disagree: different-posterior: the means of ")
    assert any(line.split()[:2] == ["quantity", "of"] for line in lines)
    assert any(line.split()[:2] == ["mu", "mean"] and line.endswith("disagree") for line in lines)


@pytest.mark.parametrize("chosen", [["w"], ["w[0]", "w[1]"], ["~mu"], ["w", "~w[1]"]])
def test_only_what_is_asked_for_is_compared(chosen):
    other = draws(2)
    other["mu"] = other["mu"] + 1.0
    assert_posteriors_agree(draws(1), other, var_names=chosen)
    with pytest.raises(AssertionError):
        assert_posteriors_agree(draws(1), other, var_names=["mu", "w"])


def test_a_site_that_is_called_otherwise():
    other = draws(2)
    other["weights"] = other.pop("w")
    with pytest.raises(DataError, match="only one side has"):
        assert_posteriors_agree(draws(1), other)
    assert_posteriors_agree(draws(1), other, rename={"weights": "w"})
    assert_posteriors_agree(draws(1), other, rename={"w": "weights"})


def test_divergences_of_samplers_count():
    flags = np.zeros((4, 4000), dtype=bool)
    assert_posteriors_agree(Sampler(draws(1), diverging=flags), Sampler(draws(2), divergences={"chain 0": []}))
    flags[2, 5] = True
    for ill in (Sampler(draws(1), diverging=flags), Sampler(draws(1), divergences={"chain 0": [], "chain 1": [17]})):
        with pytest.raises(AssertionError, match="b: 1 diverg"):
            assert_posteriors_agree(draws(2), ill)


def simplex(rng):
    return rng.dirichlet([2.0, 3.0, 4.0], size=(4, 4000))


def correlation(rng):
    u = np.tanh(rng.normal(scale=0.5, size=(4, 4000)))
    one = np.ones_like(u)
    return np.moveaxis(np.array([[one, u], [u, one]]), (0, 1), (2, 3))


def cholesky(rng):
    return np.linalg.cholesky(correlation(rng))


@pytest.mark.parametrize("make", [simplex, correlation, cholesky])
def test_entries_that_others_determine_are_no_quantities(make):
    assert_posteriors_agree(draws(1, theta=make), draws(2, theta=make))
    with pytest.raises(AssertionError) as told:
        assert_posteriors_agree(
            draws(1, theta=make),
            draws(2, theta=lambda rng: 0.9 * make(rng) + 0.1 * np.eye(3 if make is simplex else 2)[0]),
        )
    assert "R-hat inf" not in str(told.value)


WRONG = [
    (DataError, "a has no draws: run the MCMC", {"a": Sampler(None)}),
    (RequestError, "names must be two different texts", {"names": ("a", "a")}),
    (DataError, "no site or parameter 'nu'", {"var_names": ["nu"]}),
    (DataError, "asked to rename 'nu'", {"rename": {"nu": "mu"}}),
    (DataError, "has two sites that are called 'mu'", {"rename": {"w": "mu"}}),
]


@pytest.mark.parametrize("error, words, given", WRONG)
def test_what_makes_no_sense_is_said_in_a_line(error, words, given):
    given = dict(given)
    with pytest.raises(error, match=words) as told:
        assert_posteriors_agree(given.pop("a", draws(1)), draws(2), **given)
    assert "\n" not in str(told.value)
