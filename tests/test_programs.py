"""Programs of one's own, by a stranger that takes them in plain NumPy: what is the same, and where they differ."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import alive

import bayescore as bc
from bayescore.cli import main
from bayescore.porting import state
from bayescore.programs.work import verdicts
from bayescore.settings import Settings
from bayescore.testing import assert_same_program, programs

HEAD = """
import numpy as np
from bayescore_plain import gamma, half_normal, normal, site, uniform
"""
SCHOOLS = """
def model(y, sigma):
    mu = site("mu", normal(0.0, 5.0))
    tau = site("tau", half_normal(5.0))
    theta = site("theta", normal(np.full(8, mu), tau))
    site("obs", normal(theta, sigma), obs=y)
"""
COUNTS = """
def model(y, x):
    k = site("k", gamma(2.0, 0.1))
    beta = site("beta", normal(np.zeros(2), 1.0))
    rate = site("rate", value=np.exp(beta[0] + beta[1] * x))
    site("obs", gamma(k, k / rate), obs=y)
"""
DATA = {
    "schools": {"y": [28.0, 8, -3, 7, -1, 1, 18, 12], "sigma": [15.0, 10, 16, 11, 9, 11, 10, 18]},
    "counts": {"y": [0.5, 2.0, 1.0, 3.5, 2.5, 4.0], "x": [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5]},
}
TEXTS = {"schools": SCHOOLS, "counts": COUNTS}


@pytest.fixture
def folder(install, tmp_path, monkeypatch):
    """A folder to work in, where the stranger is the only backend."""
    install("plain")
    monkeypatch.chdir(tmp_path)
    for name, data in DATA.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(data))
    return tmp_path


def written(folder, name, text):
    (folder / f"{name}.py").write_text(HEAD + text)
    return f"{name}.py:model"


def changed(which, old, new):
    assert TEXTS[which].count(old) == 1, f"{old!r} is not there once"
    return TEXTS[which].replace(old, new)


def held(folder, which, a, b, **asked):
    """The model check of two programs, in this process."""
    sources = [written(folder, name, text) for name, text in (("a", a), ("b", b))]
    subject = state({"plain": sources}, f"{which}.json", asked.get("rename", {}), asked.get("transpose", ()), (), 0)
    subject = programs.here(subject)
    sessions = programs.sessions(subject, "float64")
    looks, helds, points = programs.hold(sessions)
    return list(verdicts(looks, helds, points, "float64").values())[1]


FAULTS = [
    ("schools", 'normal(theta, sigma), obs', 'normal(theta, sigma**2), obs', "obs", "square of .*variance for an sd"),
    ("schools", 'normal(theta, sigma), obs', 'normal(theta, 1 / sigma**2), obs', "obs", "1 over the square of"),
    ("schools", "half_normal(5.0)", "half_normal(25.0)", "tau", "square .*variance for an sd"),
    ("schools", "normal(0.0, 5.0)", "normal(0.0, 50.0)", "mu", "10 times"),
    ("schools", "normal(0.0, 5.0)", "normal(1.0, 5.0)", "mu", "its loc is 1, and plain=a.py:model's 0"),
    ("schools", "normal(theta, sigma), obs", "normal(np.roll(theta, 1), sigma), obs", "obs", "off by one"),
    ("schools", "normal(theta, sigma), obs", "normal(theta[::-1], sigma), obs", "obs", "reverse"),
    ("schools", "obs=y", "obs=y[[0, 1, 2, 3, 4, 6, 5, 7]]", "obs", "rows 5, 6 of 8 differ.*another order"),
    ("schools", "obs=y", "obs=np.where(np.arange(8) == 2, 3.0, y)", "obs", r"row 2 alone differs.*at \[2\] it is 3"),
    ("schools", "obs=y)", 'obs=y)\n    site("again", normal(theta, sigma), obs=y)', "again", "only plain=b.* observes"),
    ("schools", "half_normal(5.0)", "gamma(1.0, 0.2)", "tau", r"Gamma\(.*\) where .* has HalfNormal"),
    ("schools", "half_normal(5.0)", "uniform(0.0, 20.0)", "tau", "numbers between 0 and 20"),
    ("schools", "half_normal(5.0)", "normal(0.0, 5.0)", "tau", "real numbers"),
    ("schools", ', obs=y)', ')', "obs", "observed in plain=a.* and sampled in plain=b"),
    ("schools", "np.full(8, mu)", "np.full(7, mu)", None, None),
    ("counts", "gamma(2.0, 0.1)", "gamma(2.0, 10.0)", "k", "rate is 1 over .*rate for a scale"),
    ("counts", "gamma(2.0, 0.1)", "gamma(0.1, 2.0)", "k", "concentration and rate are exchanged"),
    ("counts", "gamma(k, k / rate)", "gamma(k, rate / k)", "obs", "1 over"),
    ("counts", "np.exp(beta[0] + beta[1] * x)", "np.exp(beta[1] + beta[0] * x)", "obs", "all rows|rows"),
    ("counts", "gamma(k, k / rate)", "gamma(k, k / np.log1p(rate))", "obs", "its rate"),
    ("counts", "beta[1] * x)", "beta[1] * x + 0 * k)", None, None),
]  # fmt: skip


@pytest.mark.parametrize("which, old, new, site, words", [f for f in FAULTS if f[3]])
def test_a_planted_fault_is_found_at_its_site_in_words(folder, which, old, new, site, words):
    wrong = changed(which, old, new)
    found = held(folder, which, TEXTS[which], wrong)
    assert (found.verdict, found.site) == ("different", site)
    assert re.search(words, found.pattern), found.pattern
    assert held(folder, which, TEXTS[which], TEXTS[which] + "# the same\n").verdict == "same"


@pytest.mark.parametrize("which", TEXTS)
@pytest.mark.parametrize("seed", range(50))
def test_the_same_model_is_never_called_another(folder, which, seed):
    another_way = {
        "schools": changed("schools", "normal(theta, sigma), obs=y", "normal(theta - 3.0, sigma), obs=y - 3.0"),
        "counts": changed("counts", "gamma(k, k / rate)", "gamma(k, np.exp(np.log(k) - np.log(rate)))"),
    }
    files = [written(folder, name, text) for name, text in (("a", TEXTS[which]), ("b", another_way[which]))]
    assert_same_program(plain=files, data=f"{which}.json", seed=seed)


MANY = """
def model(y):
    mu = site("mu", normal(0.0, {scale}))
    obs = y.copy()
    obs[{row}] += {moved}
    site("obs", normal(mu, np.full(len(y), 0.01)), obs=obs)
