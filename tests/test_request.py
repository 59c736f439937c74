"""Problem files: read, written, and overruled by flags."""

import tomllib
from dataclasses import fields

import pytest

from bayescore.cli import request
from bayescore.cli.request import Request
from bayescore.errors import RequestError

FULL = Request(
    backends=("pyro", "numpyro:nuts(chains=2)"),
    method="svi(steps=100)",
    formula="y ~ x",
    family="Gaussian(sigma=0.1)",
    prior=("beta ~ Normal(0, 10)", 'beta["quoted"] ~ Flat()'),
    reference="none",
    margin=1e-05,
    alpha=0.05,
    seed=7,
    precision="float32",
    timeout=1.5,
    drop_missing=True,
    weights="w",
    levels=("y: a < b",),
    network=(16, 8),
    no_reduce=True,
)


def read(tmp_path, text):
    path = tmp_path / "problem.toml"
    path.write_text(text, encoding="utf-8")
    return request.read(path)


@pytest.mark.parametrize("asked", [Request(), FULL], ids=["default", "full"])
def test_what_is_written_is_read_again(tmp_path, asked):
    assert read(tmp_path, asked.write()) == asked


@pytest.mark.parametrize(
    "name", ["plain.csv", "with 'quotes'.csv", 'with "quotes".csv', "größe.csv", "😀.csv", "a\\b.csv", "a\x7fb.csv"]
)
def test_paths_of_any_name_survive(tmp_path, name):
    asked = Request(data=str(tmp_path / name), new_data=str(tmp_path / name))
    assert read(tmp_path, asked.write()) == asked


def test_paths_are_relative_to_the_file_and_written_absolute(tmp_path, monkeypatch):
    asked = read(tmp_path, 'data = "kids.csv"\nnew-data = "more/kids.csv"\n')
    assert asked.data == str(tmp_path / "kids.csv")
    assert asked.new_data == str(tmp_path / "more" / "kids.csv")
    monkeypatch.chdir(tmp_path)
    assert f'data = "{tmp_path / "kids.csv"}"' in Request(data="kids.csv").write()
    assert read(tmp_path, 'data = "toy(n=5)"').data == "toy(n=5)"


def test_a_flag_wins_over_the_file():
    asked = request.overlay(FULL, {"seed": 0, "margin": None, "backends": ("exact",)})
    assert (asked.seed, asked.margin, asked.backends) == (0, FULL.margin, ("exact",))


@pytest.mark.parametrize(
    "text, message",
    [
        ("sede = 1", "unknown key 'sede'; did you mean 'seed'"),
        ('seed = "1"', "seed must be a number, not '1'"),
        ("seed = true", "seed must be a number"),
        ("seed = 1.5", "seed must be a number"),
        ('margin = "small"', "margin must be a number"),
        ("method = 3", "method must be a text"),
        ('backends = "pyro"', "backends must be a list of texts"),
        ("backends = [1]", "backends must be a list of texts"),
        ("drop_missing = 1", "drop_missing must be true or false"),
        ("no_reduce = 'no'", "no_reduce must be true or false"),
        ("weights = 2", "weights must be a text"),
        ("network = 16", "network must be a list of whole numbers, not 16"),
        ("network = ['16']", "network must be a list of whole numbers"),
        ("network = [16.5]", "network must be a list of whole numbers"),
        ("networks = [16]", "unknown key 'networks'; did you mean 'network'"),
        ("seed = ", "is no problem file"),
        ("seed = 1\nseed = 2", "is no problem file"),
        ("[toy]\nn = 1", "unknown key 'toy'"),
    ],
)
def test_a_wrong_file_is_refused_with_a_reason(tmp_path, text, message):
    with pytest.raises(RequestError, match=message) as caught:
        read(tmp_path, text)
    assert "problem.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "problem.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RequestError, match="is no problem file"):
        request.read(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(RequestError, match="no problem file"):
        request.read(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    "asked, message",
    [
        (Request(margin=0.0), "margin must be a positive number"),
        (Request(margin=float("nan")), "margin must be a positive number"),
        (Request(alpha=1.0), "alpha must be between 0 and 1"),
        (Request(seed=-1), "seed must be a whole number of at least 0"),
        (Request(precision="float16"), "precision must be float64 or float32"),
        (Request(timeout=0.0), "timeout must be a positive number of seconds"),
        (Request(timeout=float("inf")), "timeout must be a positive number of seconds"),
        (Request(method="nutz"), "unknown method 'nutz'"),
    ],
)
def test_a_wrong_setting_is_refused(asked, message):
    with pytest.raises(RequestError, match=message):
        asked.settings()


@pytest.mark.parametrize("jobs", [0, -1])
def test_jobs_are_at_least_one(jobs):
    with pytest.raises(RequestError, match="jobs must be at least 1"):
        Request().settings(jobs=jobs)


@pytest.mark.parametrize(
    "texts, message",
    [
        (("beta Normal(0, 1)",), "can't read the prior 'beta Normal"),
        (("~ Normal(0, 1)",), "can't read the prior"),
        (("beta ~",), "can't read the prior"),
        (("beta ~ Flat()", " beta ~ Normal(0, 1)"), "the prior of 'beta' is given twice"),
    ],
)
def test_a_wrong_prior_is_refused(texts, message):
    with pytest.raises(RequestError, match=message):
        request.parse_priors(texts)


def test_the_toy_can_be_restated():
    stated = Request(family="gaussian", prior=("sigma ~ HalfNormal(1)", "beta ~ Flat()")).problem()
    assert str(stated.regression.auxiliary["sigma"]) == "HalfNormal(1)"
    assert str(stated.regression.beta[0]) == "Flat()"
    assert str(stated.regression.intercept) == "Normal(0, 10)"
    assert stated.new_data.rows == 20


def test_the_toys_seed_is_the_requests():
    assert Request(seed=1).problem().data.y[0] != Request(seed=2).problem().data.y[0]


def test_a_file_needs_a_formula(tmp_path):
    with pytest.raises(RequestError, match="a formula is needed"):
        Request(data=str(tmp_path / "x.csv")).problem()


def test_every_setting_can_be_asked_for_and_written(tmp_path):
    """A field that `FULL` leaves at its default would not be tested."""
    assert {f.name for f in fields(Request) if getattr(FULL, f.name) == f.default} == {"data", "new_data"}
    assert set(tomllib.loads(FULL.write())) == {f.name for f in fields(Request)} - {"new_data"}


def test_a_network_of_the_toy_has_default_priors_or_given_ones():
    stated = Request(network=(3,), prior=("layer0.weight ~ Normal(0, 2)",)).problem()
    assert stated.regression.network.hidden == (3,)
    assert {str(prior) for prior in stated.regression.network.priors["layer0.weight"]} == {"Normal(0, 2)"}
    assert stated.new_data.rows == 20


def test_a_table_is_weighted_by_a_column(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("y,x,w\n1,0.5,2\n2,1,1\n3,2.5,0.5\n3.5,1,1\n")
    stated = Request(data=str(path), formula="y ~ x", weights="w").problem()
    assert list(stated.data.weights) == [2, 1, 0.5, 1]
    assert stated.regression.columns == ("x",)
    with pytest.raises(RequestError, match="the toy has no column of weights"):
        Request(weights="w").problem()


def test_rows_are_taken_together_unless_it_is_said_otherwise():
    assert Request().settings().reduce
    assert not Request(no_reduce=True).settings().reduce
