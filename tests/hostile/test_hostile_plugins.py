"""Plugins that end, hang, print or change whatever process loads or asks them."""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
from conftest import ROOT, alive

from bayescore.backend import API_VERSION
from bayescore.errors import PluginError
from bayescore.methods import NUTS
from bayescore.plugins import loading, survey
from bayescore.tables.problem import toy

DECLARED = """
from bayescore.backend import BackendInfo, hookimpl

def limits(regression, method):
    {limits}
    return None

@hookimpl
def bayescore_backends():
    yield BackendInfo("hostile", None.__init__, {supports}, limits=limits{more})
"""
SUPPORTS = "{'family:Gaussian', 'link:identity', 'prior:coefficient:Normal', 'method:nuts', 'precision:float64'}"
ENDINGS = {
    "exits": "import os; os._exit(0)",
    "quits": "import sys; sys.exit(0)",
    "interrupts": "raise KeyboardInterrupt",
    "panics": "raise type('Panic', (BaseException,), {})('gone')",
    "kills itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "closes everything": "import os; os.closerange(0, 100); raise RuntimeError",
}
HANG = "import time; time.sleep(1000)"


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """Write a plugin, here and for processes that are started."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(loading.RESTRICT, "hostile")

    def write(at_import="", *, limits="pass", supports=SUPPORTS, more=""):
        source = DECLARED.format(limits=limits, supports=supports, more=more)
        (tmp_path / "hostile.py").write_text(f"{textwrap.dedent(at_import)}\n{source}")
        info = tmp_path / "hostile-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[bayescore]\nhostile = hostile\n")

    return write


def run(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "bayescore", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, **more
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_plugin_that_ends_its_process_at_import_is_a_broken_row(hostile, ending):
    hostile(ENDINGS[ending])
    registry = loading.load()
    assert list(registry.backends) == ["exact"]
    (broken,) = registry.broken
    assert str(broken.origin) == "hostile 1.0"
    with pytest.raises(PluginError, match="'hostile' of hostile is broken"):
        registry["hostile"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_plugin_that_ends_its_process_when_it_is_asked_is_refused(hostile, ending):
    hostile(limits=ENDINGS[ending])
    info = loading.load()["hostile"].info
    with pytest.raises(PluginError):
        info.limits(toy().regression, NUTS())


def test_limits_that_answer_are_heard(hostile):
    hostile(limits="return f'never: {method.name} of {len(regression.columns)} column'")
    assert loading.load()["hostile"].info.limits(toy().regression, NUTS()) == "never: nuts of 1 column"


@pytest.mark.parametrize("at_import, limits", [(HANG, "pass"), ("pass", HANG)], ids=["loaded", "asked"])
def test_a_plugin_that_hangs_is_given_up(hostile, monkeypatch, at_import, limits):
    hostile(at_import, limits=limits)
    if limits == HANG:  # what it declares is there, however slowly the machine loads it
        info = loading.load()["hostile"].info
    monkeypatch.setattr(survey, "LIMIT", 1.0)
    start = time.monotonic()
    with pytest.raises(PluginError, match="did not answer within 1 s"):
        if limits == HANG:
            info.limits(toy().regression, NUTS())
        else:
            loading.load()["hostile"]
    assert time.monotonic() - start < 10


DECLARATION = {
    "name": "hostile",
    "gaps": {},
    "requires": [],
    "default_method": "nuts",
    "environment": {},
    "api_version": API_VERSION,
    "supports": [],
    "limited": False,
    "missing": [],
}


@pytest.mark.parametrize(
    "answer",
    [
        "[" * 100_000,
        '{"failure": null, "answer": 3}',
        '{"failure": null, "answer": [3]}',
        '{"failure": {"failure": 3}}',
        *(
            json.dumps({"failure": None, "answer": [DECLARATION | {name: wrong}]})
            for name, wrong in (
                ("name", "pyro"), ("name", ["hostile"]), ("default_method", "nonsense"), ("default_method", "nuts(("),
                ("supports", [[]]), ("gaps", [1]), ("missing", 1), ("api_version", {}),
            )
        ),
    ],
    ids=lambda answer: answer[-40:],
)  # fmt: skip
def test_an_answer_that_a_plugin_wrote_itself_is_a_broken_row_at_most(hostile, answer):
    hostile(f"import os, pathlib, sys; pathlib.Path(sys.argv[1], 'answer.json').write_text({answer!r}); os._exit(0)")
    registry = loading.load()
    assert list(registry.backends) == ["exact"]
    assert [str(broken.origin) for broken in registry.broken] == ["hostile 1.0"]


def test_a_plugin_that_hangs_does_not_outlive_who_asked_it(hostile, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    hostile(f"import os, pathlib; pathlib.Path({str(tmp_path / 'sign')!r}).write_text(str(os.getpid())); {HANG}")
    asks = "from bayescore.plugins import loading, survey; survey.LIMIT = 1000.0; loading.load()"
    parent = subprocess.Popen([sys.executable, "-c", asks], cwd=ROOT, env={**os.environ, "TMPDIR": str(scratch)})
    deadline = time.monotonic() + 60
    while not (tmp_path / "sign").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    while any(scratch.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(scratch.iterdir()) == []
    asked = int((tmp_path / "sign").read_text())
    while time.monotonic() < deadline and alive(asked):
        time.sleep(0.05)
    assert not alive(asked)


def test_a_plugin_changes_nothing_of_the_process_that_asks(hostile):
    hostile(
        """
        import os, signal, sys, builtins
        os.chdir("/"); os.environ["HOSTILE"] = "1"; signal.signal(signal.SIGINT, signal.SIG_IGN)
        builtins.print = None; sys.stdout = None
        """
    )
    before = Path.cwd(), print, sys.stdout
    assert "hostile" in loading.load().backends
    assert (Path.cwd(), print, sys.stdout) == before
    assert "HOSTILE" not in os.environ
    assert "hostile" not in sys.modules


@pytest.mark.parametrize(
    "supports, more, reason",
    [
        ("{1, 'method:nuts'}", "", "supports"),
        ("['method:nuts']", "", "supports"),
        (SUPPORTS, ", requires=('a.b',)", "requires"),
        (SUPPORTS, ", requires=(1,)", "requires"),
        (SUPPORTS, ", requires=3", "requires"),
        (SUPPORTS, ", environment={'A': 1}", "environment"),
        (SUPPORTS, ", environment={1: 'A'}", "environment"),
        (SUPPORTS, ", environment={'A=B': 'x'}", "environment"),
        (SUPPORTS, ", environment={'A': 'x\\0y'}", "environment"),
        (SUPPORTS, ", environment=[]", "environment"),
        (SUPPORTS, ", gaps={'method:svi': 1}", "gaps"),
        (SUPPORTS, ", default_method=7", "default_method"),
    ],
)
def test_a_declaration_that_is_none_is_a_broken_row(hostile, supports, more, reason):
    hostile(supports=supports, more=more)
    (broken,) = loading.load().broken
    assert reason in broken.reason
    assert "\n" not in broken.reason


def test_nothing_that_a_plugin_prints_reaches_the_result(hostile):
    loud = "import os; os.write(1, b'{'); print('[]')"
    hostile(loud, limits=loud)
    done = run("compare", "--backends", "exact", "hostile:nuts", "--reference", "none", "--model-only", "--json", "-")
    rows = {row["name"]: row for row in json.loads(done.stdout)["contenders"]}
    assert rows["exact"]["status"] == "ok"
    assert rows["hostile:nuts"]["status"] == "failed"
    assert (rows["hostile:nuts"]["distribution"], rows["hostile:nuts"]["version"]) == ("hostile", "1.0")


def test_a_plugin_that_nobody_asked_for_costs_a_comparison_nothing(hostile):
    hostile("import os; os._exit(0)")
    done = run("compare", "--backends", "exact", "--reference", "none", "--quiet")
    assert done.returncode == 3, done.stderr  # nothing to compare, as without it


def test_a_listing_names_it_and_is_quick(hostile):
    hostile("import os; os._exit(0)")
    done = run("backends")
    assert done.returncode == 0
    assert "hostile" in done.stdout
    assert "broken: its process ended with code 0 when it was loaded or asked" in done.stdout


def test_a_plugin_that_cant_be_asked_is_a_broken_row(hostile, monkeypatch):
    hostile()

    def full(**settings):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(survey, "TemporaryDirectory", full)
    registry = loading.load()
    assert list(registry.backends) == ["exact"]
    assert "can't be asked: [Errno 28] No space left" in registry.broken[0].reason


def test_a_plugin_that_can_t_be_asked_leaves_no_folder(hostile, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("no room")

    hostile()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(survey.processes, "start", full)
    assert "it can't be asked: no room" in loading.load().broken[0].reason
    assert list(scratch.iterdir()) == []
