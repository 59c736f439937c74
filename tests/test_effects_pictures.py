"""Pictures of effects: what they show is what was found, under names as users write them."""

import sys

import numpy as np
import pytest
from effects_support import by_hand, table

import bayescore as bc
from bayescore.effects import comparisons, predictions, slopes
from bayescore.errors import MissingLibraryError, RequestError

TABLE = table().replace({"g": {"a": "$a$", "b": "<b>", "c": "c\x1b[1m"}})


@pytest.fixture(scope="module")
def stated():
    pytest.importorskip("matplotlib")
    problem = bc.from_table("grade ~ x * g + z", TABLE, family="Ordinal")
    return problem, by_hand(problem)


@pytest.fixture(scope="module")
def numbers():
    pytest.importorskip("matplotlib")
    problem = bc.from_table("real ~ x * g + z", TABLE)
    return problem, by_hand(problem)


def png(figure) -> bytes:
    from bayescore.pictures.library import png

    return png(figure)


def seen(figure):
    return [axes for axes in figure.axes if axes.get_visible()]


def test_a_number_is_a_line_with_a_band(numbers):
    found = predictions(*numbers, ["x", "g"])
    (axes,) = seen(found.plot())
    for k, level in enumerate(("$a$", "<b>", "c\x1b[1m")):
        rows = found.frame[found.frame["g"] == level]
        x, y = axes.lines[k].get_data()
        np.testing.assert_array_equal(x, rows["x"])
        np.testing.assert_array_equal(y, rows["estimate"])
        band = axes.collections[k].get_paths()[0].vertices
        np.testing.assert_allclose([band[:, 1].min(), band[:, 1].max()], [rows["lower"].min(), rows["upper"].max()])
    assert axes.get_xlabel() == "x"
    assert png(axes.figure).startswith(b"\x89PNG")


def test_categories_are_points_with_bars(numbers):
    found = predictions(*numbers, "g")
    (axes,) = seen(found.plot())
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), found.frame["estimate"])
    ends = np.array([path.vertices[:, 1] for path in axes.collections[0].get_paths()])
    np.testing.assert_array_equal(ends, found.frame[["lower", "upper"]])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["$a$", "<b>", "c\\x1b[1m"]
    assert png(axes.figure)


@pytest.mark.parametrize("ask", [comparisons, slopes])
def test_comparisons_and_slopes_are_a_forest(numbers, ask):
    found = ask(*numbers)
    (axes,) = seen(found.plot())
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), found.frame["estimate"])
    assert axes.lines[0].get_xdata() == [0.0, 0.0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names[0] == {"comparisons": "x: +1", "slopes": "x"}[found.kind]
    assert len(names) == len(found) and png(axes.figure)


def test_a_ratio_has_its_line_at_one(numbers):
    (axes,) = seen(comparisons(*numbers, "g", comparison="ratio").plot())
    assert axes.lines[0].get_xdata() == [1.0, 1.0]


def test_comparisons_along_a_number_are_lines_and_say_what_is_compared(numbers):
    found = comparisons(*numbers, {"g": ["$a$", "<b>"]}, "x")
    (axes,) = seen(found.plot())
    assert axes.get_title() == "g: <b> - $a$"
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), found.frame["estimate"])


def test_categories_of_the_response_are_colours_then_panels(stated):
    (axes,) = seen(predictions(*stated, "x").plot())
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == ["0", "1", "2", "3"]
    every = seen(predictions(*stated, ["x", "g"]).plot())
    assert [axes.get_title() for axes in every] == [f"category {k}" for k in range(4)]
    assert png(every[0].figure)
    assert png(comparisons(*stated, "g").plot())


def test_one_average_is_a_point(numbers):
    (axes,) = seen(predictions(*numbers).plot())
    assert [text.get_text() for text in axes.get_yticklabels()] == ["all rows"]


def test_a_point_estimate_is_drawn_without_interval(numbers):
    problem = numbers[0]
    for found in (predictions(problem, by_hand(problem, 1, 1), "x"), slopes(problem, by_hand(problem, 1, 1))):
        assert png(found.plot())


def test_what_is_too_much_for_a_picture_is_said(numbers, stated):
    with pytest.raises(RequestError, match="at most 60 rows, not 63: average, or give fewer values"):
        comparisons(*numbers, {"x": range(22)}, "g").plot()
    with pytest.raises(RequestError, match="at most 9 panels"):
        predictions(*stated, {"x": None, "g": None, "z": [0, 1, 2, 3]}).plot()
    with pytest.raises(RequestError, match="more than one estimate at a value: average over them"):
        whole = bc.from_table("real ~ n", TABLE)
        predictions(whole, by_hand(whole), average_by=False).plot()


def test_without_matplotlib_one_line_says_what_to_install(numbers, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingLibraryError, match=r'pip install "bayescore\[plots\]"'):
        predictions(*numbers).plot()
