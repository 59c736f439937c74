"""Text that acts on terminals, or reads as markup: it is shown, letter by letter, wherever it comes from."""

import csv
import io
import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from bayescore.backend import BackendInfo
from bayescore.cli import main
from bayescore.comparison.contender import Contender
from bayescore.comparison.run import compare
from bayescore.methods import Exact
from bayescore.plugins.registry import Broken, Origin, Registered, Registry
from bayescore.printable import printable, shortened
from bayescore.report.capabilities import markdown
from bayescore.report.progress import Bars
from bayescore.report.terminal import plain_console, render
from bayescore.settings import Settings
from bayescore.tables.problem import from_table

TRICKS = {
    "escape sequence": "a\x1b[31mb",
    "title of the window": "a\x1b]0;evil\x07b",
    "C1 control": "a\x9b31mb",
    "carriage return": "a\rb",
    "line of its own": "a\nAGREE  exact and pyro found the same posterior",
    "other line breaks": "a\x0b\x0c\x85\u2028\u2029b",
    "direction": "a\u202eb",
    "nothing to see": "a\u200b\u00a0b",
    "lone surrogate": "a\udc9bb",
    "null": "a\0b",
    "markup": "[bold]a[/bold]",
    "markup that ends nothing": "a[/b]",
    "colour": "[red]",
    "link": "[link=http://localhost]a[/link]",
    "emoji": ":b: :warning:",
    "backslash": "a\\[b",
}


def tame(text):
    """Whether nothing but line breaks is in it that is no letter."""
    return all(line.isprintable() for line in text.split("\n"))


@pytest.fixture(scope="module")
def written():
    table = pd.DataFrame({"x": [1.0, 2.0, 4.0, 3.0, 5.0], "g": [*"ababa"], "y": [1.0, 2.0, 3.0, 5.0, 4.0]})
    problem = from_table("y ~ x + g", table)
    return json.loads(json.dumps(compare(problem, ["exact"], Settings(reference="none")).document))


def replaced(content, text, keep=frozenset({"verdict", "status", "statistic", "schema", "code"})):
    """A document with all its free texts replaced."""
    if isinstance(content, dict):
        return {
            key: text if isinstance(value, str) and key not in keep else replaced(value, text, keep)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [text if isinstance(value, str) else replaced(value, text, keep) for value in content]
    return content


@pytest.mark.parametrize("trick", TRICKS)
def test_no_text_of_a_document_acts_on_the_terminal(written, trick):
    document = replaced(written, TRICKS[trick])
    shown = render(document, width=400, full=True)
    assert tame(shown)
    assert tame(render(document))
    assert shown.count(printable(TRICKS[trick])) > 5 or trick == "line of its own"
    assert not any(line.startswith("AGREE") for line in shown.split("\n"))


@given(text=st.text())
def test_what_is_printable_is_one_line_of_pictures_and_says_the_same(text: str):
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    if text.isprintable():
        assert shown == text


def test_a_long_message_keeps_its_ends():
    text = shortened("a" * 5000 + "\x1b" + "b" * 5000)
    assert len(text) < 1600
    assert text.startswith("aaa")
    assert text.endswith("bbb")
    assert "characters" in text


@pytest.mark.usefixtures("only_core")
def test_names_and_levels_stay_letters_in_reports_and_logs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    levels = [text for text in TRICKS.values() if text.isprintable() or text[1] not in "\udc9b\0"]
    table = pd.DataFrame({"y": range(2 * len(levels)), "g": levels * 2})
    table.to_csv("t.csv", index=False, quoting=csv.QUOTE_NONNUMERIC)
    argv = ["compare", "--data", "t.csv", "--formula", "y ~ 0 + g", "--backends", "exact", "--out", "kept"]
    assert main(argv) == 3
    assert tame(capsys.readouterr().out)
    assert main([*argv, "--force", "--full"]) == 3
    out, err = capsys.readouterr()
    assert tame(out)
    assert tame(err)
    for text in levels:
        assert "".join(printable(text).split()) in "".join(out.split())  # a line may break within it
    assert tame((tmp_path / "kept" / "log.txt").read_text())
    assert main(["show", "kept"]) == 3
    assert tame(capsys.readouterr().out)


@pytest.mark.usefixtures("only_core")
@pytest.mark.parametrize("trick", TRICKS)
def test_a_message_stays_in_its_line(tmp_path, monkeypatch, capsys, trick):
    monkeypatch.chdir(tmp_path)
    text = TRICKS[trick]
    assert main(["compare", "--data", f"{text}.csv", "--formula", "y ~ x"]) == 2
    assert main(["compare", "--formula", f"y ~ {text}"]) == 2
    assert main(["compare", "--backends", text]) == 2
    with pytest.raises(SystemExit):
        main(["compare", "--seed", text])
    err = capsys.readouterr().err
    assert tame(err)
    assert err.count("\n") == 4


@pytest.mark.usefixtures("only_core")
def test_a_file_named_as_markup_is_reported_by_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "[red]:b:[").write_text("y,x\n1,2\n2,3\n4,4\n3,6\n")
    (tmp_path / "[red]:b:[").rename(tmp_path / "[red]:b:[.csv")
    main(["compare", "--data", "[red]:b:[.csv", "--formula", "y ~ x", "--backends", "exact"])
    assert "4 rows of [red]:b:[.csv" in capsys.readouterr().out


