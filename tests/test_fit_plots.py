"""Every plot of arviz-plots that a regression can use, on a fit's tree as it is."""

import arviz_stats
import numpy as np
import pandas as pd
import pytest
import xarray

import bayescore as bc
from bayescore.model.posterior import label

azp = pytest.importorskip("arviz_plots", reason="pictures need bayescore[plots]")

SOME = {"var_names": ["intercept", "beta", "sigma"]}
ONE = {"var_names": ["sigma"]}
OF_DRAWS = {
    "plot_autocorr": ONE,
    "plot_bf": {"var_names": "intercept", "ref_val": 2.0},
    "plot_convergence_dist": SOME,
    "plot_dgof": ONE,
    "plot_dgof_dist": ONE,
    "plot_dist": SOME,
    "plot_energy": {},
    "plot_ess": SOME,
    "plot_ess_evolution": SOME,
    "plot_forest": {"var_names": ["beta", "offset(1|Subject)", "offset(Days|Subject)"]},
    "plot_mcse": SOME,
    "plot_pair": {"var_names": ["intercept", "sigma"]},  # of named elements beside scalars 0.8 has no pairs
    "plot_pair_focus": {"var_names": ["intercept", "beta"], "focus_var": "sigma"},
    "plot_parallel": {"var_names": ["beta", "offset(Days|Subject)"]},
    "plot_prior_posterior": SOME,
    "plot_psense_dist": SOME,
    "plot_psense_quantities": SOME,
    "plot_rank": ONE,
    "plot_rank_dist": ONE,
    "plot_ridge": SOME,
    "plot_trace": SOME,
    "plot_trace_dist": SOME,
}
OF_ROWS = {
    "plot_lm": {"x": "Days"},
    "plot_loo_pit": {},
    "plot_ppc_dist": {},
    "plot_ppc_interval": {},
    "plot_ppc_pit": {},
    "plot_ppc_tstat": {},
}
OF_OTHERS = {
    "plot_compare": "takes what arviz_stats.compare gives",
    "plot_khat": "takes what arviz_stats.loo gives",
    "plot_ppc_rootogram": "of counts",
    "plot_ppc_pava": "of two classes",
    "plot_ppc_pava_residuals": "of two classes",
}
NOT_OURS = {
    "plot_collection": "a module of arviz_plots, no plot",
    "plot_matrix": "a module of arviz_plots, no plot",
    "plot_ecdf_pit": "of simulation-based calibration: many fits, not one",
    "plot_ppc_censored": "of censored survival times: there is no such family",
}
COPIES = {"plot_trace_dist", "plot_rank_dist", "plot_dgof_dist"}
NEW_XARRAY = tuple(map(int, xarray.__version__.split(".")[:2])) >= (2026, 4)
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword", "ignore:Estimated shape parameter")


@pytest.fixture(scope="module", autouse=True)
def canvas():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    return matplotlib


@pytest.fixture(autouse=True)
def closed():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture(scope="module")
def sleep() -> bc.Fit:
    """Six people over some days, with draws about the truth as a sampler would give them."""
    rng = np.random.default_rng(2)
    people, days = np.repeat([308, 309, 310, 330, 331, 332], 10), np.tile(np.arange(10.0), 6)
    level, slope = rng.normal(size=(2, 6))
    at = np.searchsorted(np.unique(people), people)
    frame = pd.DataFrame({"late": rng.normal(size=60), "Days": days, "Subject": people})
    frame["y"] = 2 + 0.5 * days + level[at] + slope[at] * days / 5 + rng.normal(size=60)
    problem = bc.from_table("y ~ Days + late + (Days | Subject)", frame)
    truth = {"intercept": 2.0, "beta": [0.5, 0.0], "sigma": 1.0, "sd(1|Subject)": 1.0, "sd(Days|Subject)": 0.2,
             "cor(1,Days|Subject)": 0.0, "offset(1|Subject)": level, "offset(Days|Subject)": slope / 5}  # fmt: skip
    draws = {name: value + 0.05 * rng.normal(size=(4, 250, *np.shape(value))) for name, value in truth.items()}
    stats = {"energy": rng.normal(size=(4, 250)), "diverging": np.zeros((4, 250), dtype=bool)}
    return bc.Fit(problem, label(problem.regression, draws, sample_stats=stats), {}, None)


@pytest.fixture(scope="module")
def tree(sleep):
    return sleep.to_datatree()


@pytest.mark.parametrize(("name", "asked"), (OF_DRAWS | OF_ROWS).items())
def test_a_plot_of_a_fit_needs_no_glue(tree, name, asked):
    if name in COPIES and NEW_XARRAY:
        pytest.skip(
            f"arviz-plots copies datasets as xarray {xarray.__version__} does not: the extra plots has an older"
        )
    assert getattr(azp, name)(tree, **asked) is not None


def test_plots_of_loo_and_of_comparisons(tree, sleep):
    assert azp.plot_khat(sleep.loo()) is not None
    poor = bc.fit("y ~ Days", sleep.problem.design.frame, "exact")
    assert azp.plot_compare(arviz_stats.compare({"people": tree, "none": poor.to_datatree()})) is not None


def test_plots_of_counts_and_of_classes():
    rng = np.random.default_rng(4)
    x = rng.normal(size=50)
    frame = pd.DataFrame({"x": x, "count": rng.poisson(np.exp(1 + x / 2)), "won": (x + rng.normal(size=50) > 0) * 1})
    counts = bc.fit("count ~ x", frame, "exact:exact(draws=400)", family="Poisson").to_datatree()
    assert azp.plot_ppc_rootogram(counts) is not None
    classes = bc.fit("won ~ x", frame, "exact:exact(draws=400)", family="Bernoulli").to_datatree()
    assert azp.plot_ppc_pava(classes) is not None
    assert azp.plot_ppc_pava_residuals(classes, x_var="x") is not None


def test_pairs_of_named_elements(tree):
    assert azp.plot_pair(tree, var_names=["beta"]) is not None


def test_no_plot_is_forgotten():
    known = {name for name in dir(azp) if name.startswith("plot_")}
    assert known == {*OF_DRAWS, *OF_ROWS, *OF_OTHERS, *NOT_OURS}