"""


def test_where_rows_differ_is_kept_row_by_row_and_drawn(folder):
    other = changed("schools", "obs=y", "obs=np.where(np.arange(8) == 2, 3.0, y)")
    check = held(folder, "schools", SCHOOLS, other)
    (term,) = check.apart
    assert (term["site"], term["rows_of"]) == ("obs", 8)
    assert [row["row"] for row in term["rows"]] == ["2"]
    assert term["rows"][0]["spread"] == pytest.approx(max(map(abs, term["points"])))
    assert main(["programs", "plain=a.py:model", "plain=b.py:model", "--data", "schools.json", "--model-only",
                 "--html", "page.html", "--plots", "plots", "--out", "kept", "--quiet"]) == 1  # fmt: skip
    assert (folder / "plots" / "model.png").is_file()
    assert "<img" in (folder / "page.html").read_text()
    assert main(["show", "kept", "--html", "again.html", "--quiet"]) == 1
    assert (folder / "again.html").read_text() == (folder / "page.html").read_text()


@pytest.mark.parametrize(
    "fault, site, words",
    [({"scale": "10.001"}, "mu", "its scale"), ({"moved": "1e-4"}, "obs", "row 77777 alone differs"), ({}, None, "")],
)
def test_many_rows_hide_neither_a_prior_nor_a_row(folder, fault, site, words):
    """Held by the size of the whole, 1e10 nats at draws of the prior, both faults would pass."""
    np.savez(folder / "many.npz", y=np.random.default_rng(0).normal(size=100_000))
    right = {"scale": "10.0", "row": "77777", "moved": "0.0"}
    files = [written(folder, n, MANY.format(**given)) for n, given in (("a", right), ("b", {**right, **fault}))]
    subject = programs.here(state({"plain": files}, "many.npz", {}, (), (), 0))
    looks, helds, points = programs.hold(programs.sessions(subject, "float64"))
    found = list(verdicts(looks, helds, points, "float64").values())[1]
    assert (found.verdict, found.site) == (
        "different" if site else "not-checked" if found.points < 10 else "same",
        site,
    )
    assert words in (found.pattern or "")


def test_a_constant_term_is_reported_and_changes_nothing(folder):
    constant = changed("schools", "obs=y)", 'obs=y)\n    site("extra", normal(0.0, 2.0), obs=np.zeros(3))')
    found = held(
        folder,
        "schools",
        changed("schools", "obs=y)", 'obs=y)\n    site("extra", normal(0.0, 1.0), obs=np.zeros(3))'),
        constant,
    )
    assert found.verdict == "same"
    assert found.constant == pytest.approx(-3 * np.log(2.0))
    assert "a constant apart (extra by -2.079)" in found.pattern


def test_digits_lost_in_float32_are_told_apart_from_another_model(folder):
    rounded = changed("schools", "normal(theta, sigma), obs", "normal(theta, (sigma / 3.0).astype(np.float32)), obs")
    exact = changed("schools", "normal(theta, sigma), obs", "normal(theta, sigma / 3.0), obs")
    found = held(folder, "schools", exact, rounded)
    assert (found.verdict, found.site) == ("precision", "obs")
    assert held(folder, "schools", exact, exact).verdict == "same"


def test_a_site_of_another_name_is_renamed_on_request(folder):
    renamed = SCHOOLS.replace('"tau"', '"sd"')
    found = held(folder, "schools", SCHOOLS, renamed)
    assert (found.verdict, found.code, found.site) == ("different", "missing-site", "tau")
    assert "--rename sd=tau" in found.pattern
    assert held(folder, "schools", SCHOOLS, renamed, rename={"sd": "tau"}).verdict == "same"


WEIGHTS = """
def model(y, x):
    w = site("w", normal(np.zeros(({0})), 1.0 + np.arange(6.0).reshape(2, 3){1}))
    site("obs", normal((w{2} @ np.stack([x[:3], x[3:]])).ravel()[:6], 1.0), obs=y)
