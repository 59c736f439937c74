"""Who is told of the progress: a terminal and a notebook by bars, nobody else by anything."""

import io
import subprocess
import sys
from types import ModuleType

import pytest
from conftest import ROOT

import bayescore as bc
from bayescore.report import progress
from bayescore.report.terminal import plain_console


def console_of(monkeypatch: pytest.MonkeyPatch, **settings: bool) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(progress, "plain_console", lambda stderr: plain_console(file=stream, width=100, **settings))
    return stream


@pytest.mark.parametrize("call", ["fit", "compare"])
def test_a_terminal_sees_a_bar(call, monkeypatch):
    stream = console_of(monkeypatch, force_terminal=True)
    bc.fit(bc.toy(), backend="exact") if call == "fit" else bc.compare(bc.toy(), ["exact"])
    assert "exact" in stream.getvalue()


@pytest.mark.parametrize("call", ["fit", "compare"])
def test_who_asks_for_silence_sees_none(call, monkeypatch):
    stream = console_of(monkeypatch, force_terminal=True)
    if call == "fit":
        bc.fit(bc.toy(), backend="exact", progress=False)
    else:
        bc.compare(bc.toy(), ["exact"], progress=False)
    assert stream.getvalue() == ""


def test_a_pipe_sees_nothing():
    script = "import bayescore as bc; bc.fit(bc.toy(), backend='exact'); bc.compare(bc.toy(), ['exact'])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("widgets", [True, False])
def test_a_notebook_sees_a_bar_where_it_has_widgets(widgets, monkeypatch):
    shown = []

    class Output:
        def __enter__(self):
            return self

        def __exit__(self, *raised):
            return None

        def close(self):
            shown.append("closed")

        def clear_output(self, wait=False):
            shown.append("clear")

    notebook, parts = ModuleType("IPython"), ModuleType("IPython.display")
    parts.display = lambda *given, **more: shown.append(given)
    modules = {"IPython": notebook, "IPython.display": parts, "ipywidgets": ModuleType("ipywidgets")}
    modules["ipywidgets"].Output = Output
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(progress, "find_spec", lambda name: object() if widgets else None)
    console_of(monkeypatch, force_jupyter=True)
    bc.fit(bc.toy(), backend="exact")
    assert bool(shown) == widgets
