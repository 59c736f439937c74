"""A statistician's walk over three data sets of the references: each step a line or two."""

import numpy as np
import pandas as pd
import pytest
from conftest import USABLE

import bayescore as bc

FEW = "exact:exact(draws=1000)"
pytestmark = pytest.mark.filterwarnings("ignore:Estimated shape parameter")


def test_reaction_times_of_people_who_sleep_less(reference, tmp_path):
    if "numpyro" not in USABLE:
        pytest.skip("numpyro is not installed")
    frame = pd.read_csv(reference / "sleepstudy.csv")
    problem = bc.from_table("Reaction ~ Days + (Days | Subject)", frame)
    assert 0.05 < problem.prior_predictive(200, seed=1).summary().loc["mean", "below"] < 0.95
    fit = bc.fit(problem, backend="numpyro:nuts(warmup=500, draws=500)", seed=1)
    assert fit.healthy, fit.reasons
    # what restricted maximum likelihood gives (lme4's own example): 251.4 (6.8) and 10.47 (1.55)
    assert fit.summary().loc["intercept", "mean"] == pytest.approx(251.4, abs=2.0)
    assert fit.summary().loc["beta[Days]", "mean"] == pytest.approx(10.47, abs=0.5)
    assert list(fit.to_datatree()["posterior"]["Subject"].values) == [str(who) for who in frame.Subject.unique()]
    azp = pytest.importorskip("arviz_plots", reason="pictures need bayescore[plots]")
    for name in ("plot_energy", "plot_trace", "plot_ppc_dist"):
        assert getattr(azp, name)(fit.to_datatree(), backend="none") is not None
    pooled = bc.fit("Reaction ~ Days", frame, "exact", seed=1)
    assert fit.loo().elpd - pooled.loo().elpd > 80
    new = pd.DataFrame({"Days": [0, 9, 9], "Subject": [308, 308, 999]})
    first, last, stranger = fit.predict(new)["mean"]
    assert last - first > 100 > stranger - first
    assert fit.predict(new)["sd"][2] > 2 * fit.predict(new)["sd"][1]
    fit.save(tmp_path / "sleep.nc")
    pd.testing.assert_frame_equal(bc.load_fit(tmp_path / "sleep.nc").predict(new), fit.predict(new))


def test_who_switches_to_another_well(reference):
    frame = pd.read_csv(reference / "wells.csv")
    frame["dist100"] = frame.dist / 100
    fit = bc.fit("switched ~ dist100 + arsenic", frame, FEW, family="Bernoulli")
    assert fit.healthy
    # Gelman and Hill (2007), section 5.4: 0.00 (0.08), -0.90 (0.10), 0.46 (0.04)
    found = fit.summary().loc[["intercept", "beta[dist100]", "beta[arsenic]"]]
    np.testing.assert_allclose(found["mean"], [0.0, -0.90, 0.46], atol=0.01)
    np.testing.assert_allclose(found["sd"], [0.08, 0.10, 0.04], atol=0.006)
    near, far = fit.predict({"dist100": [0.0, 1.0], "arsenic": [1.0, 1.0]})["mean"]
    assert near - far == pytest.approx(0.22, abs=0.02)
    assert fit.loo().elpd == pytest.approx(-1968.5, abs=0.7)  # of the loo package's own example


def test_counts_over_years(reference):
    frame = pd.read_csv(reference / "glm_poisson.csv")
    curve = bc.fit("count ~ year + I(year ** 2)", frame, FEW, family="Poisson")
    line = bc.fit("count ~ year", frame, FEW, family="Poisson")
    assert curve.healthy
    assert curve.loo().elpd > line.loo().elpd
    # the score of the intercept is the sum of the residuals
    assert curve.predict()["mean"].sum() == pytest.approx(frame["count"].sum(), rel=0.01)
