"""Default priors that stand at the columns' means: no posterior depends on units, or on where a column has its zero."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from declared import observed, problems, rows
from scipy import stats
from test_density import drawn_from_priors

from bayescore.density.specification import LogJoint, log_density
from bayescore.errors import DataError
from bayescore.exact import quadrature
from bayescore.exact.posterior import solve
from bayescore.model.data import Data, Membership, from_arrays
from bayescore.model.distributions import AtMeans, Normal
from bayescore.model.families import FAMILIES
from bayescore.model.groups import Grouping
from bayescore.tables import out_of_core, problem
from bayescore.tables.default_priors import cells, state
from bayescore.tables.separation import check as separated

PROBLEMS = problems()
YEARS = np.arange(2001.0, 2021.0)
TREND = 1.2 + 0.3 * (YEARS - 2000.0) + np.random.default_rng(0).normal(0.0, 0.4, 20)


def moments(formula, table, **settings):
    found = solve(*_parts(problem.from_table(formula, table, **settings))).moments
    values = zip(found.mean, found.sd, strict=True)
    return dict(zip(found.names, values, strict=True)), found.log_evidence


def _parts(stated):
    return stated.regression, stated.data


def test_a_trend_over_years_is_found_where_the_years_are():
    slope, residual, *_ = np.polyfit(YEARS, TREND, 1, full=True)
    found, _ = moments("y ~ year", {"y": TREND, "year": YEARS})
    error = np.sqrt(residual[0] / 18 / np.sum((YEARS - YEARS.mean()) ** 2))
    assert found["beta[year]"][0] == pytest.approx(slope[0], abs=0.05 * error)
    assert found["beta[year]"][1] == pytest.approx(error, rel=0.1)
    assert found["intercept"][0] == pytest.approx(slope[1], abs=0.1 * 2010.5 * error)


@pytest.mark.parametrize("shift", [0.0, 1e3, -1e6])
@pytest.mark.parametrize("factor", [1.0, 1e-3, 1e6])
def test_a_gaussian_posterior_follows_its_columns_and_its_response(shift, factor):
    """Slopes to rounding; the intercept by the map; the evidence by the units of y alone."""
    z = np.random.default_rng(1).normal(size=20)
    plain, evidence = moments("y ~ year + z", {"y": TREND, "year": YEARS - 2010.5, "z": z - z.mean()})
    table = {"y": factor * TREND, "year": YEARS - 2010.5 + shift, "z": 7.0 * z}
    moved, other = moments("y ~ year + z", table)
    digits = 1e-9 * (1.0 + abs(shift) / 1e3)
    assert moved["beta[year]"] == pytest.approx(np.multiply(factor, plain["beta[year]"]), rel=digits)
    assert moved["beta[z]"] == pytest.approx(np.multiply(factor / 7.0, plain["beta[z]"]), rel=digits)
    assert moved["sigma"] == pytest.approx(np.multiply(factor, plain["sigma"]), rel=digits)
    assert other == pytest.approx(evidence - 20 * np.log(factor), abs=1e-6)
    at_means = factor * plain["intercept"][0] - shift * moved["beta[year]"][0] - 7.0 * z.mean() * moved["beta[z]"][0]
    assert moved["intercept"][0] == pytest.approx(at_means, rel=1e-7)


def test_a_stated_prior_of_the_centred_columns_is_the_same_model():
    """The default one is Normal on centred columns' intercept, written out; so is any that stands at the means."""
    table = {"y": TREND, "year": YEARS, "centred": YEARS - YEARS.mean()}
    for prior in ("Normal(3, 2)", "Normal(0, 0.5)"):
        own, evidence = moments("y ~ year", table, priors={"intercept": f"AtMeans({prior})", "beta": "Normal(0, 1)"})
        other, same = moments("y ~ centred", table, priors={"intercept": prior, "beta": "Normal(0, 1)"})
        assert evidence == pytest.approx(same, abs=1e-8)
        assert own["sigma"] == pytest.approx(other["sigma"], rel=1e-9)
        assert own["beta[year]"] == pytest.approx(other["beta[centred]"], rel=1e-8)


