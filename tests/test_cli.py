"""The command line where the request is right: reports, JSON, exit codes, help."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

from bayescore.agreement.explanations import EXPLANATIONS
from bayescore.cli import main

TWO = ["compare", "--backends", "exact", "exact:exact(draws=5000)"]
KEYS = {
    "schema", "verdict", "reasons", "problem", "settings", "environment", "contenders", "parameters", "model_check",
    "pairs", "predictions",
}  # fmt: skip
ROW_KEYS = {
    "reasons": {"code", "text"},
    "contenders": {"name", "backend", "method", "status", "error", "seconds", "peak_memory_bytes", "diagnostics"},
    "parameters": {
        "contender", "name", "mean", "sd", "mcse_mean", "q05", "q50", "q95", "ess_bulk", "ess_tail", "rhat",
    },
    "pairs": {"a", "b", "verdict", "reasons", "max_difference_sd", "rows"},
    "predictions": {"contender", "row", "mean", "sd", "q05", "q95"},
}  # fmt: skip
PAIR_ROW_KEYS = {"quantity", "statistic", "difference", "se", "lower", "upper", "verdict", "expected_ratio"}


def no_constant(text):
    raise AssertionError(f"{text} is no JSON")


def run_json(capsys, *arguments):
    """Exit code and document of a comparison written to standard output."""
    code = main([*arguments, "--json", "-"])
    out, err = capsys.readouterr()
    assert err == ""
    return code, json.loads(out, parse_constant=no_constant)


@pytest.mark.usefixtures("only_core")
def test_agreement_is_exit_code_0_and_the_document_has_its_keys(capsys):
    code, document = run_json(capsys, *TWO)
    assert (code, document["verdict"], document["schema"]) == (0, "agree", "bayescore.comparison/1")
    assert set(document) >= KEYS
    for key, keys in ROW_KEYS.items():
        assert all(set(row) >= keys for row in document[key]), key
    assert all(set(row) >= PAIR_ROW_KEYS for pair in document["pairs"] for row in pair["rows"])
    assert {c["status"] for c in document["contenders"]} == {"ok"}
    assert set(document["contenders"][0]["seconds"]) >= {"import", "build_data", "fit", "sample_posterior", "predict"}
    assert document["contenders"][0]["peak_memory_bytes"] > 1e6
    assert document["environment"]["seed"] == 0
    beta = next(row for row in document["parameters"] if row["name"] == "beta[x]")
    assert np.isclose(beta["mean"], 2.98690095)
    assert beta["mcse_mean"] == 0
    assert len({row["row"] for row in document["predictions"]}) == 20


@pytest.mark.usefixtures("only_core")
def test_a_single_contender_is_exit_code_3(capsys):
    code, document = run_json(capsys, "compare", "--backends", "exact")
    assert (code, document["verdict"]) == (3, "inconclusive")
    assert [reason["code"] for reason in document["reasons"]] == ["nothing-to-compare"]


@pytest.mark.usefixtures("only_core")
def test_smoke_is_exit_code_3_says_so_and_is_valid_json(capsys):
    code, document = run_json(capsys, *TWO, "--smoke")
    assert (code, document["verdict"], document["settings"]["smoke"]) == (3, "inconclusive", True)
    assert [reason["code"] for reason in document["reasons"]] == ["smoke"]


@pytest.mark.usefixtures("only_core")
def test_a_method_that_a_backend_lacks_is_exit_code_4_and_its_row_says_why(capsys):
    code, document = run_json(capsys, "compare", "--backends", "exact:nuts", "exact")
    assert (code, document["verdict"]) == (4, "incomplete")
    lacking = next(c for c in document["contenders"] if c["name"] == "exact:nuts")
    assert (lacking["status"], lacking["error"]) == (
        "unsupported",
        "exact draws independently; use the method exact",
    )
    assert {c["status"] for c in document["contenders"]} == {"ok", "unsupported"}


def test_disagreement_is_exit_code_1_even_beside_a_lost_contender(install, capsys):
    install("faulty")
    code, document = run_json(capsys, "compare", "--backends", "lies", "raises_in_fit")
    assert (code, document["verdict"]) == (1, "disagree")
    assert {c["name"]: c["status"] for c in document["contenders"]} == {
        "exact": "ok",
        "lies:nuts": "ok",
        "raises_in_fit:nuts": "failed",
    }


@pytest.mark.usefixtures("only_core")
def test_the_report_names_the_model_the_numbers_and_the_verdict(capsys):
    assert main(TWO) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for text in ("y ~ Normal(eta, 0.1)", "intercept ~ Normal(0, 10)", "beta[x]", "2.9869", "AGREE", "margin 0.1"):
        assert text in out


@pytest.mark.usefixtures("only_core")
def test_quiet_says_nothing(capsys, tmp_path):
    path = tmp_path / "result.json"
    assert main([*TWO, "--quiet", "--json", str(path)]) == 0
    assert capsys.readouterr() == ("", "")
    assert json.loads(path.read_text())["verdict"] == "agree"
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.usefixtures("only_core")
def test_delicate_data_run_with_warnings_that_name_the_columns(capsys, tmp_path):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 40))
    columns = {"y": a + rng.normal(size=40), "a": a, "b": b, "sum": a + b, "same": np.full(40, 3.0), "huge": 1e9 * b**2}
    path = tmp_path / "table.csv"
    lines = [",".join(columns), *(",".join(map(repr, map(float, row))) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines))
    formula = "y ~ " + " + ".join(list(columns)[1:])
    code, document = run_json(capsys, *TWO, "--data", str(path), "--formula", formula)
    assert code == 0
    constant, collinear, scales = document["problem"]["warnings"]
    assert constant.startswith("constant columns: same")
    assert collinear == "collinear columns: sum is a linear combination of a, b"
    assert "huge" in scales
    assert main([*TWO, "--data", str(path), "--formula", formula]) == 0
    assert capsys.readouterr().out.count("warning: ") == 3


@pytest.mark.usefixtures("only_core")
def test_separated_classes_run_with_a_warning(capsys, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("y,dose\n" + "\n".join(f"{int(j > 9)},{j}" for j in range(20)))
    arguments = ["--data", str(path), "--formula", "y ~ dose", "--family", "bernoulli"]
    code, document = run_json(capsys, "compare", "--backends", "exact:map", *arguments)
    assert code == 3
    assert document["problem"]["warnings"][0].startswith("separation: dose tells the zeros of 'y' from the ones")
    assert document["contenders"][0]["status"] == "ok"


@pytest.mark.usefixtures("only_core")
def test_dropped_rows_are_reported(capsys, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("y,x\n1,0.5\n2,\n3,2.5\ninf,1\n4,4.5\n6,5\n")
    code, document = run_json(capsys, *TWO, "--data", str(path), "--formula", "y ~ x", "--drop-missing")
    assert code == 0
    assert document["problem"]["rows"] == 4
    dropped = "left out 2 of 6 rows with missing values: rows 2, 4"
    assert document["problem"]["notes"] == ["taken as numbers: x", dropped]


@pytest.mark.usefixtures("only_core")
@pytest.mark.parametrize("reduce", [[], ["--no-reduce"]], ids=["reduced", "row by row"])
def test_a_column_of_weights_counts_rows(capsys, tmp_path, reduce):
    """The weighted table and the one with its rows repeated have one posterior."""
    rows = [(1.0, 0.5, 1), (2.0, 1.0, 3), (3.5, 2.5, 2), (3.0, 1.0, 1), (4.0, 4.5, 4)]
    weighted, repeated = tmp_path / "weighted.csv", tmp_path / "repeated.csv"
    weighted.write_text("y,x,w\n" + "\n".join(f"{y},{x},{w}" for y, x, w in rows))
    repeated.write_text("y,x\n" + "\n".join(f"{y},{x}" for y, x, w in rows for _ in range(w)))
    priors = [
        "--prior",
        "intercept ~ Normal(0, 5)",
        "--prior",
        "beta ~ Normal(0, 5)",
        "--prior",
        "sigma ~ HalfNormal(2)",
    ]
    arguments = [*TWO, *priors, *reduce, "--formula", "y ~ x"]
    code, one = run_json(capsys, *arguments, "--data", str(weighted), "--weights", "w")
    assert code == 0
    _, other = run_json(capsys, *arguments, "--data", str(repeated))
    for a, b in zip(one["parameters"], other["parameters"], strict=True):
        assert a["name"] == b["name"]
        if a["contender"] == "exact":
            assert np.isclose(a["mean"], b["mean"], rtol=1e-8)
            assert np.isclose(a["sd"], b["sd"], rtol=1e-8)


@pytest.mark.usefixtures("only_core")
@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ 0 + x", "y ~ x"])
def test_models_of_every_form_run(capsys, tmp_path, formula):
    path = tmp_path / "table.csv"
    path.write_text("y,x\n1,0.5\n2,1\n3,2.5\n3.5,1\n4,4.5\n6,5\n")
    out = tmp_path / "out"
    code, document = run_json(capsys, *TWO, "--data", str(path), "--formula", formula, "--out", str(out))
    assert code == 0
    assert "sigma" in {row["name"] for row in document["parameters"]}
    assert main(["compare", str(out / "problem.toml"), "--out", str(out), "--resume", "--quiet"]) == 0


@pytest.mark.usefixtures("only_core")
def test_a_flag_wins_over_the_problem_file(capsys, tmp_path):
    path = tmp_path / "problem.toml"
    path.write_text('backends = ["exact"]\nseed = 3\nmargin = 0.2\nreference = "none"\n')
    _, document = run_json(capsys, "compare", str(path), "--seed", "4")
    assert (document["settings"]["seed"], document["settings"]["margin"]) == (4, 0.2)
    assert "seed=4" in document["problem"]["source"]


@pytest.mark.parametrize("command", [[], ["compare"], ["backends"], ["show"], ["explain"]], ids=str)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert stop.value.code == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: bayescore")
    assert err == ""


def test_help_names_all_exit_codes(capsys):
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    out = capsys.readouterr().out
    for code in ("0 agree", "1 disagree", "2 the request is wrong", "3 inconclusive", "4 a contender"):
        assert code in out


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_every_reason_is_explained(code, capsys):
    assert main(["explain", code]) == 0
    out = capsys.readouterr().out
    assert out.startswith(code)
    assert "How it is found: " in out
    assert "What to do: " in out
    assert main(["explain"]) == 0
    assert f"\n{code} " in "\n" + capsys.readouterr().out


def python(*arguments, **environment):

    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_python_m_bayescore_is_the_program():
    done = python("-m", "bayescore", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("bayescore 0.")


def test_compare_py_is_the_command_compare():
    done = python("compare.py", "--backends", "exact", "--smoke", BAYESCORE_PLUGINS="")
    assert done.returncode == 3, done.stderr
    assert "smoke" in done.stdout


def test_compare_py_names_a_backend_that_is_not_there():
    done = python("compare.py", "--backends", "pyro", BAYESCORE_PLUGINS="")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("bayescore: the backend 'pyro' is not installed")
    assert "install bayescore-pyro" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("how", ["no entry points", "no libraries"])
def test_compare_py_on_a_bare_clone_says_how_to_install(how):
    bare = (
        "import importlib.metadata, runpy, sys; importlib.metadata.entry_points = lambda **kind: (); "
        "sys.argv = ['compare.py', '--backends', 'pyro']; runpy.run_path('compare.py', run_name='__main__')"
    )
    done = python("-c", bare) if how == "no entry points" else python("-S", "compare.py", "--backends", "pyro")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("bayescore: ")
    assert "make setup" in done.stderr
    assert "pip install" in done.stderr
    assert done.stderr.count("\n") == 1