@pytest.mark.parametrize("trick", TRICKS)
def test_a_plugin_s_words_stay_letters(trick, capsys, monkeypatch):
    from bayescore.plugins import loading

    text = TRICKS[trick]
    info = BackendInfo("odd", None.__init__, {f"family:{text}", f"method:{text}"}, gaps={f"method:{text}": text})
    registry = Registry(
        {"odd": Registered(info, Origin("odd", "odd", text, text), (text,))},
        (Broken(Origin(text, text, text, text), text, (text,)),),
    )
    monkeypatch.setattr(loading, "load", lambda: registry)
    assert main(["backends", "--all"]) == 0
    out = capsys.readouterr().out
    assert tame(out)
    assert out.count(printable(text)) >= 9
    assert tame(markdown(registry.backends))


@pytest.mark.parametrize("trick", TRICKS)
def test_progress_shows_letters_and_survives_any_message(trick, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    console = plain_console(file=stream, force_terminal=True, color_system=None, width=200)
    contender = Contender(TRICKS[trick], Exact())
    with Bars(console, quiet=False) as bars:
        for message in (
            {"phase": TRICKS[trick]},
            {"step": 1, "total": 2, "loss": TRICKS[trick]},
            {"step": TRICKS[trick], "total": None},
            {"step": 1.0},
            {"neither": []},
        ):
            bars(contender, message)
    assert printable(TRICKS[trick]) in stream.getvalue()
    if not TRICKS[trick].isprintable() and trick != "line of its own":
        assert TRICKS[trick] not in stream.getvalue()


@pytest.mark.parametrize("odd", ["Infinity", "-Infinity", "NaN", "1e400", "1" + 400 * "0", "-1", "true", "null"])
def test_progress_survives_any_number(odd, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for message in ('{"step": %s, "total": 10}', '{"step": 1, "total": %s}', '{"step": 1, "total": 2, "loss": %s}'):
        console = plain_console(file=io.StringIO(), force_terminal=True, color_system=None, width=200)
        with Bars(console, quiet=False) as bars:
            bars(Contender("exact", Exact()), json.loads(message % odd))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("verdict"),
        lambda d: d.update(verdict="splendid"),
        lambda d: d.update(contenders=3),
        lambda d: d.update(problem=[]),
        lambda d: d["parameters"][0].update(mean="1"),
        lambda d: d["parameters"][0].update(sd=1e999),
        lambda d: d["parameters"].append("x"),
        lambda d: d["contenders"][0].update(seconds={"fit": "long"}),
        lambda d: d["contenders"][0].update(seconds=[1]),
        lambda d: d["settings"].update(margin=None),
        lambda d: d["problem"].update(model=7),
        lambda d: d.update(predictions=[{"row": 10**400}]),
    ],
)
def test_a_damaged_document_is_refused_before_a_line_is_printed(written, tmp_path, capsys, change):
    damaged = json.loads(json.dumps(written))
    change(damaged)
    (tmp_path / "comparison.json").write_text(json.dumps(damaged))
    assert main(["show", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("bayescore: ")
    assert err.count("\n") == 1


def test_an_encoding_that_lacks_letters_gets_escapes():
    done = subprocess.run(
        [sys.executable, "-m", "bayescore", "compare", "--backends", "exact", "--smoke"],
        cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": "ascii", "BAYESCORE_PLUGINS": ""},
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr == b""
    assert b"INCONCLUSIVE" in done.stdout
    assert b"\\xb1" in done.stdout