def test_quadrature_finds_what_the_closed_form_does():
    stated = problem.from_table("y ~ year", {"y": TREND, "year": YEARS})
    closed, open_ = solve(*_parts(stated)).moments, quadrature.solve(*_parts(stated)).moments
    np.testing.assert_allclose(open_.mean, closed.mean, rtol=1e-6)
    np.testing.assert_allclose(open_.sd, closed.sd, rtol=1e-5)
    assert open_.log_evidence == pytest.approx(closed.log_evidence, abs=1e-6)


def check_constant(stated, other, move, wanted=None):
    """The log joint densities of two statements lie a constant apart, at draws and at their images."""
    values = drawn_from_priors(stated.regression, (8,), seed=5)
    there = {name: np.array(v) for name, v in values.items()}
    move(there)
    before, after = LogJoint(stated.regression, stated.data)(values), LogJoint(other.regression, other.data)(there)
    wanted = np.median(after - before) if wanted is None else wanted
    np.testing.assert_allclose(after, before + wanted, rtol=1e-11, atol=1e-7)


def restated(stated, data, **more):
    regression = stated.regression
    groupings = tuple(term.grouping for term in regression.groups)
    hidden = () if regression.network is None else regression.network.hidden
    intercept = regression.intercept is not None or bool(regression.thresholds)
    settings = {"intercept": intercept, "groupings": groupings, "network": hidden} | more
    return problem.from_data(data, family=type(regression.family)(link=regression.family.link_name), **settings)


DEFAULTS = [name for name in PROBLEMS if name.endswith(("offset", *(f.links[0] for f in FAMILIES.values())))]
DEFAULTS += ["groups-intercepts-Gaussian", "network-4", "network-3-2", "cells-Gaussian", "cells-Poisson"]
DEFAULTS += ["cells-Categorical"]


@pytest.mark.parametrize("name", DEFAULTS)
def test_where_a_column_has_its_zero_is_no_matter(name):
    """Of every family, network and group: the same density at the image of each draw."""
    stated = restated(PROBLEMS[name], PROBLEMS[name].data)
    shift = np.where(cells(stated.data), 0.0, [3.0, -20.0, 5.0][: len(stated.data.columns)])
    other = restated(stated, replace(stated.data, x=stated.data.x + shift))

    def move(values):
        if "layer0.bias" in values:
            values["layer0.bias"] = values["layer0.bias"] - values["layer0.weight"] @ shift
        elif "threshold" in values:
            values["threshold"] = values["threshold"] + (values["beta"] @ shift)[:, None]
        elif "intercept" in values:
            values["intercept"] = values["intercept"] - values["beta"] @ shift
        else:
            away = (values["beta"] @ shift)[..., None]
            values["beta"] = values["beta"] - away * cells(stated.data)

    check_constant(stated, other, move, 0.0)


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_unit_of_a_column_is_no_matter(name):
    stated = restated(PROBLEMS[name], PROBLEMS[name].data)
    factor = np.where(cells(stated.data), 1.0, [1e3, 1e-4, 7.0][: len(stated.data.columns)])
    other = restated(stated, replace(stated.data, x=stated.data.x * factor))

    def move(values):
        site = "layer0.weight" if "layer0.weight" in values else "beta"
        values[site] = values[site] / factor

    per_column = len(other.regression.network.priors["layer0.bias"]) if other.regression.network else 1
    wanted = per_column * stated.regression.family.predictors * np.sum(np.log(factor))
    check_constant(stated, other, move, wanted)


UNITS = ["Gaussian-identity", "StudentT-identity", "Gamma-log", "Exponential-log", "Gamma-weights-offset"]
UNITS += ["Gaussian-weights-offset", "groups-correlated-Gaussian", "network-4", "cells-Gaussian"]


