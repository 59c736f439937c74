"""The report of one screen: it is one, whatever was compared, and what made the verdict is in it."""

import copy
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keep_documents import CASES, stored
from rich.cells import cell_len

from bayescore.report import page_tables, short_tables
from bayescore.report.furthest import decisive
from bayescore.report.model_text import folded
from bayescore.report.terminal import render, window

STORED = {name: stored(name) for name in CASES}
MOST = 45
ROW = re.compile(r"  (ok|not converged|failed|missing|unsupported|same|different|not-checked)( |$)")
WIDE = ("λ", "größe", "変数の名前がとても長い", "x" * 90, "a b c", "sd(1|county)", "é́")


def grown(name, *, parameters=0, contenders=0, reasons=0, text="", label="x"):
    """A kept document with more of everything: parameters, contenders, reasons, and longer sentences."""
    document = copy.deepcopy(STORED[name])
    rows, pairs = document["parameters"], document["pairs"]
    for k in range(parameters):
        site = f"{label}[{k}]"
        document["parameters"] += [{**row, "name": site} for row in rows[: len(document["contenders"])]]
        for pair in pairs:
            pair["rows"] += [{**row, "quantity": site} for row in pair["rows"][:2]]
    lines = [f"beta[{label}{k}] ~ Normal(0, {k + 1})" for k in range(parameters)]
    document["problem"]["model"] = "\n".join([document["problem"]["model"], *lines])
    document["problem"]["notes"] += [f"{k}: {text}" for k in range(reasons)]
    document["problem"]["warnings"] += [f"{k}: {text}" for k in range(reasons // 2)]
    first = document["contenders"][-1]["name"]
    for k in range(contenders):
        other = f"{label}{k}:nuts(draws={k + 10}, chains=4)"
        document["contenders"].append({**document["contenders"][-1], "name": other, "error": text or None})
        document["model_check"] += [{**check, "contender": other} for check in document["model_check"][-1:]]
        document["pairs"] += [{**pair, "a": first, "b": other} for pair in pairs[:1]]
        document["parameters"] += [{**row, "contender": other} for row in rows[:3]]
    document["reasons"] += [{"code": f"code-{k % 3}", "text": f"{first}: {k} {text}"} for k in range(reasons)]
    return document


def rest(part, what):
    """How many more of something a part of the report says that there are."""
    found = re.search(rf"(\d+) more {what}", " ".join(part.split()))
    return int(found[1]) if found else 0


def check(document, width):
    report = render(document, width=width)
    lines = report.split("\n")
    assert max(map(cell_len, lines)) <= width
    assert len(lines) - 1 <= MOST * max(1.0, 100 / width)
    assert document["verdict"].upper() in report
    for code in {reason["code"] for reason in document["reasons"]}:
        assert code in report
    table = report.split("Contenders\n")[1].split("\n\n")[0]
    listed = [line for line in table.split("\n")[1:] if ROW.search(line)]
    assert len(listed) + rest(table, "contender") == len(document["contenders"])
    if document["pairs"] and width >= 100:
        table = report.split("Pairs, ")[1].split("\n\n")[0]
        words = re.compile(r"  (agree|disagree|inconclusive|not-comparable)( |$)")
        listed = [line for line in table.split("\n") if words.search(line)]
        assert len(listed) + rest(table, "pair") == len(document["pairs"])
    return report


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
@pytest.mark.parametrize("name", CASES)
def test_it_is_one_screen(name, width):
    check(STORED[name], width)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(CASES)),
    parameters=st.sampled_from([0, 1, 9, 120]),
    contenders=st.integers(0, 12),
    reasons=st.integers(0, 12),
    text=st.sampled_from(["", "too few", "the solver could not be started " * 40, "x" * 1500]),
    label=st.sampled_from(WIDE),
    width=st.sampled_from([100, 100, 140]),
)
def test_it_is_one_screen_whatever_was_compared(name, parameters, contenders, reasons, text, label, width):
    check(
        grown(name, parameters=parameters, contenders=contenders, reasons=reasons, text=text, label=label),
        width,
    )


