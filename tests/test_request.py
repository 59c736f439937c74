"""Problem files: read, written, and overruled by flags."""

import tomllib
from typing import Literal, get_args, get_origin

import pytest

from bayescore.cli import request
from bayescore.cli.request import PARTS, Request
from bayescore.cli.statement import Statement
from bayescore.cli.stating import parse_priors, problem_of
from bayescore.errors import RequestError
from bayescore.settings import Settings

IN_FILES = {name: option for cls in PARTS.values() for name, option in cls.declared.items() if option.said.in_file}
WRITTEN = {
    "backends": ["pyro", "numpyro:nuts(chains=2)"],
    "method": "nuts(chains=4)",
    "prior": ["beta ~ Normal(0, 10)", 'beta["quoted"] ~ Flat()'],
    "margin": 1e-05,
    "alpha": 0.05,
    "reference": "none",
    "timeout": 1.5,
}


def other(option):
    """A value that is not the default."""
    if option.plain is bool:
        return not option.default
    if option.plain in {int, float}:
        return (option.default or 0) + 1
    if get_origin(option.plain) is Literal:
        return get_args(option.plain)[-1]
    return "some text" if option.plain is str else [3 if int in get_args(option.plain) else "some text"]


FULL = Request({name: other(option) for name, option in IN_FILES.items() if not option.said.path} | WRITTEN)


def read(tmp_path, text):
    path = tmp_path / "problem.toml"
    path.write_text(text, encoding="utf-8")
    return request.read(path)


@pytest.mark.parametrize(
    "asked", [Request(), FULL, Request({"seed": 0, "margin": 1})], ids=["default", "full", "numbers"]
)
def test_what_is_written_is_read_again(tmp_path, asked):
    found = read(tmp_path, asked.write())
    assert found.over(asked.given) == found
    assert (found.backends, found.settings) == (asked.backends, asked.settings)
    assert read(tmp_path, found.write()) == found


@pytest.mark.parametrize(
    "name", ["plain.csv", "with 'quotes'.csv", 'with "quotes".csv', "größe.csv", "😀.csv", "a\\b.csv", "a\x7fb.csv"]
)
def test_paths_of_any_name_survive(tmp_path, name):
    files = {"data": str(tmp_path / name), "new_data": str(tmp_path / name)}
    found = read(tmp_path, Request(files).write())
    assert files.items() <= found.given.items()
    assert found.files == [str(tmp_path / name)] * 2


def test_paths_are_relative_to_the_file_and_written_absolute(tmp_path, monkeypatch):
    asked = read(tmp_path, 'data = "kids.csv"\nnew-data = "more/kids.csv"\n')
    assert asked.given["data"] == str(tmp_path / "kids.csv")
    assert asked.given["new_data"] == str(tmp_path / "more" / "kids.csv")
    monkeypatch.chdir(tmp_path)
    assert f'data = "{tmp_path / "kids.csv"}"' in Request({"data": "kids.csv"}).write()
    toy = read(tmp_path, 'data = "toy(n=5)"')
    assert (toy.given["data"], toy.files) == ("toy(n=5)", [])


def test_a_flag_wins_over_the_file():
    asked = FULL.over({"seed": 0, "backends": ["exact"]})
    assert (asked.settings.seed, asked.settings.margin, asked.backends) == (0, 1e-05, ("exact",))


@pytest.mark.parametrize(
    "text, message",
    [
        ("sede = 1", "unknown key 'sede'; did you mean 'seed'"),
        ('seed = "1"', "seed must be a whole number of at least 0, under 2..63, not '1'"),
        ("seed = true", "seed must be a whole number"),
        ("seed = 1.5", "seed must be a whole number"),
        ('margin = "small"', "margin must be a positive number"),
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
        ("margin = 0", "margin must be a positive number, at most 1e6, not 0"),
        ("method = 'nutz'", "unknown method 'nutz'"),
        ("formula = 2020-01-01", "formula must be a text"),
        ("smoke = true", "unknown key 'smoke'"),
        ("reduce = false", "unknown key 'reduce'; did you mean 'no_reduce'"),
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
    "name, value, message",
    [
        ("margin", 0.0, "margin must be a positive number"),
        ("margin", float("nan"), "margin must be a positive number"),
        ("alpha", 1.0, "alpha must be between 0 and 1"),
        ("seed", -1, "seed must be a whole number of at least 0"),
        ("precision", "float16", "precision must be float64 or float32"),
        ("timeout", 0.0, "timeout must be a positive number of seconds"),
        ("timeout", float("inf"), "timeout must be a positive number of seconds"),
        ("method", "nutz", "unknown method 'nutz'"),
        ("jobs", 0, "jobs must be at least 1"),
        ("jobs", -1, "jobs must be at least 1"),
        ("cores", 0, "cores must be at least 1"),
    ],
)
def test_a_wrong_setting_is_refused(name, value, message):
    with pytest.raises(RequestError, match=message):
        _ = Request({name: value}).settings


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
        parse_priors(texts)


def test_the_toy_can_be_restated():
    stated = problem_of(Statement(family="gaussian", prior=("sigma ~ HalfNormal(1)", "beta ~ Flat()")))
    assert str(stated.regression.auxiliary["sigma"]) == "HalfNormal(1)"
    assert str(stated.regression.beta[0]) == "Flat()"
    assert str(stated.regression.intercept) == "Normal(0, 10)"
    assert stated.new_data.rows == 20


def test_the_toys_seed_is_the_requests():
    assert problem_of(Statement(), seed=1).data.y[0] != problem_of(Statement(), seed=2).data.y[0]


def test_a_file_needs_a_formula(tmp_path):
    with pytest.raises(RequestError, match="a formula is needed"):
        problem_of(Statement(data=str(tmp_path / "x.csv")))


def test_every_option_of_a_file_can_be_asked_for_and_written():
    assert all(FULL.given[name] != IN_FILES[name].default for name in FULL.given)
    paths = {option.spelled for option in IN_FILES.values() if option.said.path}
    assert set(tomllib.loads(FULL.write())) == {option.spelled for option in IN_FILES.values()} - paths | {"data"}


def test_a_network_of_the_toy_has_default_priors_or_given_ones():
    stated = problem_of(Statement(network=(3,), prior=("layer0.weight ~ Normal(0, 2)",)))
    assert stated.regression.network.hidden == (3,)
    assert {str(prior) for prior in stated.regression.network.priors["layer0.weight"]} == {"Normal(0, 2)"}
    assert stated.new_data.rows == 20


def test_a_table_is_weighted_by_a_column(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("y,x,w\n1,0.5,2\n2,1,1\n3,2.5,0.5\n3.5,1,1\n")
    stated = problem_of(Statement(data=str(path), formula="y ~ x", weights="w"))
    assert list(stated.data.weights) == [2, 1, 0.5, 1]
    assert stated.regression.columns == ("x",)
    with pytest.raises(RequestError, match="the toy has no column of weights"):
        problem_of(Statement(weights="w"))


def test_rows_are_taken_together_unless_it_is_said_otherwise(tmp_path):
    assert Request().settings.reduce
    assert not read(tmp_path, "no_reduce = true").settings.reduce
    assert read(tmp_path, "no-reduce = false").settings == Settings()