"""


def test_a_matrix_that_is_the_others_transposed_is_so_on_request(folder):
    plain = WEIGHTS.format("2, 3", "", ".T")
    turned = WEIGHTS.format("3, 2", ".T", "")
    found = held(folder, "counts", plain, turned)
    assert (found.code, found.site) == ("different-shape", "w")
    assert "--transpose w" in found.pattern
    assert held(folder, "counts", plain, turned, transpose=["w"]).verdict == "same"


CENTRED = SCHOOLS
NONCENTRED = """
def model(y, sigma):
    mu = site("mu", normal(0.0, 5.0))
    tau = site("tau", half_normal(5.0))
    raw = site("raw", normal(np.zeros(8), 1.0))
    theta = site("theta", value=mu + tau * raw)
    site("obs", normal(theta, sigma), obs=y)
"""


def test_another_parametrization_is_not_called_another_model(folder):
    found = held(folder, "schools", CENTRED, NONCENTRED)
    assert (found.verdict, found.code, found.site) == ("not-checked", "reparametrized", "theta")
    found = held(folder, "schools", CENTRED, NONCENTRED.replace('site("tau", half_normal(5.0))', "3.0"))
    assert (found.verdict, found.code) == ("different", "missing-site")


DRAWN = """
def model(y):
    mu = site("mu", normal(0.0, 10.0))
    p = site("double", value=2 * mu)
    site("obs", normal(mu, np.ones(len(y))), obs=y)

def posterior(rng, shape, y):
    precision = len(y) + 0.01
    return {"mu": rng.normal(np.sum(y) / precision, SD / np.sqrt(precision), shape)}

model.posterior = posterior
"""


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


def test_a_density_that_is_no_number_is_said(folder):
    found = held(
        folder,
        "schools",
        SCHOOLS,
        changed("schools", "normal(theta, sigma), obs", "normal(theta * np.nan, sigma), obs"),
    )
    assert (found.verdict, found.site) == ("different", "obs")
    assert "it is nan" in found.pattern


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
