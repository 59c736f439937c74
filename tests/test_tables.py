"""Tables: files, and frames of pandas, of polars and of others."""

import sys

import numpy as np
import pandas as pd
import pytest

from bayescore.errors import DataError
from bayescore.tables.files import read_table, to_pandas
from bayescore.tables.formula import apply

TABLE = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "x": [0.5, 1.5, 2.5, 3.5], "g": ["a", "b", "a", "c"]})


@pytest.mark.parametrize("suffix", ["csv", "parquet", "pq"])
def test_a_file_is_read(tmp_path, suffix):
    path = tmp_path / f"table.{suffix}"
    TABLE.to_csv(path, index=False) if suffix == "csv" else TABLE.to_parquet(path)
    table = read_table(path)
    assert list(table.columns) == ["y", "x", "g"]
    np.testing.assert_array_equal(table["x"], TABLE["x"])
    np.testing.assert_array_equal(table["g"], TABLE["g"])


def test_spaces_around_a_files_names_are_taken_off(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("y , x\n1,2\n")
    assert list(read_table(path).columns) == ["y", "x"]


@pytest.mark.parametrize(
    "content, message",
    [(b"", "is empty"), (b"\n\n", "is empty"), (b"y,x\n", "has no rows"), (b"y,x\n1,2\n3,4,5,6\n", "can't read"),
     (b"\xff\xfe\x00\x01\x80", "can't read")],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)
    assert "table.csv" in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no file .*nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv")


def test_a_file_that_only_calls_itself_parquet_is_refused(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_text("y,x\n1,2\n")
    with pytest.raises(DataError, match=r"can't read the table .*table\.parquet"):
        read_table(path)


def test_a_frame_of_pandas_is_taken_as_it_is():
    assert to_pandas(TABLE) is TABLE


def test_names_become_text_and_the_callers_frame_stays():
    frame = pd.DataFrame({0: [1.0], "x": [2.0]})
    assert list(to_pandas(frame).columns) == ["0", "x"]
    assert list(frame.columns) == [0, "x"]


def _structured():
    return np.array([(1.0, 2, "a"), (3.0, 4, "b")], dtype=[("y", float), ("x", int), ("g", "U1")])


def _arrow():
    return pytest.importorskip("pyarrow").table({"y": [1.0, 3.0], "x": [2, 4], "g": ["a", "b"]})


def _polars():
    return pytest.importorskip("polars").DataFrame({"y": [1.0, 3.0], "x": [2, 4], "g": ["a", "b"]})


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"y": [1.0, 3.0], "x": np.array([2, 4]), "g": ["a", "b"]},
        _structured,
        _arrow,
        _polars,
        lambda: _polars().lazy(),
    ],
    ids=["dict", "structured", "arrow", "polars", "lazy"],
)
def test_other_tables_are_taken_too(make):
    table = to_pandas(make())
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["y", "x", "g"]
    assert table["y"].tolist() == [1.0, 3.0]
    assert table["x"].tolist() == [2, 4]
    assert table["g"].tolist() == ["a", "b"]


def test_polars_gives_the_same_design_as_pandas():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(TABLE.to_dict("list"))
    before = frame.clone()
    found, wanted = apply("y ~ scale(x) + g + (1 | g)", frame), apply("y ~ scale(x) + g + (1 | g)", TABLE)
    np.testing.assert_array_equal(found.data.x, wanted.data.x)
    assert found.data.columns == wanted.data.columns == ("scale(x)", "g[b]", "g[c]")
    assert found.groupings == wanted.groupings
    np.testing.assert_array_equal(found.new(frame.slice(1, 2)).x, wanted.data.x[1:3])
    assert frame.equals(before)


def test_polars_missing_values_are_found_and_can_be_dropped():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"y": [1.0, 2.0, None, 3.0], "x": [1, None, 3, 4], "g": ["a", "b", "a", None]})
    with pytest.raises(DataError, match="column 'x' is missing or infinite in row 2"):
        apply("y ~ x + g", frame)
    design = apply("y ~ x", frame, drop_missing=True)
    assert design.dropped == (2, 3)
    assert design.data.x.tolist() == [[1.0], [4.0]]


def test_polars_types_are_numbers_text_and_ordered_categories():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(
        {
            "y": [1.0, 2.0, 3.0],
            "small": polars.Series([3, 4, 5], dtype=polars.UInt8),
            "money": polars.Series(["1.5", "2.5", "4"]).cast(polars.Decimal(10, 2)),
            "size": polars.Series(["small", "large", "small"], dtype=polars.Enum(["small", "medium", "large"])),
            "kind": polars.Series(["v", "u", "v"], dtype=polars.Categorical),
        }
    )
    data = apply("y ~ I(small - 4) + money + size + kind", frame).data
    assert data.columns == ("I(small - 4)", "money", "size[large]", "kind[v]")
    np.testing.assert_array_equal(data.x, [[-1, 1.5, 0, 1], [0, 2.5, 1, 0], [1, 4, 0, 1]])


@pytest.mark.parametrize(
    "table, message",
    [
        ([1, 2], "mapping from names to columns, not builtins.list"),
        (None, "not builtins.NoneType"),
        (np.ones((3, 2)), "not numpy.ndarray"),
        ({"y": [1.0], "x": [1.0, 2.0]}, "can't make a table of these columns"),
        ({"y": 1.0}, "can't make a table of these columns"),
    ],
)
def test_what_is_no_table_is_refused(table, message):
    with pytest.raises(DataError, match=message) as caught:
        to_pandas(table)
    assert "\n" not in str(caught.value)


def test_without_narwhals_it_is_said_what_to_install(monkeypatch):
    frame = _polars()
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(DataError, match=r"polars.DataFrame.* needs narwhals: pip install 'bayescore\[tables\]'"):
        to_pandas(frame)
    assert to_pandas(TABLE) is TABLE
