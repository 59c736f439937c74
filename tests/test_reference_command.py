"""``bayescore reference``: its table and exit code on references that are right and wrong."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescore.cli import main
from bayescore.exact.posterior import solve
from bayescore.study import reference
from bayescore.tables.problem import from_table

FORMULA = "y ~ x"


@pytest.fixture
def folder(tmp_path: Path, only_core: None) -> Path:
    """One reference: the exact posterior of thirty rows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=30)
    table = pd.DataFrame({"x": x, "y": 1.0 + x + rng.normal(size=30)})
    table.to_csv(tmp_path / "table.csv", index=False)
    problem = from_table(FORMULA, pd.read_csv(tmp_path / "table.csv"), priors=PRIORS)
    moments = solve(problem.regression, problem.data).moments
    write(tmp_path, {n: {"mean": m, "sd": s} for n, m, s in zip(moments.names, moments.mean, moments.sd, strict=True)})
    return tmp_path


PRIORS = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)", "sigma": "HalfNormal(1)"}


def write(folder: Path, parameters: Mapping[str, object]) -> None:
    record = {"name": "line", "file": "table.csv", "formula": FORMULA, "family": "Gaussian()", "priors": PRIORS}
    (folder / "references.json").write_text(json.dumps([record | {"parameters": parameters}]))


GOOD = {"mean": 1.0, "sd": 0.1}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, "can't be read: TypeError"),
        ({"mean": "one", "sd": 0.1}, "can't be read: ValueError"),
        ({"mean": 1.0}, "has no 'sd'"),
        ({"mean": 1.0, "sd": 0.0}, "has a mean or an sd that is none"),
        ({"mean": float("nan"), "sd": 0.1}, "has a mean or an sd that is none"),
        (GOOD | {"mcse_mean": []}, "can't be read: TypeError"),
    ],
)
def test_a_damaged_reference_is_refused(
    folder: Path, wrong: object, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, {"intercept": GOOD, "beta[x]": wrong, "sigma": GOOD})
    assert main(["reference", str(folder), "--quiet"]) == 2
    assert f"the reference 'line' {message}" in capsys.readouterr().err


def test_exact_is_within(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", str(folder), "--quiet"]) == 0
    assert "| line | 3 | exact |" in (out := capsys.readouterr().out)
    assert out.rstrip().endswith("| within |  |")


@pytest.mark.parametrize(("key", "by"), [("mean", 1e-5), ("sd", 1e-5)])
def test_a_wrong_reference_is_found(folder: Path, key: str, by: float, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = json.loads((folder / "references.json").read_text())[0]["parameters"]
    parameters["beta[x]"][key] += by * parameters["beta[x]"]["sd"]
    write(folder, parameters)
    assert main(["reference", str(folder), "--quiet"]) == 1
    assert "| outside |" in capsys.readouterr().out


def test_draws_are_held_to_their_monte_carlo_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reference's own error counts: a mean off by 0.3 sd is within the error of few draws."""
    parameters = json.loads((folder / "references.json").read_text())[0]["parameters"]
    for of in parameters.values():
        of |= {"mcse_mean": of["sd"], "mcse_sd": of["sd"]}
    parameters["beta[x]"]["mean"] += 0.3 * parameters["beta[x]"]["sd"]
    write(folder, parameters)
    assert main(["reference", str(folder), "--quiet"]) == 0
    assert "| within |" in capsys.readouterr().out


def test_what_lies_outside_is_fitted_again_with_more_draws(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault is outside again, and farther; chance is not, here where it is asked for every other time."""
    right = json.loads((folder / "references.json").read_text())[0]["parameters"]
    for of in right.values():
        of |= {"mcse_mean": 1e-9, "mcse_sd": 1e-9}
    wrong = json.loads(json.dumps(right))
    wrong["beta[x]"]["mean"] += 0.1 * wrong["beta[x]"]["sd"]
    write(folder, wrong)
    assert main(["reference", str(folder), "--quiet"]) == 1
    first, again = figures(capsys.readouterr().out)
    assert again > 1.5 * first > 6
    write(folder, right)
    monkeypatch.setattr(reference, "ALPHA", 0.6)
    codes, seconds = [], []
    for seed in range(10):
        codes.append(main(["reference", str(folder), "--quiet", "--seed", str(seed)]))
        seconds.append(figures(capsys.readouterr().out)[1])
    repeated = [code for code, second in zip(codes, seconds, strict=True) if second is not None]
    assert 0 in repeated
    assert 1 in repeated
    assert None in seconds


def figures(out: str) -> tuple[float, float | None]:
    """Worst z, and that of the second fit."""
    cells = out.splitlines()[-1].split(" | ")
    return float(cells[5]), float(cells[6]) if cells[6].strip() else None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--names", "lime"], "no reference 'lime'"),
        (["--backends", "exakt"], "unknown backend 'exakt'"),
    ],
)
def test_a_wrong_request_is_one_line(
    folder: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reference", str(folder), "--quiet", *arguments]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_a_point_estimate_is_not_held_against_a_posterior(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", str(folder), "--quiet", "--backends", "exact:map"]) == 4
    assert "not comparable: a point estimate has no sds" in capsys.readouterr().out


def test_a_folder_without_references_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", str(tmp_path)]) == 2
    assert "a folder with references.json is needed" in capsys.readouterr().err


def test_contenders_are_held_against_each_other_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contenders = ["exact", "exact:exact(draws=5000)"]
    assert main(["reference", str(folder), "--quiet", "--backends", *contenders]) == 0
    assert capsys.readouterr().out.count("| within | agree |") == 2
