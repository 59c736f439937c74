"""The statement of a regression: what it refuses, what it asks of a backend, how it is written down."""

import numpy as np
import pytest
from declared import LEVELS, problems

from bayescore.errors import RequestError
from bayescore.model.distributions import LKJ, HalfNormal, Horseshoe, Normal
from bayescore.model.families import Bernoulli, Categorical, Gaussian, Ordinal
from bayescore.model.groups import Grouping, GroupTerm
from bayescore.model.network import Network
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent

ONE = Normal(0, 1)
TERM = GroupTerm(Grouping("g", ("1",), LEVELS), (HalfNormal(1),))
PROBLEMS = problems()


@pytest.mark.parametrize(
    "statement, message",
    [
        ((Bernoulli(), ("a", "b"), None, (ONE,)), "2 coefficients need as many priors, not 1"),
        ((Categorical(categories=3), ("a",), None, (ONE,)), "2 coefficients need as many priors, not 1"),
        ((Gaussian(), ("a",), None, (ONE,)), r"needs priors for \['sigma'\], not \[\]"),
        (
            (Gaussian(sigma=1), ("a",), None, (ONE,), {"sigma": HalfNormal(1)}),
            r"needs priors for \[\], not \['sigma'\]",
        ),
        ((Ordinal(categories=3), ("a",), ONE, (ONE,), {}, (ONE, ONE)), "thresholds in the intercept's place"),
        ((Ordinal(categories=3), ("a",), None, (ONE,)), "thresholds in the intercept's place"),
        (
            (Categorical(categories=3), (), (ONE,) * 2, (), {}, (), (TERM,)),
            "Categorical has no group terms and no network",
        ),
        (
            (Categorical(categories=3), ("a",), None, (), {}, (), (), Network((2,), {})),
            "Categorical has no group terms and no network",
        ),
        ((Bernoulli(), ("a", "b"), None, (ONE, Horseshoe())), "no coefficient can have another"),
        ((Bernoulli(), ("a",), HalfNormal(1), (ONE,)), "intercept is real, but its prior HalfNormal"),
    ],
)
def test_a_regression_is_complete_and_fits_or_is_refused(statement, message):
    with pytest.raises(RequestError, match=message):
        Regression(*statement)


def test_parameters_are_named_by_site_and_label():
    assert PROBLEMS["Gaussian-identity"].regression.parameters == ("beta[x1]", "beta[x2]", "intercept", "sigma")
    at_zero = PROBLEMS["intercept-at-zero"].regression
    assert at_zero.parameters == ("intercept", "beta[x1]", "beta[x2]", "sigma")
    correlated = PROBLEMS["groups-correlated-Gaussian"].regression
    offsets = [f"offset({effect}|g)[{level}]" for effect in ("1", "x1") for level in LEVELS]
    scales = ["sd(1|g)", "sd(x1|g)", "cor(1,x1|g)"]
    assert list(correlated.parameters) == ["beta[x1]", "beta[x2]", "intercept", "sigma", *scales, *offsets]


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_site_comes_after_those_it_depends_on(name):
    """Drawing in order needs nothing that is not there; the layout covers the vector without gaps."""
    regression = PROBLEMS[name].regression
    values = {}
    for site in regression.sites:
        values[site.name] = np.asarray(site.sample(np.random.default_rng(0), values))
        assert values[site.name].shape == site.shape
        assert np.isfinite(site.log_prob(values))
    assert len(regression.parameters) == len(set(regression.parameters)) == len(regression.bounds)
    slots = regression.slots()
    assert [slot.site for slot in slots] == [site.name for site in regression.sites]
    assert [slot.start for slot in slots] == [0, *(slot.stop for slot in slots[:-1])]
    assert slots[-1].stop == len(regression.parameters)


@pytest.mark.parametrize("name", PROBLEMS)
def test_requirements_name_family_link_and_every_prior(name):
    regression = PROBLEMS[name].regression
    wanted = regression.requirements
    assert {f"family:{regression.family.name}", f"link:{regression.family.link_name}"} <= wanted
    assert ("feature:groups" in wanted) == bool(regression.groups)
    assert ("feature:network" in wanted) == (regression.network is not None)
    for site in regression.sites:
        assert site.requirements
        assert site.requirements <= wanted
    assert {w.partition(":")[0] for w in wanted} <= {"family", "link", "prior", "feature"}


def test_only_independent_parameters_are_elementwise():
    for name, stated in PROBLEMS.items():
        plain = all(isinstance(site, Independent) for site in stated.regression.sites)
        assert stated.regression.elementwise == plain
        assert plain != name.startswith(("groups", "network-groups", "Ordinal", "prior-Horseshoe"))


def test_the_model_is_written_down():
    plain = Regression(Gaussian(), ("a", "b"), Normal(0, 3), (Normal(0, 2),) * 2, {"sigma": HalfNormal(1)})
    assert plain.describe().splitlines() == [
        "y ~ Normal(eta, sigma)",
        "eta = intercept + beta[a] * a + beta[b] * b",
        "intercept ~ Normal(0, 3)",
        "beta[j] ~ Normal(0, 2)",
        "sigma ~ HalfNormal(1)",
    ]
    alone = Regression(Gaussian(sigma=0.25), (), ONE, ())
    assert alone.describe().splitlines() == ["y ~ Normal(eta, 0.25)", "eta = intercept", "intercept ~ Normal(0, 1)"]
    nothing = Regression(Bernoulli("probit"), (), None, ())
    assert nothing.describe().splitlines() == ["y ~ Bernoulli(Phi(eta))", "eta = 0"]


def test_group_terms_are_written_down():
    grouping = Grouping("county", ("1", "x"), ("a", "b"))
    term = GroupTerm(grouping, (HalfNormal(1), HalfNormal(2)), LKJ(2))
    lines = Regression(Gaussian(sigma=1), ("x",), ONE, (ONE,), groups=(term,)).describe().splitlines()
    assert lines[1] == "eta = intercept + beta[x] * x + offset(1|county)[county] + offset(x|county)[county] * x"
    assert lines[4:] == [
        "sd(1|county) ~ HalfNormal(1)",
        "sd(x|county) ~ HalfNormal(2)",
        "cor(1,x|county) ~ LKJ(2)",
        "(offset(1|county), offset(x|county))[l] ~ MultivariateNormal(0, D R D), "
        "D = diag(sd(1|county), sd(x|county)), R of cor(1,x|county)",
    ]


@pytest.mark.parametrize("name", PROBLEMS)
def test_whatever_can_be_declared_can_be_written_down(name):
    """A line a density; every parameter but those of networks and groups by the name of its prior."""
    regression = PROBLEMS[name].regression
    text = regression.describe()
    lines = text.splitlines()
    assert lines[0].startswith("y ~ ")
    assert "{" not in text
    for site in regression.sites:
        assert site.name in text, site.name
    assert lines[1].startswith(("eta = ", "eta[k] = "))


def test_a_fixed_auxiliary_is_written_as_its_number():
    for name in ("NegativeBinomial", "Gamma", "Beta", "StudentT"):
        first = PROBLEMS[f"{name}-fixed"].regression.describe().splitlines()[0]
        assert "2.5" in first
        assert "concentration" not in first
