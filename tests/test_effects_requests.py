"""What is asked for wrongly is said in one line; what is found reads well, and shows what tables hold as it is."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from effects_support import by_hand, table

import bayescore as bc
from bayescore.effects import comparisons, predictions, slopes
from bayescore.effects.result import Effects
from bayescore.errors import BayescoreError, RequestError
from bayescore.model.data import Data, Membership
from bayescore.model.groups import Grouping

TABLE = table()


@pytest.fixture(scope="module")
def problem():
    return bc.from_table("count ~ x * g + C(k) + log(hours) + sqrt(x) + (1 | s)", TABLE, family="Poisson")


@pytest.fixture(scope="module")
def posterior(problem):
    return by_hand(problem)


REFUSED = [
    (predictions, ["age"], {}, "there are no values of 'age': the formula uses no such column (columns: x, g, k, hours, s)"),  # noqa: E501
    (predictions, [{"hour": 1}], {}, "the formula uses no such column; did you mean 'hours'? (columns:"),
    (predictions, ["count"], {}, "'count': it is the response, and not what it depends on"),
    (predictions, [3], {}, "conditional is a column's name, a list of names, or values as {'x': [1, 2]}, not 3"),
    (predictions, [[3]], {}, "there are no values of 3: a column is named by a text"),
    (predictions, [{"x": []}], {}, "there are no values of 'x': give at least one"),
    (predictions, [{"x": "fast"}], {}, "column 'x' holds numbers, and 'fast' is no finite one"),
    (predictions, [{"x": [1, np.nan]}], {}, "column 'x' holds numbers, and nan is no finite one"),
    (predictions, [{"x": [1, 1j]}], {}, "column 'x' holds numbers, and 1j is no finite one"),
    (predictions, [{"g": ["a", "B"]}], {}, "column 'g' has no level 'B'; did you mean 'b'? (levels: a, b, c)"),
    (predictions, [{"k": [4, 5]}], {}, "column 'k' has no level '5' (levels: 4, 6, 8)"),
    (predictions, [{"g": None, "x": range(10**12)}], {}, "there are more than 1000000 values of 'x': give fewer"),
    (predictions, [{"x": range(10**5), "hours": range(1, 10**5)}], {}, "of memory, and at most"),
    (predictions, [{"hours": -1}], {}, "log(hours)' is NaN or infinite in row 1"),
    (predictions, [], {"others": "mean"}, "others is 'typical' or 'observed', not 'mean'"),
    (predictions, [], {"scale": "link"}, "scale is 'response' or 'linear', not 'link'"),
    (predictions, [], {"groups": "none"}, "groups is 'own' or 'population', not 'none'"),
    (predictions, [], {"interval": 90}, "interval must be between 0 and 1, not 90"),
    (predictions, [], {"weighted": "w"}, "weighted is True or False, not 'w'"),
    (predictions, [], {"averageby": "x"}, "unknown setting 'averageby'; did you mean 'average_by'? (known: others,"),
    (predictions, [], {"average_by": []}, "average_by is True, False, a column or several, not []"),
    (predictions, [], {"average_by": "G"}, "there is no average by the values of 'G': the formula uses no such column"),
    (predictions, [{"x": 1}], {"average_by": "g"}, "all rows have a typical one; name it in conditional, or others='observed'"),  # noqa: E501
    (predictions, [{"x": 1}], {"groups": "own"}, "groups='own' needs a level of 's': name it in conditional"),
    (comparisons, ["beta[x]"], {}, "of 'beta[x]': it is a parameter, and no column of the table; did you mean 'x'?"),
    (comparisons, ["g[b]"], {}, "it is a column of the design matrix, and no column of the table; did you mean 'g'?"),
    (comparisons, ["intercept"], {}, "of 'intercept': it is a parameter, and no column of the table (columns:"),
    (comparisons, ["offset(1|s)"], {}, "it is a parameter, and no column of the table; did you mean 's'?"),
    (comparisons, [{"g": "d"}], {}, "column 'g' has no level 'd'"),
    (comparisons, [{"g": "b"}], {}, "'g' is compared with nothing: name two of its levels (a, b, c)"),
    (comparisons, [{"x": [2]}], {}, "'x' is compared with nothing: give two values, or a step as {'x': 2}"),
    (comparisons, [{"x": 0}], {}, "'x' is compared with itself: a step is not 0"),
    (comparisons, [{"x": "iqr"}], {}, "'x' is compared by a step, two values or 'sd', not 'iqr'"),
    (comparisons, [[]], {}, "nothing is compared: name a column"),
    (comparisons, [7], {}, "a column is named, as 'x', or several, or values as {'x': [1, 2]}, not 7"),
    (comparisons, ["g", {"g": "a"}], {}, "'g' is compared, and can't be held at a value: leave it out of conditional"),
    (comparisons, ["g"], {"comparison": "rati"}, "comparison is 'difference' or 'ratio' or 'lift', not 'rati'; did you mean 'ratio'?"),  # noqa: E501
    (slopes, ["g"], {}, "'g' is taken for categories and has no slope: ask for comparisons('g')"),
    (slopes, ["k"], {}, "'k' is taken for categories and has no slope"),
    (slopes, ["X"], {}, "there is no slope of 'X': the formula uses no such column; did you mean 'x'?"),
    (slopes, [{"x": 1}], {}, "a column is named, as 'x', or several"),
    (slopes, ["x", {"x": 0}], {}, "no slope by 'x' where a little more or less is no value: "),
    (slopes, ["x"], {"slope": "dy"}, "slope is 'dydx' or 'eyex' or 'eydx' or 'dyex', not 'dy'"),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "args", "view", "message"), REFUSED)
def test_a_mistake_is_said_in_one_line(problem, posterior, ask, args, view, message):
    with pytest.raises(BayescoreError) as error:
        ask(problem, posterior, *args, **view)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_draws_that_dont_fit_into_memory_are_refused_before_any_work(problem, posterior, monkeypatch):
    monkeypatch.setattr("bayescore.system.memory.memory", lambda: 4 * 8 * 80 * 59)
    with pytest.raises(RequestError, match=r"80 draws of 60 averages would take .* GiB"):
        predictions(problem, posterior, average_by=False)
    assert len(predictions(problem, posterior)) == 1


def test_without_a_numeric_column_there_is_no_slope():
    stated = bc.from_table("real ~ g", TABLE)
    with pytest.raises(RequestError, match=r"no column is numeric, and only such have slopes: ask for comparisons\(\)"):
        slopes(stated, by_hand(stated))


def test_arrays_with_groups_are_refused():
    members = {"1|g": Membership(np.array([0, 1, 0]), np.ones(3))}
    data = Data(np.arange(3.0)[:, None], np.arange(3.0), ("x",), groups=members)
    stated = bc.from_data(data, groupings=[Grouping("g", ("1",), ("a", "b"))])
    with pytest.raises(RequestError, match="stated by arrays with group effects: state it by from_table"):
        slopes(stated, by_hand(stated))


def test_names_that_tables_of_estimates_have_themselves():
    frame = TABLE.rename(columns={"x": "estimate", "z": "self", "g": "term", "k": "category"})
    stated = bc.from_table("grade ~ estimate + self + term + category", frame, family="Ordinal")
    posterior = by_hand(stated)
    found = predictions(stated, posterior, {"estimate": [1], "term": None, "category": [4]})
    assert list(found.frame) == ["estimate_", "term_", "category_", "category", "estimate", "lower", "upper"]
    assert len(comparisons(stated, posterior)) == 4 * 5
    assert len(slopes(stated, posterior, "self")) == 4


def test_levels_keep_the_values_of_the_table(problem, posterior):
    found = predictions(problem, posterior, {"k": ["4", 8.0]})
    assert found.frame["k"].tolist() == [4, 8]
    assert predictions(problem, posterior, {"g": np.array(["a"]), "x": 1}).frame["x"].tolist() == [1.0]


def test_values_that_are_not_given_are_spread_over_the_data(problem, posterior):
    along = predictions(problem, posterior, ["x", "hours", "g"]).frame
    assert (along["x"].nunique(), along["hours"].nunique(), along["g"].nunique()) == (50, 5, 3)
    assert (along["x"].min(), along["x"].max()) == (TABLE["x"].min(), TABLE["x"].max())
    stated = bc.from_table("real ~ n", TABLE)
    assert predictions(stated, by_hand(stated), "n").frame["n"].tolist() == sorted(TABLE["n"].unique())


def test_levels_in_the_order_that_was_stated():
    stated = bc.from_table("real ~ g", TABLE, levels={"g": ["c", "a", "b"]})
    found = comparisons(stated, by_hand(stated), "g")
    assert found.frame["contrast"].tolist() == ["a - c", "b - c"]
    treated = bc.from_table("real ~ C(g, Treatment('b'))", TABLE)
    assert comparisons(treated, by_hand(treated)).frame["contrast"].tolist() == ["a - b", "c - b"]
    assert predictions(stated, by_hand(stated), average_by="g").frame["g"].tolist() == ["c", "a", "b"]
    listed = bc.from_table("real ~ C(g, levels=['b', 'c', 'a'])", TABLE)
    assert comparisons(listed, by_hand(listed)).frame["contrast"].tolist() == ["c - b", "a - b"]


def test_what_is_found_reads_as_a_table_and_escapes_what_users_write():
    frame = TABLE.assign(g=TABLE["g"].replace({"a": "<b>\x1b[31m", "b": "b", "c": "c\nd"}))
    stated = bc.from_table("real ~ g", frame)
    found = comparisons(stated, by_hand(stated), "g")
    text, page = repr(found), found._repr_html_()
    assert text.startswith("comparisons of the expected real\n") and text.endswith("averaged over the data's 60 rows")
    assert "\x1b" not in text and "<b>\x1b" not in page and "&lt;b&gt;" in page
    long = predictions(stated, by_hand(stated), average_by=False)
    assert "... 30 more rows in .frame" in repr(long)
    assert isinstance(found, Effects) and found.draws.shape == (2, 40, 2)


def test_nothing_of_it_is_imported_before_it_is_asked_for():
    code = "import sys, bayescore as bc; bc.Fit; print([m for m in sys.modules if m.startswith(('bayescore.effects', 'pandas', 'matplotlib'))])"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "bayescore.effects" not in done.stdout and "matplotlib" not in done.stdout
    code = "import sys, bayescore.effects; print([m for m in sys.modules if m.startswith('matplotlib')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_index_of_the_table_does_not_matter():
    stated = bc.from_table("real ~ x + g", TABLE.set_index(pd.Index(np.repeat([7, 8], 30))))
    plain = bc.from_table("real ~ x + g", TABLE)
    posterior = by_hand(plain)
    for view in ({}, {"average_by": False}, {"average_by": "g"}):
        a, b = (predictions(one, posterior, **view) for one in (stated, plain))
        pd.testing.assert_frame_equal(a.frame, b.frame)