@pytest.mark.parametrize("factor", [1e-9, 1e6])
@pytest.mark.parametrize("name", UNITS)
def test_the_unit_of_the_response_is_no_matter(name, factor):
    stated = restated(PROBLEMS[name], PROBLEMS[name].data)
    real = stated.regression.family.link_name == "identity"
    offset = stated.data.offset if not real or stated.data.offset is None else factor * stated.data.offset
    other = restated(stated, replace(stated.data, y=factor * stated.data.y, offset=offset))
    last = f"layer{len(stated.regression.network.hidden)}." if stated.regression.network else "none"

    def move(values):
        for site in values:
            if real and (site in {"intercept", "beta", "sigma"} or site.startswith(("sd", "offset", last))):
                values[site] = factor * values[site]
            elif site == "intercept":
                values[site] = values[site] + np.log(factor)

    check_constant(stated, other, move)


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name.endswith("weights-offset")])
def test_the_unit_of_an_exposure_is_no_matter(name):
    """A constant in the offset comes off the intercept, or is added to the thresholds."""
    stated = restated(PROBLEMS[name], PROBLEMS[name].data)
    other = restated(stated, replace(stated.data, offset=stated.data.offset + 4.0))

    def move(values):
        site, sign = ("threshold", 1.0) if "threshold" in values else ("intercept", -1.0)
        values[site] = values[site] + sign * 4.0

    check_constant(stated, other, move, 0.0)


def test_the_density_of_the_intercept_is_conditional_on_the_coefficients():
    """By scipy: of an intercept, of thresholds, of one intercept a level, of biases, of cells."""
    for name, site, sign in (
        ("Gaussian-identity", "intercept", 1.0),
        ("Ordinal-logit", "threshold", -1.0),
        ("Categorical-softmax", "intercept", 1.0),
        ("network-4", "layer0.bias", 1.0),
    ):
        stated = PROBLEMS[name]
        values = {n: v[0] for n, v in drawn_from_priors(stated.regression, (1,)).items()}
        mean = np.average(stated.data.x, axis=0, weights=stated.data.weights)
        moved = values[site] + sign * (values["layer0.weight" if "layer" in site else "beta"] @ mean)
        prior = {"intercept": stated.regression.intercept, "threshold": stated.regression.thresholds}.get(site)
        prior = stated.regression.network.priors[site] if prior is None else prior
        own = np.atleast_1d(np.array(prior, dtype=object)).ravel()[0].prior
        found = log_density(stated.regression, stated.data, values).by_site[site]
        assert found == pytest.approx(stats.norm(own.loc, own.scale).logpdf(moved).sum(), rel=1e-10)


def test_cells_in_the_intercepts_place_stand_at_the_means_of_their_own_rows():
    g, x = np.arange(20) % 2 == 0, YEARS
    data = from_arrays(np.column_stack([g, ~g, x]), TREND, columns=("a", "b", "year"))
    regression = state("gaussian", data, {}, intercept=False)
    a, b, year = regression.beta
    assert a == b == AtMeans(Normal(TREND.mean(), 2.5 * TREND.std()))
    assert year == Normal(0.0, 2.5 * TREND.std() / x.std())
    assert regression.means == {"a": (0.0, 0.0, x[g].mean()), "b": (0.0, 0.0, x[~g].mean())}
    values = {"beta": np.array([-500.0, -400.0, 0.25]), "sigma": np.array(1.0)}
    wanted = stats.norm(year.loc, year.scale).logpdf(0.25)
    wanted += (
        stats.norm(a.prior.loc, a.prior.scale).logpdf([-500 + 0.25 * x[g].mean(), -400 + 0.25 * x[~g].mean()]).sum()
    )
    assert log_density(regression, data, values).by_site["beta"] == pytest.approx(wanted, rel=1e-12)
    assert "beta[a] at the columns' means ~ Normal(" in regression.describe()
    found = solve(regression, data).moments
    assert found.mean[2] == pytest.approx(np.polyfit(x, TREND, 1)[0], abs=0.02)


