"""Programs of one's own as they are run: their draws, their files, wrong requests, and what they do to others."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import alive
from programs_support import COUNTS, DATA, DRAWN, SCHOOLS, changed, prepared, written

import bayescore as bc
from bayescore.cli import main
from bayescore.settings import Settings


@pytest.fixture
def folder(install, tmp_path, monkeypatch):
    """A folder to work in, where the stranger is the only backend."""
    return prepared(install, tmp_path, monkeypatch)


@pytest.mark.parametrize("sd, code", [("1.0", 0), ("1.3", 1)])
def test_draws_are_judged_where_the_model_is_the_same(folder, sd, code, capsys):
    for name, own in (("a", "1.0"), ("b", sd)):
        written(folder, name, DRAWN.replace("SD", own))
    (folder / "d.json").write_text('{"y": [1.0, 2.0, 0.5]}')
    command = ["programs", "plain=a.py:model", "plain=b.py:model", "--data", "d.json", "--json", "-", "--out", "kept"]
    assert main(command) == code
    document = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in document["parameters"]} == {"mu"}
    assert document["model_check"][1]["points"] > 20  # those of the posteriors, too
    assert any(row["quantity"] == "log joint" for row in document["pairs"][0]["rows"])
    assert "mu" in document["problem"]["model"]
    assert main(["programs", "kept/problem.toml", "--out", "kept", "--resume", "--json", "-"]) == code
    again = json.loads(capsys.readouterr().out)
    assert again["pairs"] == document["pairs"]
    assert again["contenders"][0]["seconds"] == document["contenders"][0]["seconds"]  # taken up, not made again
    assert main(["show", "kept"]) == code


def test_a_fit_that_is_taken_up_has_its_log_joint_shifted_once(folder, capsys):
    for name, scale in (("a", 1.0), ("b", 2.0)):
        extra = f'    site("extra", normal(0.0, {scale}), obs=np.zeros(3))\n\ndef posterior'
        written(folder, name, DRAWN.replace("SD", "1.0").replace("\ndef posterior", extra))
    (folder / "d.json").write_text('{"y": [1.0, 2.0, 0.5]}')
    command = ["programs", "plain=a.py:model", "plain=b.py:model", "--data", "d.json", "--json", "-", "--out", "kept"]
    assert main(command) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["model_check"][1]["constant"] == pytest.approx(-3 * np.log(2.0))
    assert main([*command, "--resume"]) == 0
    again = json.loads(capsys.readouterr().out)
    rows, same = (
        [row["difference"] for row in found["pairs"][0]["rows"] if row["quantity"] == "log joint"]
        for found in (document, again)
    )
    assert rows == pytest.approx(same, abs=1e-9) and abs(rows[0]) < 0.1


@pytest.mark.usefixtures("interruptible")
def test_stopped_by_ctrl_c_what_is_finished_stands_and_nothing_is_left_behind(folder):
    for name in "ab":
        text = DRAWN.replace("SD", "1.0")
        wait = "    import pathlib, time; pathlib.Path('waits').touch(); time.sleep(600)\n    precision ="
        written(folder, name, text.replace("    precision =", wait) if name == "b" else text)
    (folder / "d.json").write_text('{"y": [1.0, 2.0, 0.5]}')
    command = ["programs", "plain=a.py:model", "plain=b.py:model", "--data", "d.json", "--json", "o.json", "--quiet"]
    process = subprocess.Popen([sys.executable, "-m", "bayescore", *command], cwd=folder)
    while not (folder / "waits").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    rows = json.loads((folder / "o.json").read_text())["contenders"]
    assert rows[1]["status"] == "interrupted"
    mark = str(folder).encode()
    left = [p for p in Path("/proc").glob("[0-9]*/environ") if alive(int(p.parent.name)) and mark in _read(p)]
    assert not left


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_what_is_judged_can_be_chosen(folder, capsys):
    for name in "ab":
        written(folder, name, DRAWN.replace("SD", "1.0"))
    (folder / "d.json").write_text('{"y": [1.0, 2.0, 0.5]}')
    command = ["programs", "plain=a.py:model", "plain=b.py:model", "--data", "d.json", "--json", "-"]
    assert main([*command, "--judge", "double"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)["parameters"]} == {"double"}


BAD = [
    (["plain=nowhere.py:model", "plain=a.py:model"], "no file"),
    (["plain=a.py:modle", "plain=a.py:model"], "no function 'modle'; did you mean 'model'"),
    (["plain=a.py", "plain=a.py:model"], "BACKEND=FILE.py:FUNCTION"),
    (["plian=a.py:model", "plain=a.py:model"], "unknown backend 'plian'; did you mean 'plain'"),
    (["plain=a.py:model"], "two programs at least"),
    (["plain=a.py:model", "plain=a.py:model"], "listed twice"),
    (["plain=broken.py:model", "plain=a.py:model"], "is no Python"),
    (["plain=a.py:model", "plain=b.py:model", "--rename", "b=beta"], "which is no site of some program"),
    (["plain=a.py:model", "plain=b.py:model", "--rename", "tau=mu"], "two sites are called 'mu'"),
    (["plain=a.py:model", "plain=b.py:model", "--rename", "tau"], "OLD=NEW"),
    (["plain=a.py:model", "plain=b.py:model", "--transpose", "mu"], "can't be transposed"),
    (["plain=a.py:model", "plain=b.py:model", "--judge", "eta"], "'eta', which is no site that all have"),
    (["plain=a.py:model", "plain=b.py:model", "--method", "map"], "programs are fitted by nuts or svi, not by map"),
    (["plain=a.py:model", "plain=b.py:model", "--data", "less.json"], "the data have no 'sigma'"),
    (["plain=a.py:model", "plain=b.py:model", "--data", "more.json"], "the data have 'treatment'"),
    (["plain=a.py:model", "plain=b.py:model", "--data", "longer.json"], "no program runs with these data"),
    (["plain=a.py:model", "plain=b.py:model", "--data", "none.json"], "no file"),
    (["plain=a.py:model", "plain=b.py:model", "--data", "schools.txt"], "data of programs are"),
    (["plain=a.py:model", "plain=b.py:model", "--data", "data.py:load"], "gives no data"),
    (["plain=counts.py:model", "plain=b.py:model", "--data", "negative.json"], "outside the support of Gamma"),
]  # fmt: skip


@pytest.mark.parametrize("given, words", BAD)
def test_a_wrong_request_is_said_in_one_line(folder, given, words, capsys):
    written(folder, "a", SCHOOLS)
    written(folder, "b", SCHOOLS + "# another file\n")
    written(folder, "counts", COUNTS)
    (folder / "broken.py").write_text("def model(:\n")
    (folder / "data.py").write_text("def load():\n    return open('nowhere')\n")
    more = {**DATA["schools"], "treatment": 1}
    for name, data in {
        "less": {"y": more["y"]},
        "more": more,
        "longer": {**DATA["schools"], "sigma": [1.0, 2.0, 3.0]},
        "negative": {"y": [-1.0] * 6, "x": DATA["counts"]["x"]},
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(data))
    command = given if "--data" in given else [*given, "--data", "schools.json"]
    assert main(["programs", *command, "--model-only", "--out", "kept"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and words in said[0], said


HOSTILE = {
    "raises": ('raise ValueError("no\\nway")', "failed", "ValueError: no way"),
    "ends": ("import os; os._exit(3)", "failed", "with exit code 3"),
    "hangs": ("import time; time.sleep(600)", "timeout", "not finished after"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_a_program_does_costs_its_own_row(folder, what, capsys):
    statement, status, words = HOSTILE[what]
    written(folder, "a", SCHOOLS)
    written(folder, "c", SCHOOLS + "# another file\n")
    written(folder, "b", SCHOOLS.replace("    mu = site", f"    {statement}\n    mu = site"))
    command = ["programs", "plain=a.py:model", "plain=b.py:model", "plain=c.py:model", "--data", "schools.json"]
    assert main([*command, "--model-only", "--timeout", "20", "--json", "-"]) == 4
    document = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in document["contenders"]}
    assert rows["plain=b.py:model"]["status"] == status
    assert words in rows["plain=b.py:model"]["error"]
    assert {rows[f"plain={n}.py:model"]["status"] for n in "ac"} == {"ok"}
    checked = {check["contender"]: check["verdict"] for check in document["model_check"]}
    assert checked["plain=c.py:model"] == "same"


@pytest.mark.parametrize("what", HOSTILE)
def test_a_fit_that_comes_to_nothing_costs_its_own_row(folder, what, capsys):
    """The others wait for it at most until its own time is over, which is not theirs."""
    statement, status, words = HOSTILE[what]
    for name in "abc":
        text = DRAWN.replace("SD", "1.0")
        written(
            folder, name, text.replace("    precision =", f"    {statement}\n    precision =") if name == "b" else text
        )
    (folder / "d.json").write_text('{"y": [1.0, 2.0, 0.5]}')
    files = [f"plain={name}.py:model" for name in "abc"]
    quick = ["--method", "nuts(draws=400)", "--margin", "0.4", "--timeout", "15"]
    assert main(["programs", *files, "--data", "d.json", *quick, "--json", "-"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert [row["status"] for row in document["contenders"]] == ["ok", status, "ok"]
    assert words in document["contenders"][1]["error"]
    assert [(pair["a"], pair["b"], pair["verdict"]) for pair in document["pairs"]] == [(files[0], files[2], "agree")]


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_another_model_is_a_disagreement_though_nobody_fits_it(folder, capsys, names):
    """Where the other programs agree, too."""
    for name in names:
        text = DRAWN.replace("SD", "1.0")
        written(folder, name, text.replace("10.0", "1.0") if name == "b" else text)
    (folder / "d.json").write_text('{"y": [1.0, 2.0, 0.5]}')
    files = [f"plain={name}.py:model" for name in names]
    quick = ["--method", "nuts(draws=400)", "--margin", "0.4"]
    assert main(["programs", *files, "--data", "d.json", *quick, "--json", "-"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [reason["code"] for reason in document["reasons"]] == ["different-model"]
    assert [pair["verdict"] for pair in document["pairs"]] == ["agree"] * (len(names) - 2)


def test_a_program_that_prints_and_needs_a_file_beside_it(folder, capsys):
    (folder / "beside.py").write_text("SCALE = 5.0\n")
    written(folder, "a", SCHOOLS)
    written(
        folder,
        "b",
        "from beside import SCALE\nprint('hello')\n" + changed("schools", "half_normal(5.0)", "half_normal(SCALE)"),
    )
    command = [
        "programs",
        "plain=a.py:model",
        "plain=b.py:model",
        "--data",
        "schools.json",
        "--model-only",
        "--json",
        "-",
    ]
    assert main(command) == 0
    json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", ["npz", "csv", "py"])
def test_data_come_from_other_files_too(folder, kind):
    given = {name: np.array(values) for name, values in DATA["counts"].items()}
    if kind == "npz":
        np.savez(folder / "d.npz", **given)
    elif kind == "csv":
        lines = ["y,x", *(f"{y},{x}" for y, x in zip(given["y"], given["x"], strict=True))]
        (folder / "d.csv").write_text("\n".join(lines))
    else:
        text = f"import numpy as np\ndef load():\n    return {{n: np.array(v) for n, v in {DATA['counts']}.items()}}\n"
        (folder / "d.py").write_text(text)
    files = [written(folder, name, COUNTS + f"# {name}\n") for name in "ab"]
    found = bc.compare_programs(
        plain=files, data="d.py:load" if kind == "py" else f"d.{kind}", settings=Settings(model_only=True)
    )
    assert found.verdict == "agree"


def test_functions_of_python_travel_with_what_they_close_over(folder):
    import bayescore_plain as plain

    def made(scale):
        def model(y):
            mu = plain.site("mu", plain.normal(0.0, scale))
            plain.site("obs", plain.normal(mu, 1.0), obs=y)

        return model

    same = bc.compare_programs(
        plain=[made(2.0), made(np.float64(2.0))], data={"y": [1.0, 2.0]}, settings=Settings(model_only=True)
    )
    assert same.verdict == "agree"
    other = bc.compare_programs(
        plain=[made(2.0), made(3.0)], data={"y": [1.0, 2.0]}, settings=Settings(model_only=True)
    )
    assert other.verdict == "disagree"
    assert "1.5 times" in " ".join(str(other).split())