def test_no_word_is_broken_where_it_fits():
    """At any width each word of the report is one of the report that has all the room."""
    for name in ("not run", "draws too few", "hierarchy"):
        for width in (60, 80, 100):
            report = render(STORED[name], width=width, full=True)
            whole = set(render(STORED[name], width=10_000, full=True).split())
            assert set(report.split()) <= whole, name


def test_the_worst_parameters_are_shown_and_counted():
    document = grown("chains", parameters=200)
    worst = document["pairs"][0]["rows"][-1]
    worst.update(quantity="x[77]", difference=9.0, lower=8.9, upper=9.1)
    report = check(document, 100)
    assert "the 10 that are furthest apart of 203" in report
    assert re.search(r"^x\[77\] .* 9\.000 \(", report, re.MULTILINE)
    assert render(document, width=100, full=True).count("\n") > 100


def test_a_difference_that_decides_is_shown():
    pair = next(line for line in render(STORED["chains without exact"], width=100).split("\n") if "disagree " in line)
    assert re.split(r"\s{2,}", pair) == [
        "numeric:nuts", "wide:nuts", "disagree", "-0.411", "[-0.428, -0.394]", "beta[x], sd",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "lines, wanted",
    [
        ([f"beta[x{k}] ~ Normal(0, 2.5)" for k in range(1, 99)], ["beta[x1 .. x98] ~ Normal(0, 2.5)"]),
        (["beta[a] ~ Normal(0, 2)", "beta[b] ~ Normal(1, 3)"], ["beta[a, b] ~ Normal(0 to 1, 2 to 3)"]),
        (["beta[a] ~ Normal(0, 2)", "beta[b] ~ Laplace(0, 2)"], None),
        (["beta[a] ~ Normal(0, 2)", "sigma ~ Normal(0, 2)", "beta[b] ~ Normal(0, 2)"], None),
        (["layer0.bias[j] at the columns' means ~ Normal(0, 1)"], None),
        (["w[0,0] ~ Normal(0, sd(1|g))", "w[0,1] ~ Normal(0, sd(1|h))"], None),
        (["beta[x1] ~ Normal(0, 1e-05)", "beta[x2] ~ Normal(0, 1e-05)"], ["beta[x1, x2] ~ Normal(0, 1e-05)"]),
    ],
)
def test_priors_of_one_kind_are_one_line(lines, wanted):
    assert folded({"model": "\n".join(lines), "columns": []}) == (lines if wanted is None else wanted)


def test_a_long_sum_is_its_ends():
    columns = [f"x{k}" for k in range(5)]
    line = "eta = intercept + " + " + ".join(f"beta[{c}] * {c}" for c in columns) + " + offset(1|g)[g]"
    (short,) = folded({"model": line, "columns": columns})
    assert short == "eta = intercept + beta[x0] * x0 + ... + beta[x4] * x4 (5 columns) + offset(1|g)[g]"


def test_the_width_is_the_terminals_or_what_columns_says(monkeypatch):
    for said, wanted in (("60", 60), ("200", 200), ("1", 40), ("many", 100), ("", 100)):
        monkeypatch.setenv("COLUMNS", said)
        assert window() == wanted


@pytest.mark.parametrize("name", CASES)
def test_the_page_names_the_same_difference_of_a_pair(name):
    """One that a guide's family explains is none that a verdict rests on, however large it is."""
    document = stored(name)
    if not document["pairs"]:
        return
    of = {(pair["a"], pair["b"]): decisive(pair) for pair in document["pairs"]}
    assert all(row is None or row["verdict"] != "expected" for row in of.values())
    table, _ = short_tables.pairs(document, 1000)
    in_terminal = {f"{line.cells[0]} and {line.cells[1]}": line.cells[-1] for line in table.lines}
    on_page = {row[0].text: row[3].text for row in page_tables.pairs(document).rows}
    for pair, told in in_terminal.items():
        (a, b) = next(names for names in of if " and ".join(names) == pair)
        assert of[a, b] is None or on_page[pair] == told