def test_cells_alone_have_the_intercepts_prior_and_are_not_pulled_to_zero():
    y = 1000.0 + np.random.default_rng(2).normal(size=30)
    found, _ = moments("y ~ 0 + C(g)", {"y": y, "g": list("abc") * 10})
    for level, start in zip("abc", range(3), strict=True):
        assert found[f"beta[C(g)[{level}]]"][0] == pytest.approx(y[start::3].mean(), abs=0.05)
    assert found["sigma"][0] == pytest.approx(1.0, abs=0.3)


def test_without_a_constant_the_coefficients_reach_the_response():
    """`0 + x` with the response far from zero: in units of the column's root mean square."""
    x = np.linspace(10.0, 20.0, 30)
    data = from_arrays(x, 7.0 * x + np.random.default_rng(3).normal(size=30))
    regression = state("gaussian", data, {}, intercept=False)
    size = np.hypot(data.y.mean(), data.y.std())
    assert regression.beta[0].loc == 0.0
    assert regression.beta[0].scale == pytest.approx(2.5 * size / np.sqrt(np.mean(x**2)))
    assert regression.auxiliary["sigma"].rate == pytest.approx(1 / size)
    assert not cells(data).any()
    assert solve(regression, data).moments.mean[0] == pytest.approx(7.0, abs=0.05)


@pytest.mark.parametrize("columns", [[[1, 0], [0, 1], [1, 1]], [[2, 0], [0, 2], [2, 0]], [[0, 0], [0, 0], [0, 0]]])
def test_only_columns_that_add_up_to_one_take_the_intercepts_place(columns):
    data = from_arrays(np.array(columns, float), [1.0, 2.0, 4.0])
    assert not cells(data).any()
    assert all(isinstance(prior, Normal) for prior in state("gaussian", data, {}, intercept=False).beta)


def test_a_positive_response_of_any_size_has_its_log_mean():
    """Of a billionth, and as small and as large as a column may be."""
    y = np.array([1.0, 3.0, 2.0, 8.0])
    for unit in (1e-9, 1e-99, 1e99):
        stated = problem.from_table("y ~ 1", {"y": unit * y}, family="gamma")
        assert stated.regression.intercept.loc == pytest.approx(np.log(3.5) + np.log(unit), rel=1e-12)
    tiny = problem.from_table("y ~ 1", {"y": 1e-9 * y}, family="gamma")
    found = quadrature.solve(*_parts(tiny)).moments
    assert (found.mean[0], found.sd[0]) == pytest.approx((-19.42, 0.35), abs=0.01)


def test_counts_that_are_all_zero_have_a_location_in_the_units_of_their_exposures():
    y, exposure = np.zeros(10), np.linspace(1.0, 3.0, 10)
    table = {"y": y, "e": exposure, "f": 1000.0 * exposure}
    first = problem.from_table("y ~ 1 + offset(log(e))", table, family="poisson").regression.intercept
    other = problem.from_table("y ~ 1 + offset(log(f))", table, family="poisson").regression.intercept
    assert first.loc == pytest.approx(np.log(0.5 / exposure.sum()))
    assert other.loc == pytest.approx(first.loc - np.log(1000.0))


def test_a_response_without_spread_has_a_prior_in_its_own_units():
    for value, sigma in ((2.0, 0.1), (2e6, 1e5)):
        data = from_arrays(np.arange(4.0), np.full(4, value))
        prior = state(f"Gaussian(sigma={sigma})", data, {}).intercept
        assert prior == AtMeans(Normal(value, 2.5 * sigma))


def test_group_effects_have_the_units_of_what_varies_and_the_rows_weights():
    data = rows(9, groups=True)
    data = observed(FAMILIES["Gaussian"](), replace(data, weights=np.linspace(0.1, 2.0, data.rows)), 10)
    value = data.groups["x1|g"].value
    sd = np.sqrt(np.cov(value, aweights=data.weights, ddof=0))
    regression = state("gaussian", data, {}, groupings=(Grouping("g", ("x1",), tuple("abcde")),))
    y_sd = np.sqrt(np.cov(data.y, aweights=data.weights, ddof=0))
    assert regression.groups[0].sds[0].scale == pytest.approx(2.5 * y_sd / sd)


