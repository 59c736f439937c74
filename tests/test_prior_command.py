"""``bayescore prior`` and the picture of the priors over the data."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

import bayescore as bc
from bayescore.cli import main
from bayescore.errors import MissingLibraryError, RequestError

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"y": RNG.normal(size=50), "x": RNG.normal(size=50), "c": RNG.poisson(3, 50), "s": list("lmhml") * 10}
)


@pytest.fixture
def stated(tmp_path):
    FRAME.to_csv(tmp_path / "table.csv", index=False)
    return ["prior", "--data", str(tmp_path / "table.csv"), "--formula", "y ~ x"]


def test_the_report_has_the_statistics_of_data_and_draws(stated, capsys, tmp_path):
    assert main([*stated, "--draws", "200", "--seed", "3", "--json", str(tmp_path / "prior.json")]) == 0
    said = capsys.readouterr().out
    document = json.loads((tmp_path / "prior.json").read_text())
    expected = bc.from_table("y ~ x", pd.read_csv(tmp_path / "table.csv")).prior_predictive(200, seed=3).summary()
    assert [row["name"] for row in document["statistics"]] == list(expected.index)
    for row in document["statistics"]:
        assert {key: row[key] for key in expected.columns} == dict(expected.loc[row["name"]])
        assert f"{row['name']} " in said
        assert f"{row['q95']:.4g}" in said
    assert said.splitlines()[0].startswith("Prior  y ~ x, 50 rows of")
    assert said.splitlines()[-1] == "The data are within what the priors expect."
    assert (document["draws"], document["seed"], document["schema"]) == (200, 3, "bayescore.prior/1")


def test_data_that_the_priors_hardly_expect_are_named(stated, capsys):
    far = [
        "--prior",
        "intercept ~ Normal(1000, 1)",
        "--prior",
        "beta ~ Normal(0, 1)",
        "--prior",
        "sigma ~ Exponential(1)",
    ]
    assert main([*stated, *far]) == 0
    assert "The priors hardly expect the data's mean, least, median, most" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--draws", "0"], "draws must be a whole number from 1 to 100000, not 0"),
        (["--prior", "beta ~ Flat()"], "the prior of beta is no distribution"),
        (["--plot", "/nowhere/prior.png"], "can't write '/nowhere/prior.png'"),
        (["--json", "one", "--plot", "one"], "--json and --plot name the same file"),
    ],
)
def test_bad_requests_are_one_line(stated, more, said, capsys):
    assert main([*stated, *more]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_picture_without_the_library_says_what_to_install(stated, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("bayescore.pictures.library.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    assert main([*stated, "--plot", str(tmp_path / "prior.png")]) == 2
    assert 'pip install "bayescore[plots]"' in capsys.readouterr().err
    assert not (tmp_path / "prior.png").exists()
    with pytest.raises(MissingLibraryError, match=r"bayescore\[plots\]"):
        bc.plot_prior(bc.toy())


def test_a_picture_is_written(stated, tmp_path):
    pytest.importorskip("matplotlib")
    assert main([*stated, "--plot", str(tmp_path / "prior.png")]) == 0
    assert (tmp_path / "prior.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_shows_the_data_over_the_draws():
    pytest.importorskip("matplotlib")
    (axes,) = bc.plot_prior(bc.from_table("y ~ x", FRAME), draws=40).axes
    (data,) = (line for line in axes.lines if line.get_label() == "the data")
    x, share = data.get_data()
    np.testing.assert_array_equal(x, np.sort(FRAME.y))
    np.testing.assert_allclose(share, np.arange(1, 51) / 50)
    assert len(axes.lines) == 42  # forty draws, the data, and the legend's
    assert axes.get_xlabel() == "y"


def test_the_picture_of_categories_has_their_shares():
    pytest.importorskip("matplotlib")
    problem = bc.from_table("s ~ x", FRAME, family="Ordinal", levels={"s": ["l", "m", "h"]})
    (axes,) = bc.plot_prior(problem, draws=40).axes
    (data,) = (line for line in axes.lines if line.get_label() == "the data")
    np.testing.assert_allclose(data.get_xdata(), [0.4, 0.4, 0.2])


def test_draws_that_reach_far_leave_the_data_to_be_seen():
    pytest.importorskip("matplotlib")
    (axes,) = bc.plot_prior(bc.from_table("c ~ x", FRAME, family="Poisson")).axes
    assert axes.get_xscale() == "symlog"
    with pytest.raises(RequestError, match="no draw of the priors gives responses that are finite"):
        bc.plot_prior(bc.from_table("c ~ x", FRAME, family="Poisson", priors={"beta": "Normal(0, 1e6)"}))
