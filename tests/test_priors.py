"""From a family, data and some priors to a complete regression: default priors, names, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from bayescore.errors import RequestError
from bayescore.model.data import Data, Membership, from_arrays
from bayescore.model.distributions import (
    LKJ,
    AtMeans,
    Exponential,
    Flat,
    Gamma,
    HalfNormal,
    Horseshoe,
    Laplace,
    Normal,
    at_zero,
)
from bayescore.model.groups import Grouping
from bayescore.tables.default_priors import default_priors, state

N = 50
RNG = np.random.default_rng(0)
LEVELS = ("a", "b", "c")


def rows(y, **more):
    x = np.column_stack([RNG.normal(size=N), 4 * RNG.normal(size=N) + 7])
    return Data(x, np.asarray(y, dtype=float), ("u", "v"), **more)


REAL = rows(10 + 3 * RNG.normal(size=N))
COUNTS = rows(RNG.poisson(4.0, N))
BINARY = rows(np.arange(N) % 2)
CATEGORIES = rows(np.arange(N) % 3, categories=("low", "mid", "high"))
INDEX = np.arange(N) % 3
GROUPED = replace(REAL, groups={"1|g": Membership(INDEX, np.ones(N)), "u|g": Membership(INDEX, REAL.x[:, 0])})
BOTH = Grouping("g", ("1", "u"), LEVELS)
ALONE = Grouping("g", ("1",), LEVELS)


def sds(data):
    return data.x.std(axis=0)


def close(prior, wanted):
    """Whether two priors are the same to rounding."""
    if isinstance(wanted, AtMeans):
        return type(prior) is AtMeans and close(prior.prior, wanted.prior)
    fields = ([getattr(p, name) for name in vars(wanted)] for p in (prior, wanted))
    return type(prior) is type(wanted) and np.allclose(*fields, rtol=1e-12)


@pytest.mark.parametrize("family", ["Gaussian", "StudentT", "StudentT(df=4)"])
def test_a_real_response_gives_location_and_scale(family):
    regression = state(family, REAL, {})
    mean, sd = REAL.y.mean(), REAL.y.std()
    assert close(regression.intercept, AtMeans(Normal(mean, 2.5 * sd)))
    assert all(close(p, Normal(0.0, 2.5 * sd / own)) for p, own in zip(regression.beta, sds(REAL), strict=True))
    assert close(regression.auxiliary["sigma"], Exponential(1 / sd))
    if family == "StudentT":
        assert regression.auxiliary["df"] == Gamma(2.0, 0.1)
    else:
        assert set(regression.auxiliary) == {"sigma"}


@pytest.mark.parametrize("family", ["Poisson", "NegativeBinomial", "Gamma", "Exponential"])
def test_a_log_link_gives_the_log_mean_and_scale_1(family):
    data = COUNTS if family in {"Poisson", "NegativeBinomial"} else replace(COUNTS, y=COUNTS.y + 0.5)
    exposure = RNG.uniform(0.5, 3.0, N)
    for rows_, exposed in ((data, np.ones(N)), (replace(data, offset=np.log(exposure)), exposure)):
        regression = state(family, rows_, {})
        wanted = np.log(data.y.sum() / exposed.sum())
        assert close(regression.intercept, AtMeans(Normal(wanted, 2.5)))
        assert [prior.scale for prior in regression.beta] == pytest.approx(2.5 / sds(data))
    if "concentration" in regression.family.auxiliaries:
        assert regression.auxiliary == {"concentration": Gamma(2.0, 0.1)}


@pytest.mark.parametrize("family", ["Bernoulli", "Bernoulli(link=cloglog)", "Binomial(link=probit)", "Beta"])
def test_other_links_give_0_and_1_whatever_the_response(family):
    data = replace(BINARY, trials=np.full(N, 3.0)) if family.startswith("Bin") else BINARY
    data = replace(data, y=0.1 + 0.5 * BINARY.y) if family == "Beta" else data
    regression = state(family, data, {})
    assert regression.intercept == AtMeans(Normal(0.0, 2.5))
    assert [prior.scale for prior in regression.beta] == pytest.approx(2.5 / sds(BINARY))


def test_weights_count_and_offsets_are_taken_off():
    weights = RNG.uniform(0.1, 2.0, N)
    offset = RNG.normal(size=N)
    regression = state("gaussian", replace(REAL, weights=weights, offset=offset), {})
    y = REAL.y - offset
    mean = np.average(y, weights=weights)
    sd = np.sqrt(np.average((y - mean) ** 2, weights=weights))
    assert regression.intercept.prior.loc == pytest.approx(mean)
    assert regression.auxiliary["sigma"].rate == pytest.approx(1 / sd)
    for j, prior in enumerate(regression.beta):
        centre = np.average(REAL.x[:, j], weights=weights)
        own = np.sqrt(np.average((REAL.x[:, j] - centre) ** 2, weights=weights))
        assert prior.scale == pytest.approx(2.5 * sd / own)


def test_a_categorical_response_has_a_prior_for_each_level_but_the_first():
    regression = state("categorical", CATEGORIES, {})
    assert regression.intercept == (AtMeans(Normal(0.0, 2.5)),) * 2
    assert [prior.scale for prior in regression.beta] == pytest.approx(list(2.5 / sds(CATEGORIES)) * 2)
    names = ["beta[mid,u]", "beta[mid,v]", "beta[high,u]", "beta[high,v]"]
    assert list(regression.parameters) == [*names, "intercept[mid]", "intercept[high]"]
    assert regression.sites[0].shape == (2, 2)


def test_an_ordinal_response_has_thresholds():
    regression = state("ordinal", CATEGORIES, {})
    assert regression.intercept is None
    assert regression.thresholds == (AtMeans(Normal(0.0, 5.0)),) * 2
    assert regression.parameters == ("beta[u]", "beta[v]", "threshold[1]", "threshold[2]")


def test_group_effects_are_scaled_to_what_varies():
    regression = state("gaussian", GROUPED, {}, groupings=(BOTH,))
    (term,) = regression.groups
    sd = REAL.y.std()
    assert [prior.scale for prior in term.sds] == pytest.approx([2.5 * sd, 2.5 * sd / REAL.x[:, 0].std()])
    assert term.correlation == LKJ(1.0)
    assert all(isinstance(prior, HalfNormal) for prior in term.sds)
    alone = state("gaussian", GROUPED, {}, groupings=(ALONE,))
    assert alone.groups[0].correlation is None


@pytest.mark.parametrize("value", [0.0, 1.0, 1e7])
def test_a_constant_column_counts_with_its_size(value):
    data = replace(REAL, x=np.column_stack([np.full(N, value), REAL.x[:, 1]]))
    assert state("gaussian", data, {}).beta[0].scale == pytest.approx(2.5 * REAL.y.std() / (value or 1.0))


@pytest.mark.parametrize("value", [1.0, 0.1, 1e7 / 3])
def test_a_constant_that_varies_by_group_counts_with_its_size(value):
    """Rounding alone gives 0.1 an sd of 1e-17."""
    data = replace(GROUPED, groups={"1|g": Membership(INDEX, np.full(N, value))})
    (term,) = state("gaussian", data, {}, groupings=(ALONE,)).groups
    assert term.sds[0].scale == pytest.approx(2.5 * REAL.y.std() / value)


def test_without_an_intercept_there_is_no_prior_of_one():
    assert "intercept" not in default_priors(state("gaussian", REAL, {}).family, REAL, intercept=False)
    assert state("gaussian", REAL, {}, intercept=False).intercept is None


def test_a_networks_default_priors_are_the_documented_ones():
    hidden = (4, 2)
    regression = state("gaussian", REAL, {}, hidden=hidden)
    priors = {name: np.array([at_zero(p).scale for p in ps]) for name, ps in regression.network.priors.items()}
    sd = REAL.y.std()
    np.testing.assert_allclose(priors["layer0.weight"].reshape(4, 2), np.tile(1 / np.sqrt(2) / sds(REAL), (4, 1)))
    np.testing.assert_allclose(priors["layer1.weight"], 1 / np.sqrt(4))
    np.testing.assert_allclose(priors["layer2.weight"], sd / np.sqrt(2))
    np.testing.assert_allclose(priors["layer2.bias"], sd)
    assert regression.network.priors["layer2.bias"][0].loc == pytest.approx(REAL.y.mean())
    assert set(regression.network.priors["layer0.bias"]) == {AtMeans(Normal(0.0, 1.0))}
    assert regression.means["1"] == pytest.approx(REAL.x.mean(axis=0))
    assert regression.intercept is None
    assert regression.beta == ()


def test_group_effects_beside_a_network_have_default_priors_too():
    regression = state("gaussian", GROUPED, {}, groupings=(BOTH,), hidden=(2,))
    (term,) = regression.groups
    assert [prior.scale for prior in term.sds] == pytest.approx([2.5 * REAL.y.std(), 2.5 * REAL.y.std() / sds(REAL)[0]])
    assert term.correlation == LKJ(1.0)


def test_the_most_particular_prior_wins():
    regression = state("gaussian", REAL, {"beta": "Normal(0, 1)", "beta[v]": Laplace(0, 2)})
    assert regression.beta == (Normal(0, 1), Laplace(0, 2))
    only = state("gaussian", REAL, {"beta[v]": "Flat()", "sigma": HalfNormal(2)})
    assert only.beta[1] == Flat()
    assert only.beta[0].loc == 0
    assert only.auxiliary["sigma"] == HalfNormal(2)


def test_a_categorical_responses_priors_are_given_by_level():
    priors = {"beta": "Normal(0, 1)", "beta[high,u]": "Normal(0, 7)", "intercept[mid]": "Normal(1, 1)"}
    regression = state("categorical", CATEGORIES, priors)
    assert [prior.scale for prior in regression.beta] == [1, 1, 7, 1]
    assert regression.intercept == (Normal(1, 1), AtMeans(Normal(0, 2.5)))
    every = state("categorical", CATEGORIES, {"intercept": "Normal(0, 9)"})
    assert every.intercept == (Normal(0, 9),) * 2


def test_thresholds_priors_are_given_by_number():
    regression = state("ordinal", CATEGORIES, {"threshold": "Normal(0, 1)", "threshold[2]": "Normal(2, 1)"})
    assert regression.thresholds == (Normal(0, 1), Normal(2, 1))


def test_group_priors_are_given_by_term_or_for_all():
    priors = {"sd": "Exponential(1)", "sd(u|g)": "HalfNormal(7)", "cor(1,u|g)": "LKJ(2)"}
    (term,) = state("gaussian", GROUPED, priors, groupings=(BOTH,)).groups
    assert term.sds == (Exponential(1), HalfNormal(7))
    assert term.correlation == LKJ(2)
    (other,) = state("gaussian", GROUPED, {"cor": "LKJ(3)"}, groupings=(BOTH,)).groups
    assert other.correlation == LKJ(3)


def test_a_horseshoe_is_for_all_coefficients():
    regression = state("gaussian", REAL, {"beta": "Horseshoe(scale=0.2)"})
    assert regression.beta == (Horseshoe(scale=0.2),) * 2
    assert [site.name for site in regression.sites] == [
        "global(beta)", "slab(beta)", "local(beta)", "beta", "intercept", "sigma",
    ]  # fmt: skip
    assert regression.parameters[2:4] == ("local(beta)[u]", "local(beta)[v]")


@pytest.mark.parametrize(
    "family, data, more, priors, message",
    [
        ("gaussian", REAL, {}, {"bta": "Normal(0, 1)"}, "'bta'.*did you mean 'beta'"),
        ("gaussian", REAL, {}, {"beta[w]": "Normal(0, 1)"}, r"'beta\[w\]', which is no parameter"),
        ("gaussian", REAL, {}, {"interceptt": "Normal(0, 1)"}, "did you mean 'intercept'"),
        ("gaussian", REAL, {"intercept": False}, {"intercept": "Normal(0, 1)"}, "'intercept', which is no parameter"),
        ("Gaussian(sigma=1)", REAL, {}, {"sigma": "HalfNormal(1)"}, "fixed by the family"),
        ("StudentT(df=4)", REAL, {}, {"df": "Gamma(2, 0.1)"}, r"'df'.*fixed by the family.*\(parameters: intercept"),
        ("gaussian", REAL, {}, {"sigma": "Normal(0, 1)"}, "sigma is positive, but its prior Normal.*use HalfNormal"),
        ("gaussian", REAL, {}, {"beta": "HalfNormal(1)"}, r"beta\[u\] is real, but its prior HalfNormal\(1\) is for"),
        ("gaussian", REAL, {}, {"intercept": "Exponential(1)"}, "intercept is real"),
        ("gaussian", REAL, {}, {"beta": "LKJ(1)"}, "is for correlation values: use Normal"),
        ("gaussian", REAL, {}, {"sigma": "LKJ(1)"}, "is for correlation values: use HalfNormal"),
        ("gaussian", REAL, {}, {"sigma": "Uniform(-1, 2)"}, "is for bounded values"),
        ("gaussian", REAL, {}, {"beta[u]": "Horseshoe()"}, "no coefficient can have another"),
        ("gaussian", REAL, {}, {"beta": "Horseshoe()", "beta[v]": "Normal(0, 1)"}, "no coefficient can have another"),
        ("gaussian", REAL, {}, {"intercept": "Horseshoe()"}, "all coefficients together, not of intercept"),
        ("gaussian", REAL, {}, {"sigma": "Horseshoe()"}, "all coefficients together, not of sigma"),
        ("categorical", CATEGORIES, {}, {"beta": "Horseshoe()"}, "all coefficients together, not of beta"),
        ("categorical", CATEGORIES, {}, {"beta[low,u]": "Normal(0, 1)"}, "which is no parameter"),
        ("categorical", CATEGORIES, {}, {"beta[hihg,u]": "Normal(0, 1)"}, r"did you mean 'beta\[high,u\]'"),
        ("ordinal", CATEGORIES, {}, {"intercept": "Normal(0, 1)"}, "'intercept', which is no parameter"),
        ("ordinal", CATEGORIES, {}, {"threshold[3]": "Normal(0, 1)"}, "which is no parameter"),
        ("ordinal", CATEGORIES, {}, {"threshold": "HalfNormal(1)"}, r"threshold\[1\] is real"),
        ("gaussian", GROUPED, {"groupings": (BOTH,)}, {"sd(1|g)": "LKJ(1)"}, r"sd\(1\|g\) is positive, but its prior"),
        ("gaussian", GROUPED, {"groupings": (BOTH,)}, {"sd": "Normal(0, 1)"}, r"sd\(1\|g\) is positive"),
        ("gaussian", GROUPED, {"groupings": (BOTH,)}, {"sd(1|h)": "HalfNormal(1)"}, r"did you mean 'sd\(1\|g\)'"),
        ("gaussian", GROUPED, {"groupings": (BOTH,)}, {"cor": "Normal(0, 1)"}, r"cor\(1,u\|g\) is a corr.*use LKJ"),
        ("gaussian", GROUPED, {"groupings": (BOTH,)}, {"offset(1|g)": "Normal(0, 1)"}, "which is no parameter"),
        ("gaussian", GROUPED, {"groupings": (ALONE,)}, {"cor": "LKJ(1)"}, "'cor', which is no parameter"),
        ("gaussian", GROUPED, {"groupings": (BOTH,)}, {"sd": "Horseshoe()"}, "all coefficients together, not of sd"),
        ("gaussian", REAL, {}, {"sd": "HalfNormal(1)"}, "'sd', which is no parameter"),
        ("gaussian", REAL, {}, {"beta": "Nomral(0, 1)"}, "did you mean 'Normal'"),
        ("gaussian", REAL, {}, {"beta": "AtMeans(Normal(0, 1))"}, "prior of an intercept, not of the coefficient of u"),
        ("gaussian", REAL, {}, {"sigma": "AtMeans(Normal(0, 1))"}, "sigma is positive"),
        ("gaussian", REAL, {}, {"intercept": "AtMeans(HalfNormal(1))"}, "is not a prior of all real numbers"),
        ("gaussian", REAL, {}, {"intercept": "AtMeans(Flat())"}, "is not a prior of all real numbers"),
        ("gaussian", REAL, {}, {"intercept": "AtMeans(AtMeans(Normal(0, 1)))"}, "is not a prior of all real numbers"),
        ("gaussian", REAL, {}, {"intercept": "AtMeans(3)"}, "write the prior as a call"),
        ("gaussian", REAL, {}, {"intercept": "AtMeans(Normal)"}, "write the prior as a call"),
        ("gaussian", REAL, {}, {"intercept": "AtMeans(Nomral(0, 1))"}, "did you mean 'Normal'"),
        ("gaussian", REAL, {}, {"intercept": "Normal(Normal(0, 1), 2)"}, "loc must be a number"),
        ("gaussian", REAL, {"hidden": (2,)}, {"layer1.bias": "AtMeans(Normal(0, 1))"}, "an intercept, not of layer1.b"),
        ("gaussian", REAL, {"hidden": (2,)}, {"layer0.weight": "AtMeans(Normal(0, 1))"}, "an intercept, not of layer0"),
    ],
)  # fmt: skip
def test_a_prior_for_the_wrong_thing_is_refused(family, data, more, priors, message):
    with pytest.raises(RequestError, match=message) as caught:
        state(family, data, priors, **more)
    assert "\n" not in str(caught.value)


def test_a_response_of_no_spread_still_has_default_priors():
    data = from_arrays(np.arange(4.0), np.ones(4))
    assert state("Gaussian(sigma=1)", data, {}).intercept == AtMeans(Normal(1.0, 2.5))