def test_the_text_says_what_the_prior_is_of_and_its_calls_state_it_again():
    table = {"y": TREND, "year": YEARS, "e": YEARS / 2000, "w": YEARS / 2000}
    stated = problem.from_table("y ~ year + offset(e)", table, weights="w")
    lines = stated.regression.describe(stated.data).splitlines()
    assert lines[1:3] == [
        "each row's log likelihood is multiplied by its weight",
        "eta = intercept + beta[year] * year + offset",
    ]
    prior = stated.regression.intercept.prior
    assert f"intercept at the columns' means ~ {prior.brief}" in lines
    for name in ("Gaussian-weights-offset", "Ordinal-logit", "Categorical-one-stated", "network-3-2", "cells-Poisson"):
        first = PROBLEMS[name]
        calls = {p: text for site in first.regression.sites for p, text in site.stated().items()}
        again = restated(first, first.data, priors=calls)
        assert {p: text for site in again.regression.sites for p, text in site.stated().items()} == calls
        assert again.regression.means == first.regression.means


def test_what_a_person_states_for_the_intercept_is_of_the_intercept_itself():
    stated = problem.from_table("y ~ year", {"y": TREND, "year": YEARS}, priors={"intercept": "Normal(4, 7)"})
    assert stated.regression.intercept == Normal(4.0, 7.0)
    assert "intercept ~ Normal(4, 7)" in stated.regression.describe().splitlines()
    assert [site.name for site in stated.regression.sites] == ["intercept", "beta", "sigma"]


def test_a_table_read_in_chunks_has_the_same_default_priors(tmp_path, monkeypatch):
    monkeypatch.setattr(out_of_core, "_CHUNK_ROWS", 7)
    table = pd.DataFrame({"y": TREND, "year": YEARS, "a": YEARS % 2, "b": 1.0 - YEARS % 2})
    table.to_csv(tmp_path / "t.csv", index=False)
    for formula in ("y ~ year", "y ~ 0 + year", "y ~ 0 + a + b + year"):
        first, other = problem.from_table(formula, table), out_of_core.from_file(tmp_path / "t.csv", formula)
        for prior, same in zip((*first.regression.beta,), (*other.regression.beta,), strict=True):
            assert prior.brief == same.brief
        assert getattr(first.regression.intercept, "brief", None) == getattr(other.regression.intercept, "brief", None)
        assert first.regression.means.keys() == other.regression.means.keys()
        for key, means in first.regression.means.items():
            assert other.regression.means[key] == pytest.approx(means, rel=1e-12)


def test_weights_count_in_the_means():
    w = np.linspace(0.0, 2.0, 20)
    stated = problem.from_table("y ~ year", {"y": TREND, "year": YEARS, "w": w}, weights="w")
    assert stated.regression.means == {"1": (pytest.approx(np.average(YEARS, weights=w)),)}


def test_a_flat_slope_that_separates_is_improper_though_the_intercept_is_held_at_the_means():
    """Zeros below 2010.5, ones above: the slope alone, about the mean, tells them apart."""
    data = from_arrays(YEARS, (YEARS > 2010.5).astype(float))
    with pytest.raises(DataError, match="improper"):
        separated(state("bernoulli", data, {"beta": "Flat()"}), data)
    (warning,) = separated(state("bernoulli", data, {"beta": "Flat()", "intercept": "Normal(0, 5)"}), data)
    assert "separation" in warning


def test_a_membership_alone_needs_no_columns():
    data = Data(np.empty((4, 0)), np.arange(4.0), (), groups={"1|g": Membership(np.arange(4) % 2, np.ones(4))})
    regression = state("gaussian", data, {}, groupings=(Grouping("g", ("1",), ("a", "b")),))
    assert isinstance(regression.intercept, Normal)
    assert regression.sites[0].name == "intercept"
