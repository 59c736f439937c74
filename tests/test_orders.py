"""Orders of levels: stated, known from numbers or a frame, or asked for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayescore.cli.request import Request, read
from bayescore.errors import DataError, RequestError
from bayescore.exact.backend import ExactBackend
from bayescore.methods import Exact
from bayescore.tables.formula import orders
from bayescore.tables.formula.levels import levels
from bayescore.tables.problem import Problem, from_table

Y = ["low", "low", "medium", "low", "medium", "medium", "high", "high", "medium", "high"]
TABLE = pd.DataFrame({"x": np.arange(1, 11), "y": Y})
ORDER = ("low", "medium", "high")
PRIORS = {"threshold": "Normal(0, 5)", "beta": f"Normal(0, {2.5 / np.std(TABLE['x'])})"}


def slope(problem: Problem) -> tuple[float, float]:
    backend = ExactBackend()
    fit = backend.fit(problem.regression, problem.data, Exact(draws=10), seed=0, progress=lambda *_: None)
    moments = backend.sample_posterior(fit, seed=0).moments
    assert moments is not None
    at = list(moments.names).index("beta[x]")
    return float(moments.mean[at]), float(moments.sd[at])


def test_an_order_that_nobody_stated_is_asked_for():
    with pytest.raises(DataError) as caught:
        from_table("y ~ x", TABLE, family="ordinal")
    assert "nobody stated the order of the categories of 'y' (high, low, medium)" in str(caught.value)
    assert "--levels 'y: high < low < medium'" in str(caught.value)
    for name in ("categorical", "gaussian"):  # where order means nothing, nothing is asked
        table = TABLE.assign(z=np.arange(10.0))
        assert from_table("y ~ x" if name == "categorical" else "z ~ y", table, family=name).regression


@pytest.mark.parametrize(
    "y",
    [
        pd.Categorical(Y, categories=list(ORDER), ordered=True),
        pd.Categorical(Y, categories=list(ORDER)),
        [ORDER.index(level) for level in Y],
        [str(8 + ORDER.index(level)) for level in Y],
        [pd.Timestamp(2020, 1, 1 + ORDER.index(level)) for level in Y],
    ],
    ids=["ordered", "declared", "numbers", "numbers as text", "dates"],
)
def test_an_order_that_is_known_is_taken(y):
    mean, sd = slope(from_table("y ~ x", TABLE.assign(y=y), family="ordinal", priors=PRIORS))
    stated = from_table("y ~ x", TABLE, family="ordinal", priors=PRIORS, levels={"y": ORDER})
    np.testing.assert_allclose([mean, sd], slope(stated))
    np.testing.assert_allclose([mean, sd], [0.75, 0.29], atol=0.01)


@pytest.mark.parametrize("sort", [lambda y: y.astype("category"), lambda y: y.astype("string").astype("category")])
def test_the_order_of_names_is_no_order(sort):
    with pytest.raises(DataError, match="nobody stated the order"):
        from_table("y ~ x", TABLE.assign(y=sort(TABLE["y"])), family="ordinal")


def test_the_order_in_which_polars_met_its_categories_is_none():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"x": TABLE["x"].tolist(), "y": polars.Series(Y, dtype=polars.Categorical)})
    with pytest.raises(DataError, match="nobody stated the order"):
        from_table("y ~ x", frame, family="ordinal")
    declared = frame.with_columns(y=polars.Series(Y, dtype=polars.Enum(list(ORDER))))
    assert from_table("y ~ x", declared, family="ordinal").data.categories == ORDER


def test_the_command_line_and_a_problem_file_state_it(tmp_path: Path):
    TABLE.to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "problem.toml").write_text(
        'data = "table.csv"\nformula = "y ~ x"\nfamily = "ordinal"\nlevels = ["y: low < medium < high"]\n'
    )
    asked = read(tmp_path / "problem.toml")
    assert asked.problem().data.categories == ORDER
    assert read_again(asked, tmp_path) == asked.given["levels"]
    flag = Request({"data": str(tmp_path / "table.csv"), "formula": "x ~ y", "levels": ["y: medium < low < high"]})
    assert flag.problem().data.columns == ("y[low]", "y[high]")


def read_again(asked: Request, folder: Path) -> list[str]:
    (folder / "again.toml").write_text(asked.write())
    return read(folder / "again.toml").given["levels"]


@given(
    name=st.text(st.characters(codec="ascii", exclude_characters="\"'\0"), min_size=1).filter(str.strip),
    names=st.lists(st.text(st.sampled_from("ab 1<:,'é"), min_size=1).filter(str.strip), min_size=1, max_size=5),
)
def test_what_is_advised_is_read_again(name, names):
    assert orders.parse([orders.write(name, names)]) == {name: tuple(names)}


@pytest.mark.parametrize(
    "text", ["", "y", "y:", ": a < b", "y: a < < b", "y: <", "y: 'a < b", "y a < b", "y: a < b : c"]
)
def test_what_is_no_order_is_refused(text):
    with pytest.raises(RequestError, match=r"can't read the order .*: write 'y: low < medium < high'"):
        orders.parse([text])


@pytest.mark.parametrize(
    "stated, message",
    [
        ({"z": ["a"]}, "no column 'z' in the table"),
        ({"y": ["low", "high"]}, "the order of 'y' lacks the level 'medium'"),
        ({"y": ["low", "low", "medium", "high"]}, "has the level 'low' twice"),
        ({"y": "low"}, "are a list, lowest first, not 'low'"),
        ({"y": [*ORDER, "more"]}, "category 'more' of 'y' never occurs"),
    ],
)
def test_a_wrong_order_is_refused(stated, message):
    with pytest.raises(RequestError, match=message):
        from_table("y ~ x", TABLE, family="ordinal", levels=stated)


def test_a_column_may_have_any_name():
    table = TABLE.rename(columns={"y": "self"})
    problem = from_table("self ~ x", table, family="ordinal", levels={"self": ORDER})
    assert problem.data.categories == ORDER
    assert table["self"].tolist() == Y


def test_an_order_is_stated_once():
    with pytest.raises(RequestError, match="the order of 'y' is stated twice"):
        orders.parse(["y: a < b", "y: b < a"])


def test_rows_without_a_level_stay_missing():
    table = TABLE.assign(y=[None, *Y[1:]])
    with pytest.raises(DataError, match="column 'y' is missing or infinite in row 1"):
        from_table("y ~ x", table, family="ordinal", levels={"y": ORDER})
    assert from_table("y ~ x", table, family="ordinal", levels={"y": ORDER}, drop_missing=True).data.rows == 9


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=12, unique=True))
def test_numbers_written_as_text_are_in_the_order_of_numbers(numbers):
    assert levels([str(n) for n in numbers]) == tuple(str(n) for n in sorted(numbers))
