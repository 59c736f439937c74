"""Text files as people write them: the same in memory and in chunks, and nothing read wrongly in silence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayescore.errors import DataError
from bayescore.exact.posterior import solve
from bayescore.tables import out_of_core
from bayescore.tables.files import read_table, remarks
from bayescore.tables.out_of_core import from_file
from bayescore.tables.problem import Problem, from_table

PLAIN = "y,x\n1.5,2.5\n2.1,3.5\n3,4\n7,5\n"
SEMICOLONS = "fields are separated by semicolons"
COMMAS = "numbers are written with decimal commas"
NO_NAME = "the header has no name for the first field, which is left out as the row's name"
READ: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "commas": (PLAIN, ()),
    "semicolons": (PLAIN.replace(",", ";"), (SEMICOLONS,)),
    "decimal commas": (PLAIN.replace(",", ";").replace(".", ","), (SEMICOLONS, COMMAS)),
    "tabs": (PLAIN.replace(",", "\t"), ("fields are separated by tabs",)),
    "bars": (PLAIN.replace(",", "|"), ("fields are separated by bars",)),
    "R's write.table": ('"y" "x"\n"1" 1.5 2.5\n"2" 2.1 3.5\n"3" 3 4\n"4" 7 5\n',
                        ("fields are separated by blanks", NO_NAME)),
    "row names": ("y,x\n1,1.5,2.5\n2,2.1,3.5\n3,3,4\n4,7,5\n", (NO_NAME,)),
    "R's write.csv": ('"","y","x"\n"1",1.5,2.5\n"2",2.1,3.5\n"3",3,4\n"4",7,5\n', ()),
    "trailing separators": ("y,x\n1.5,2.5,\n2.1,3.5,\n3,4,\n7,5,\n", ()),
    "trailing in the header too": ("y,x,\n1.5,2.5,\n2.1,3.5,\n3,4,\n7,5,\n", ()),
    "byte order mark": ("\ufeff" + PLAIN, ()),
    "UTF-16": (PLAIN.encode("utf-16"), ()),
    "CRLF": (PLAIN.replace("\n", "\r\n"), ()),
    "blank lines": ("\n\n" + PLAIN.replace("\n", "\n\n"), ()),
    "spaces": (PLAIN.replace(",", " , "), ()),
    "quoted": ('"y","x"\n"1.5","2.5"\n"2.1","3.5"\n"3","4"\n"7","5"\n', ()),
    "a quoted line break elsewhere": ('y,note,x\n1.5,"a\nb",2.5\n2.1,c,3.5\n3,"d,e",4\n7,f,5\n', ()),
    "identifiers elsewhere": ("y,id,x\n1.5,01,2.5\n2.1,1E1,3.5\n3,2,4\n7,3,5\n", ()),
    "exponents": ("y,x\n15e-1,2.5E0\n2.1,3.5\n3e0,4\n7,.5e1\n", ()),
}  # fmt: skip
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "decimal commas": ('y,x\n1.5,"2,5"\n2.1,"3,5"\n3,"4,1"\n', "text that reads as numbers ('2,5' in row 1)"),
    "thousands": ('y,x\n1,"1,200"\n2,"1,350"\n3,"1,500"\n', "text that reads as numbers ('1,200' in row 1)"),
    "percent": ("y,x\n1,12.5%\n2,13 %\n3,14%\n", "text that reads as numbers ('12.5%' in row 1)"),
    "dollars": ("y,x\n1,$3.10\n2,$4\n3,-$5.2\n", "text that reads as numbers ('$3.10' in row 1)"),
    "euros": ("y,x\n1,€3\n2,4 €\n3,EUR 5\n", "text that reads as numbers ('€3' in row 1)"),
    "blanks": ("y,x\n1,1 200\n2,1\u00a0300\n3,1\u202f400\n", "text that reads as numbers ('1 200' in row 1)"),
    "apostrophes": ("y,x\n1,1'200\n2,1\u2019300\n3,17\n", "text that reads as numbers (\"1'200\" in row 1)"),
    "another minus": ("y,x\n1,\u22125\n2,3\n3,4\n", "text that reads as numbers ('\u22125' in row 1)"),
    "units": ("y,x\n1,5 kg\n2,7 kg\n3,9.5 kg\n", "text that reads as numbers ('5 kg' in row 1)"),
    "leading zeros": ("y,x\n1,01\n2,02\n3,02\n4,01\n5,02\n", "text that reads as numbers ('01' in row 1)"),
    "thousands by dots": ("y;x\n1,5;1.200\n2,5;1.350\n3,5;1.400\n", "text that reads as numbers ('1.200' in row 1)"),
    "a word": ("y,x\n1,2\n2,3\n3,about 4\n", "column 'x' is numeric but for text in row 3 ('about 4')"),
    "in the response": ('y,x\n"1,5",1\n"2,5",2\n"3,1",3\n', "'y' is text that reads as numbers ('1,5' in row 1)"),
    "missing": ("y,x\n1,2\n2,NA\n3,4\n", "column 'x' is missing or infinite in row 2 ('NA' is read as missing)"),
    "missing otherwise": ("y,x\n1,2\n2,n/a\n3,\n4,None\n", "in rows 2, 3, 4 ('None', 'n/a' is read as missing)"),
    "empty": ("y,x\n1,2\n2,\n3,4\n", "column 'x' is missing or infinite in row 2: mend"),
    "infinite": ("y,x\n1,2\n2,-inf\n3,4\n", "column 'x' is missing or infinite in row 2: mend"),
    "twice": ("y,x,x\n1,8,5\n2,9,1\n", "2 columns of the table are named 'x' (2 and 3): rename all but one"),
    "twice but for spaces": ("y,x,z, x\n1,8,5,1\n", "2 columns of the table are named 'x' (2 and 4)"),
    "absent": ("y,xx\n1,2\n", "no column 'x' in the table; did you mean 'xx'? (columns: y, xx)"),
    "one field more": ("y,x\n1,2\n3,4\n5,6,7\n", "line 4 has 3 fields, and the header 2"),
    "an open quote": ('y,x\n1,"2\n3,4\n', "can't read the table"),
    "Latin-1": ("y,x,é\n1,2,3\n".encode("latin-1"), "it is not UTF-8 (byte 0xe9 in line 1); save it as UTF-8"),
    "Latin-1 further down": ("y,x,g\n1,2,a\n2,3,é\n".encode("latin-1"), "not UTF-8 (byte 0xe9 in line 3)"),
    "empty file": ("", "is empty"),
    "blank file": ("\n\n", "is empty"),
    "no rows": ("y,x\n", "has no rows"),
}  # fmt: skip


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def small(path: Path, formula: str = "y ~ x") -> Problem:
    return from_table(formula, read_table(path))


@pytest.fixture(params=["small", "large"])
def state(request, monkeypatch):
    """Both ways of a file: in memory, and in chunks, of four rows."""
    monkeypatch.setattr(out_of_core, "_CHUNK_ROWS", 4)
    return small if request.param == "small" else lambda path: from_file(path, "y ~ x")


@pytest.mark.parametrize("content, notes", READ.values(), ids=READ)
def test_a_plain_file_is_read_and_what_is_unusual_is_said(state, content, notes, tmp_path):
    problem = state(written(tmp_path, content))
    assert problem.data.stands_for == 4
    np.testing.assert_allclose(problem.new_data.x[:2, 0], [2.5, 3.5])
    moments = solve(problem.regression, problem.data).moments
    plain = small(written(tmp_path, PLAIN, "plain.csv"))
    np.testing.assert_allclose(moments.mean, solve(plain.regression, plain.data).moments.mean, rtol=1e-8)
    said = tuple(note for note in problem.notes if note in {COMMAS, NO_NAME} or "separated" in note)
    assert said == notes


@pytest.mark.parametrize("content, message", REFUSED.values(), ids=REFUSED)
def test_what_can_be_read_wrongly_is_refused(state, content, message, tmp_path):
    with pytest.raises(DataError) as caught:
        state(written(tmp_path, content))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


WAYS = {
    "commas": "{:,}".format,
    "percent": "{} %".format,
    "dollars": "${}".format,
    "blanks": lambda n: f"{n:,}".replace(",", " "),
    "decimal commas": lambda n: f"{n / 10}".replace(".", ","),
    "accounts": "({})".format,
    "zeros": "0{}".format,
}


@pytest.mark.parametrize("write", WAYS.values(), ids=WAYS)
@settings(max_examples=25, deadline=None)
@given(numbers=st.lists(st.integers(1000, 10**7), min_size=3, max_size=12, unique=True))
def test_numbers_by_any_convention_are_no_categories(write, numbers):
    frame = pd.DataFrame({"y": np.arange(len(numbers)), "x": [write(n) for n in numbers]})
    with pytest.raises(DataError, match="column 'x' is text that reads as numbers"):
        from_table("y ~ x", frame)
    levels = from_table("y ~ C(x)", frame).data.columns
    assert len(levels) == len(numbers) - 1


@settings(max_examples=50, deadline=None)
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20))
def test_numbers_are_read_to_the_last_digit(tmp_path_factory, numbers):
    path = written(tmp_path_factory.mktemp("files"), "y,x\n" + "".join(f"1,{n!r}\n" for n in numbers))
    np.testing.assert_allclose(read_table(path)["x"].astype(float), numbers, rtol=4e-16)


IDENTIFIERS = {
    "leading zeros": ["01", "1", "1E1", "10"],
    "exponents": ["1E1", "10", "2", "3"],
    "beyond float64": ["9007199254740993", "9007199254740992", "1", "2"],
    "beyond float64, with a gap": ["9007199254740993", "9007199254740992", "", "2"],
    "beyond int64": ["18446744073709551617", "18446744073709551616", "1", "2"],
    "words for nothing": ["None", "NA", "null", "nan"],
}


@pytest.mark.parametrize("ids", IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_identifiers_stay_what_they_are(ids, tmp_path):
    path = written(tmp_path, "y,id\n" + "".join(f"{i},{name}\n" for i, name in enumerate(ids)))
    problem = from_table("y ~ (1 | id)", read_table(path), drop_missing="" in ids)
    assert set(problem.data.categories or problem.regression.groups[0].grouping.levels) == {i for i in ids if i}


def test_integers_of_a_frame_stay_distinct_beyond_float64():
    for ids in ([2**53, 2**53 + 1, 1, 2], [2**64, 2**64 + 1, 1, 2]):
        problem = from_table("y ~ (1 | id)", pd.DataFrame({"y": [1.0, 2, 3, 4], "id": ids}))
        assert set(problem.regression.groups[0].grouping.levels) == set(map(str, ids))


def test_text_is_missing_where_it_is_empty_alone(tmp_path):
    path = written(tmp_path, "y,g,x\n1,None,1\n2,drug,NA\n3,,3\n1.5,None,2\n2.5,drug,4\n")
    problem = from_table("y ~ g", read_table(path), drop_missing=True)
    assert problem.data.rows == 4
    assert problem.data.columns == ("g[drug]",)
    assert "'None' is a level of g, not missing: in text only an empty field is missing" in problem.warnings
    assert "left out 1 of 5 rows with missing values: row 3" in problem.notes
    dropped = from_table("y ~ x", read_table(path), drop_missing=True)
    assert "'NA' in the column x is read as missing" in dropped.notes


def test_text_that_is_nearly_all_different_is_warned_of():
    frame = pd.DataFrame({"y": np.arange(10.0), "name": [f"person {c}" for c in "abcdefghij"]})
    (warning,) = [text for text in from_table("y ~ name", frame).warnings if "different values" in text]
    assert warning.startswith("name is text with 10 different values in 10 rows: nearly a coefficient for each row")
    assert not from_table("y ~ (1 | name)", frame).warnings
    few = frame.assign(name=["a", "b"] * 5)
    assert not from_table("y ~ name", few).warnings
    assert from_table("y ~ k", few.assign(k=["1", "2"] * 5)).warnings == (
        "k is text that reads as numbers, and is taken for categories",
    )


@pytest.mark.parametrize(
    "old, new, known",
    [
        ("3\n4\n5\n3", "3.0\n4.00\n5e0\n3", 3),
        ("3.0\n4.0\n5.0\n3", "3\n4\n5\n3", 3),
        ("01\n1\n1E1\n10", "1\n01\n10\n1E1", 4),
        ("1E1\n10\n2\n3", "1E1\n2.0\n1E1\n1E1", 2),
        ("a\n3\n4\na", "3.0\n3\n4\n4", 2),
        ("01\n1\n02\n2", "01\n02\n01\n02", 2),
    ],
)
def test_levels_of_new_rows_are_those_of_the_old_ones_however_written(old, new, known, tmp_path):
    from bayescore.cli.statement import Statement
    from bayescore.cli.stating import problem_of

    def file(name, text):
        lines = "".join(f"{i},{value}\n" for i, value in enumerate(text.split("\n")))
        return str(written(tmp_path, "y,g\n" + lines, name))

    problem = problem_of(Statement(formula="y ~ (1 | g)", data=file("old.csv", old), new_data=file("new.csv", new)))
    index = problem.new_data.groups["1|g"].index
    assert np.all(index >= 0)
    assert len(set(index.tolist())) == known
    assert not [note for note in problem.notes if "new level" in note]


def test_a_level_that_looks_alike_is_another_one(tmp_path):
    table = read_table(written(tmp_path, "y,g\n1,01\n2,02\n3,01\n4,x\n"))
    problem = from_table("y ~ (1 | g)", table, new_table=pd.DataFrame({"g": ["1", "x"]}))
    assert problem.new_data.groups["1|g"].index.tolist()[0] < 0


def test_a_parquet_files_named_index_is_a_column_and_whole_numbers_stay_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(out_of_core, "_CHUNK_ROWS", 2)
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "id": pd.array([2**53 + 1, 2**53, None, 1], dtype="Int64")})
    frame.set_index(pd.Index([1.0, 2.0, 3.0, 5.0], name="x")).to_parquet(path)
    table = read_table(path)
    assert list(table.columns) == ["y", "id", "x"]
    assert table["id"].dropna().tolist() == [2**53 + 1, 2**53, 1]
    np.testing.assert_array_equal(small(path).data.x[:, 0], [1, 2, 3, 5])
    assert from_file(path, "y ~ x").data.stands_for == 4
    frame.to_parquet(path)
    assert list(read_table(path).columns) == ["y", "id"]
    with pytest.raises(DataError, match=r"no column 'x' in the table; it is the table's index: reset_index\(\)"):
        from_table("y ~ x", frame.set_index(pd.Index([1.0, 2.0, 3.0, 5.0], name="x")))


def test_two_columns_of_one_name_in_a_parquet_file_are_refused(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "table.parquet"
    parquet.write_table(arrow.table([[1.0, 2.0], [1.0, 3.0], [1.0, 4.0]], names=["y", "x", "x"]), path)
    for way in (small, lambda path: from_file(path, "y ~ x")):
        with pytest.raises(DataError, match=r"2 columns of the table are named 'x' \(2 and 3\)"):
            way(path)


def test_remarks_are_printed_for_new_rows_too(tmp_path):
    new = read_table(written(tmp_path, "x;y\n1,5;\n"))
    assert remarks(new) == (SEMICOLONS, COMMAS)
    problem = from_table("y ~ x", read_table(written(tmp_path, PLAIN)), new_table=new)
    assert f"new rows: {SEMICOLONS}" in problem.notes
    assert problem.new_data.x.tolist() == [[1.5]]
    assert problem.new_data.y is None
