"""Tables read in chunks: the same posterior as in memory, and clear words about what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescore.cli.statement import Statement
from bayescore.cli.stating import problem_of
from bayescore.errors import DataError, RequestError
from bayescore.exact.posterior import solve
from bayescore.tables import out_of_core, text_files
from bayescore.tables.problem import from_table

FORMULA = "y ~ x1 + x2"


def frame(rows: int = 1000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x1, x2 = rng.normal(1000.0, 1.0, rows), rng.normal(size=rows)
    return pd.DataFrame({"x1": x1, "x2": x2, "text": "a", "y": 3.0 + 0.5 * x1 - x2 + rng.normal(size=rows)})


@pytest.fixture(params=["csv", "parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    found = tmp_path / f"table.{request.param}"
    if request.param == "csv":
        frame().to_csv(found, index=False)
    else:
        frame().to_parquet(found, row_group_size=100)
    return found


@pytest.mark.parametrize("formula", [FORMULA, "y ~ 0 + x1", "y ~ 1"])
def test_chunks_give_the_posterior_of_the_whole(path: Path, formula: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_core, "_CHUNK_ROWS", 64)
    whole, chunked = from_table(formula, frame()), out_of_core.from_file(path, formula)
    assert chunked.data.rows == len(chunked.data.columns) + 2
    assert chunked.data.stands_for == 1000
    assert chunked.new_data.rows == min(64, 200)
    a, b = solve(whole.regression, whole.data).moments, solve(chunked.regression, chunked.data).moments
    assert a.names == b.names
    assert np.max(np.abs(a.mean - b.mean) / a.sd) < 1e-8
    assert np.max(np.abs(a.sd / b.sd - 1)) < 1e-8
    assert abs((a.log_evidence or 0.0) - (b.log_evidence or 1.0)) < 1e-6


def test_a_large_text_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is read: that takes a pass over all of it."""
    looked = []
    lay_out = text_files.lay_out
    monkeypatch.setattr(text_files, "lay_out", lambda path: looked.append(path) or lay_out(path))
    frame().to_csv(tmp_path / "table.csv", index=False, sep=";")
    chunked = out_of_core.from_file(tmp_path / "table.csv", FORMULA)
    assert looked == [tmp_path / "table.csv"]
    assert "fields are separated by semicolons" in chunked.notes
    with pytest.raises(DataError, match="no file"):
        out_of_core.from_file(tmp_path / "other.csv", FORMULA)


def test_new_rows_are_predicted(path: Path) -> None:
    new = out_of_core.from_file(path, FORMULA, new_table=frame(7).drop(columns="y")).new_data
    assert new.x.shape == (7, 2)
    assert new.y is None


@pytest.mark.parametrize(
    ("formula", "family", "error", "words"),
    [
        ("y ~ log(x1)", "Gaussian", RequestError, "plain columns only, not log(x1)"),
        ("y ~ x1:x2", "Gaussian", RequestError, "plain columns only, not x1:x2"),
        ("y ~ x1 + (1 | text)", "Gaussian", RequestError, "plain columns only, not 1|text"),
        ("y ~ x1 + offset(x2)", "Gaussian", RequestError, "plain columns only, not offset(x2)"),
        ("log(y) ~ x1", "Gaussian", RequestError, "plain columns only, not log(y)"),
        ("y ~ x1", "Poisson", RequestError, "Gaussian regressions only, not Poisson"),
        ("y ~ x1 + text", "Gaussian", DataError, "column 'text' holds text"),
        ("y ~ x1 + x3", "Gaussian", DataError, "no column 'x3'"),
    ],
)
def test_what_needs_all_rows_is_refused(path: Path, formula: str, family: str, error: type, words: str) -> None:
    with pytest.raises(error, match=None) as raised:
        out_of_core.from_file(path, formula, family=family)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_value_is_named_by_its_row_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_core, "_CHUNK_ROWS", 64)
    table = frame()
    table.loc[699, "x2"] = np.nan
    table.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match="column 'x2' is missing or infinite in row 700: mend"):
        out_of_core.from_file(tmp_path / "table.csv", FORMULA)


def test_a_file_is_large_by_what_its_table_takes(path: Path) -> None:
    assert out_of_core.is_large(path, limit=1000)
    assert not out_of_core.is_large(path)
    assert not out_of_core.is_large(path.with_name("absent.csv"), limit=1)


def test_the_command_line_takes_large_files_in_chunks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_core, "is_large", lambda path: True)
    stated = problem_of(Statement(data=str(path), formula=FORMULA))
    assert stated.data.stands_for == 1000
    assert any("1000 rows reduced to 4" in note for note in stated.notes)
    with pytest.raises(RequestError, match="too large to be held in memory, and --drop-missing needs that"):
        problem_of(Statement(data=str(path), formula=FORMULA, drop_missing=True))
