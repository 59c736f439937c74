"""``bayescore fit``: its report, its files, its exit codes."""

import json

import msgspec
import numpy as np
import pandas as pd
import pytest

import bayescore as bc
from bayescore.cli import main
from bayescore.errors import KeepingError
from bayescore.report.one_fit import FitDocument, render

TOY = ["fit", "--backend", "exact"]


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"y": rng.normal(size=30), "x": rng.normal(size=30), "g": list("abc") * 10})
    frame.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def test_the_report_is_a_summary_and_no_verdict(capsys):
    assert main(TOY) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[0] == "Fit  y ~ x, 100 rows of toy(n=100, p=1, noise_sd=0.1, seed=0), by exact"
    (intercept,) = (line.split() for line in lines if line.startswith("intercept  "))
    assert intercept[:4] == ["intercept", "0.9993", "0.0207", "exact"]
    assert lines[-1].startswith("HEALTHY  exact: log evidence 78.69")
    assert "INCONCLUSIVE" not in said.upper()


def test_what_is_wrong_is_said_with_what_to_do(capsys):
    assert main([*TOY, "--smoke"]) == 3
    said = capsys.readouterr().out
    assert "UNHEALTHY  exact" in said
    assert "  smoke: this was a smoke run" in said
    assert "  next, for smoke: Run it again" in said


def test_a_fit_that_is_kept_is_the_one_that_was_told(tmp_path, capsys, table):
    kept = tmp_path / "fit.nc"
    stated = ["--data", str(table), "--formula", "y ~ x + g", "--family", "Gaussian(sigma=1)", "--seed", "7"]
    assert main([*TOY, *stated, "--out", str(kept), "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    fit = bc.load_fit(kept)
    assert fit.document == document
    assert msgspec.convert(document, FitDocument) == document
    assert list(document) == list(FitDocument.__annotations__)
    assert document["settings"]["seed"] == 7
    assert len(fit.predict({"x": [1.0], "g": ["b"]})) == 1
    assert main([*TOY, *stated, "--out", str(kept), "--quiet"]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert main([*TOY, *stated, "--out", str(kept), "--quiet", "--force"]) == 0
    again = bc.fit("y ~ x + g", pd.read_csv(table), "exact", family="Gaussian(sigma=1)", seed=7)
    pd.testing.assert_frame_equal(again.summary(), bc.load_fit(kept).summary())


def test_a_problem_file_of_a_comparison_is_fitted_by_one_of_its_backends(tmp_path, table, capsys):
    file = tmp_path / "problem.toml"
    file.write_text('backends = ["exact", "pyro"]\ndata = "table.csv"\nformula = "y ~ x"\nmargin = 0.2\n')
    assert main(["fit", str(file)]) == 2
    assert "a fit has one backend, not exact, pyro: choose it with --backend" in capsys.readouterr().err
    assert main(["fit", str(file), "--backend", "exact"]) == 0
    assert "y ~ x, 30 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--smoke"], 3, ""),
        (["--backend", "exact:nuts"], 4, "exact:nuts"),
        (["--timeout", "0.001"], 4, "not finished after 0.001 s"),
        (["--backend", "nobody"], 2, "nobody"),
        (["--formula", "y ~ q"], 2, "no column 'q'"),
        (["--out", "/nowhere/fit.nc"], 2, "can't write '/nowhere/fit.nc'"),
        (["--json", "/nowhere/fit.json"], 2, "can't write '/nowhere/fit.json'"),
        (["--force"], 2, "--force goes with --out"),
    ],
)
def test_exit_codes(more, code, said, capsys):
    assert main([*TOY, "--quiet", *more]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") <= 1


def test_a_file_that_can_not_be_written_in_the_end_is_told(tmp_path, monkeypatch, capsys):
    def full(fit, path):
        raise KeepingError(path, "No space left on device")

    monkeypatch.setattr("bayescore.fitting.fit.Fit.save", full)
    assert main([*TOY, "--out", str(tmp_path / "fit.nc")]) == 73
    assert "No space left" in capsys.readouterr().err


def test_a_report_of_many_parameters_is_short_and_what_is_named_acts_on_nothing():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(200, 60)), columns=["\x1b[31m", *(f"c{k}" for k in range(59))])
    frame["y"] = rng.normal(size=200)
    formula = "y ~ " + " + ".join(f"`{name}`" for name in frame.columns[:-1])
    said = render(bc.fit(formula, frame, "exact", family="Gaussian(sigma=1)").document, width=100)
    assert "\x1b" not in said
    assert "and 21 more (--json has them all)" in said


def test_a_fit_that_is_kept_is_shown_again(tmp_path, capsys):
    kept = str(tmp_path / "fit.nc")
    assert main([*TOY, "--out", kept]) == 0
    told = capsys.readouterr().out
    assert main(["show", kept]) == 0
    assert capsys.readouterr().out == told
    assert main(["show", kept, "--html", str(tmp_path / "page.html")]) == 2
    assert "--html is of comparisons" in capsys.readouterr().err
    (tmp_path / "other.nc").write_bytes(b"no fit")
    assert main(["show", str(tmp_path / "other.nc")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
