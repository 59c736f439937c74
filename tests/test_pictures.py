"""Pictures of a comparison: each is drawn of what it should be, and leaves the rest of the world alone."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT
from keep_documents import CASES, bench, stored

import bayescore
from bayescore.errors import MissingLibraryError, RequestError
from bayescore.pictures import library
from bayescore.pictures.library import label, png
from bayescore.pictures.listed import PICTURES, draw, every
from bayescore.pictures.material import Material, NothingToDrawError
from bayescore.pictures.ranks import ranks

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed: no picture is drawn")
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def made():
    """Comparisons by name, each made once."""
    found = {}
    with bench():

        def make(name):
            case = CASES[name]
            if name not in found:
                found[name] = bayescore.compare(case.problem(), case.contenders, case.settings)
            return found[name]

        yield make


def texts(figure):
    from matplotlib.text import Text

    figure.canvas.draw()
    return [t.get_text() for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text() and t.get_visible()]


@pytest.mark.parametrize("name", ["guides", "points", "another model", "not run", "categories"])
def test_all_pictures_of_all_kinds_of_comparisons(made, name):
    sheets = {sheet.name: sheet for sheet in every(made(name).material)}
    assert list(sheets) == list(PICTURES)
    assert [sheet.fault for sheet in sheets.values() if sheet.fault] == []
    for sheet in sheets.values():
        assert bool(sheet.png) != bool(sheet.nothing)
        assert not sheet.png or (sheet.png.startswith(PNG) and sheet.caption.endswith("."))
    assert bool(sheets["model"].png) == (name == "another model")
    assert bool(sheets["svi"].png) == (name == "guides")
    assert sheets["forest"].png and sheets["differences"].png and sheets["cost"].png


@pytest.mark.parametrize(
    "name",
    ["draws so few that errors are unknown", "points without a maximum", "models alone", "one alone", "hierarchy"],
)
def test_a_document_alone_is_enough_for_some(name):
    sheets = list(every(Material(stored(name))))
    assert [sheet.fault for sheet in sheets if sheet.fault] == []
    assert {"densities", "ranks", "svi"} <= {sheet.name for sheet in sheets if sheet.nothing}


def test_differences_are_the_document_s_with_their_intervals_and_margins(made):
    result = made("chains")
    figure = result.plot("differences")
    pairs = {f"{p['a']} and {p['b']}: {p['verdict']}": p for p in result.document["pairs"]}
    assert {axes.get_title(loc="left") for axes in figure.axes} == set(pairs)
    for axes in figure.axes:
        pair = pairs[axes.get_title(loc="left")]
        reach = [max(abs(r["lower"]), abs(r["upper"])) / r["margin"] for r in pair["rows"]]
        drawn = [
            tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.5
        ]
        order = np.argsort(-np.array(reach), kind="stable")[: len(drawn)]
        assert drawn == [(pair["rows"][k]["lower"], pair["rows"][k]["upper"]) for k in order]
        bands = [band.get_paths()[0].get_extents() for band in axes.collections]
        assert [band.x1 for band in bands] == [pair["rows"][k]["margin"] for k in order]
        assert [band.x0 for band in bands] == [-pair["rows"][k]["margin"] for k in order]


def test_the_line_reaches_where_the_tutorial_predicts_and_is_the_posterior_s(made):
    result = made("guides")
    figure = result.plot("predictions")
    above, below = figure.axes
    line = next(line for line in above.lines if line.get_label().endswith("exact"))
    x, y = line.get_data()
    assert x.min() < 0.05 and x.max() == result.problem.new_data.x.max() > 6.5
    mean = {row["name"]: row["mean"] for row in result.document["parameters"] if row["contender"] == "exact"}
    np.testing.assert_allclose(y, mean["intercept"] + mean["beta[x]"] * x, atol=0.02)
    assert np.abs(next(line for line in below.lines if line.get_label().endswith("exact")).get_ydata()).max() < 1e-10
    dots = next(line for line in above.lines if line.get_label() == "data")
    np.testing.assert_array_equal(dots.get_xdata(), result.problem.data.x[:, 0])


def test_a_term_that_differs_is_drawn_at_every_point(made):
    result = made("another model")
    (check,) = [check for check in result.document["model_check"] if check["verdict"] == "different"]
    assert [part["site"] for part in check["apart"]] == [check["site"]]
    points = check["apart"][0]["points"]
    assert len(points) == check["points"] == 20
    assert np.median(points) == pytest.approx(0.0, abs=1e-12)
    assert max(map(abs, points)) == pytest.approx(check["spread"])
    (axes,) = result.plot("model").axes
    assert sorted(axes.lines[1].get_xdata()) == sorted(points)
    assert all("apart" not in check for check in result.document["model_check"] if check["verdict"] == "same")


def test_of_a_network_what_is_judged_is_drawn(made):
    material = made("network").material
    judged = list(material.by_parameter)
    assert any(name.startswith("eta[") for name in judged)
    assert all(list(of) == judged for of in material.draws.values())
    figure = draw("densities", material).figure
    assert all(len(line.get_xdata()) > 50 for axes in figure.axes if axes.get_visible() for line in axes.lines)


def test_zero_is_marked_where_it_is_near_and_makes_no_picture_wider(made):
    (axes,) = made("chains").plot("forest").axes
    assert axes.get_xlim()[0] > -4.0
    ticks = [line for line in axes.lines if line.get_marker() == "|" and line.get_markersize() == 9]
    assert all(axes.get_xlim()[0] <= line.get_xdata()[0] <= axes.get_xlim()[1] for line in ticks)


def test_ranks_are_uniform_where_posteriors_are_the_same_whatever_the_numbers_of_draws():
    rng = np.random.default_rng(0)
    found = ranks({"a": rng.normal(size=(2, 500)), "b": rng.normal(size=(1, 20000)), "c": rng.normal(size=(4, 1000))})
    for of in found.values():
        assert np.all((of > 0) & (of < 1))
        assert np.abs(np.mean(of) - 0.5) < 4 / np.sqrt(12 * of.size)
    apart = ranks({"a": rng.normal(size=(2, 500)), "b": 5.0 + rng.normal(size=(2, 500))})
    assert np.mean(apart["a"]) < 0.27 and np.mean(apart["b"]) > 0.73
    assert ranks({"a": np.zeros((1, 3)), "b": np.zeros((1, 4))})["a"].tolist() == [[0.5] * 3]


def test_a_contender_has_one_look_in_all_pictures(made):
    material = made("guides").material
    assert len({(look.colour, look.marker) for look in material.looks.values()}) == len(material.looks)
    shorter = Material({**material.document, "pairs": [], "parameters": []})
    assert shorter.looks == material.looks


def test_of_two_hundred_parameters_the_worst_are_drawn_and_the_picture_says_so():
    from test_page import large

    document = large()
    for pair in document["pairs"]:
        for row in pair["rows"]:
            if row["quantity"] == "offset(1|county)[c123]":
                row["lower"], row["upper"] = 5.0, 6.0
    picture = draw("forest", Material(document))
    assert "40 parameters of 200 that differ most" in picture.caption
    named = [t for t in texts(picture.figure) if t.startswith("offset")]
    assert len(named) == 40 and named[0] == "offset(1|county)[c123]"
    assert picture.figure.get_size_inches()[1] < 30
    assert "of 10 pairs" in draw("differences", Material(document)).caption


HOSTILE = [
    "$x^2$",
    "$\\nosuch$",
    "$\\undefined{",
    "_hidden",
    "<script>",
    "a" * 500,
    "\x1b[31m",
    "列名",
    "x\ny",
    "%d {0}",
    "",
    " ",
]


def test_any_name_can_be_drawn(made):
    def renamed(value):
        if isinstance(value, dict):
            return {k: names.get(v, v) if isinstance(v, str) else renamed(v) for k, v in value.items()}
        return [renamed(v) for v in value] if isinstance(value, list) else value

    result = made("guides")
    plain = [*dict.fromkeys(row["name"] for row in result.document["parameters"])]
    for k in range(len(HOSTILE)):
        hostile = [HOSTILE[(k + j) % len(HOSTILE)] for j in range(len(plain) + 4)]
        contenders = [c["name"] for c in result.document["contenders"]]
        names = dict(zip([*plain, *contenders], hostile, strict=False))
        fits = {names[name]: fit for name, fit in result.material.fits.items()}
        data = replace(result.problem.data, columns=(hostile[0],), response=hostile[1])
        material = Material(renamed(result.document), fits, replace(result.problem, data=data))
        for name in ("forest", "differences", "predictions", "svi", "cost") if k == 0 else ("forest",):
            assert png(draw(name, material).figure).startswith(PNG)


def test_a_dollar_sign_is_a_dollar_sign(made):
    document = made("guides").document
    renamed = {**document, "parameters": [row | {"name": "$a$"} for row in document["parameters"]]}
    figure = draw("forest", Material(renamed)).figure
    png(figure)
    (text,) = [t for t in figure.axes[0].get_yticklabels() if t.get_text() == "$a$"]
    assert not text.get_parse_math()


@pytest.mark.parametrize("length", [0, 1, 33, 34, 35, 36, 1000])
def test_a_long_name_keeps_its_ends(length):
    name = "".join(chr(ord("a") + k % 26) for k in range(length))
    assert len(label(name)) == min(length, 34)
    assert length <= 34 or (label(name).startswith(name[:16]) and label(name).endswith(name[-16:]))


def test_an_unknown_picture_and_one_of_nothing_are_told_in_a_line(made):
    with pytest.raises(
        RequestError, match=r"^there is no picture 'forrest'; did you mean 'forest'\? \(pictures: forest, "
    ):
        made("chains").plot("forrest")
    with pytest.raises(RequestError, match=r"^there is no picture 3 \("):
        made("chains").plot(3)
    with pytest.raises(NothingToDrawError, match=r"^no contender was fitted by steps"):
        made("chains").plot("svi")


def test_without_matplotlib_a_line_says_what_to_install(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingLibraryError, match=r'^pictures need matplotlib: pip install "bayescore\[plots\]"$'):
        made("chains").plot("forest")


def test_no_global_state_is_touched(made):
    def settings():
        return {k: v for k, v in matplotlib.rcParams.items() if k != "backend"}  # which is chosen when it is looked at

    before = settings()
    list(every(made("guides").material))
    assert settings() == before
    code = (
        "import json, sys\nfrom bayescore.pictures.listed import every\n"
        "from bayescore.pictures.material import Material\n"
        "list(every(Material(json.load(open('tests/documents/chains.json')))))\n"
        "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_picture_that_fails_costs_itself_only(made, monkeypatch):
    from bayescore.pictures import forest

    monkeypatch.setattr(forest, "draw", lambda material: 1 / 0)
    sheets = {sheet.name: sheet for sheet in every(made("chains").material)}
    assert sheets["forest"].fault == "ZeroDivisionError: division by zero"
    assert sheets["differences"].png
    assert library.installed()


def test_a_guides_locations_are_drawn_in_its_sds():
    """As its Monte Carlo error is: whatever the unit of the coordinates that it works on."""
    from bayescore.pictures.svi import _series

    rng = np.random.default_rng(0)
    loc, log_scale = rng.normal(size=(50, 2)), rng.normal(0.0, 0.1, size=(50, 2))
    unit = np.array([1.0, 0.02])
    plain = _series({"loc": loc, "log_scale": log_scale}, "loc")
    assert np.allclose(plain, loc / np.exp(log_scale.mean(axis=0)))
    assert np.allclose(_series({"loc": loc * unit, "log_scale": log_scale + np.log(unit)}, "loc"), plain)
    lower = np.full((50, 2, 2), 3.0)
    full = _series({"loc": loc, "log_scale": 0.0 * log_scale, "lower": lower}, "loc")
    assert np.allclose(full, loc / [1.0, np.sqrt(10.0)])
