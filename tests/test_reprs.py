"""What a prompt and a notebook show of an object: short, what matters first, and nothing in it acts."""

import pydoc
import re

import numpy as np
import pandas as pd
import pytest

import bayescore as bc

EVIL = "<script>alert('1')</script>\x1b[31m"
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"y": RNG.normal(size=40), EVIL: RNG.normal(size=40), "g": ["<b>", "&amp;"] * 20})
OBJECTS = ("problem", "data", "posterior", "fit", "comparison", "prior")


@pytest.fixture(scope="module")
def known():
    problem = bc.from_table(f"y ~ `{EVIL}` + g", FRAME, family="Gaussian(sigma=1)", source=EVIL)
    fit = bc.fit(problem, backend="exact")
    result = bc.compare(problem, ["exact", "exact:exact(draws=500)"])
    values = (problem, problem.data, fit.posterior, fit, result, problem.prior_predictive(3))
    return dict(zip(OBJECTS, values, strict=True))


@pytest.mark.parametrize("name", OBJECTS)
def test_a_repr_is_one_short_line(known, name):
    shown = repr(known[name])
    assert len(shown) <= 330
    assert shown.isprintable()
    assert shown.startswith(type(known[name]).__name__)


@pytest.mark.parametrize("name", ["problem", "posterior", "fit", "comparison"])
def test_a_notebook_shows_texts_as_they_stand(known, name):
    page = known[name]._repr_html_()
    assert set(re.findall(r"<(\w+)", page)) <= {
        "div",
        "strong",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert not re.search(r"<[^>]*=", page)  # no attribute, of ours or of anybody's
    assert "\x1b" not in page
    if name != "comparison":
        assert "&lt;script&gt;" in page
    assert len(page) < 10_000


def test_what_matters_stands_first(known):
    assert known["fit"]._repr_html_().startswith("<div><strong>Healthy</strong>")
    assert known["comparison"]._repr_html_().startswith(f"<div><strong>{known['comparison'].verdict.upper()}</strong>")
    sick = bc.fit(bc.toy(), backend="exact", smoke=True)
    assert sick._repr_html_().startswith("<div><strong>Not healthy</strong>")
    assert "smoke" in sick._repr_html_()
    assert repr(sick).endswith(": not healthy)")


def test_many_parameters_make_no_long_page():
    frame = pd.DataFrame(RNG.normal(size=(300, 41)), columns=["y", *(f"c{k}" for k in range(40))])
    formula = "y ~ " + " + ".join(frame.columns[1:])
    fit = bc.fit(formula, frame, "exact", family="Gaussian(sigma=1)")
    for shown in (fit, fit.posterior, fit.problem):
        assert len(shown._repr_html_()) < 12_000
        assert len(repr(shown)) < 400


def test_the_interface_is_listed():
    assert dir(bc) == sorted(bc.__all__)
    page = pydoc.plain(pydoc.render_doc(bc))
    for name in set(bc.__all__) - {"__version__"}:
        assert re.search(rf"^    (class )?{name}\(", page, flags=re.M), name


def test_a_summary_shows_all_its_columns_with_few_digits(known):
    shown = repr(known["fit"].summary()).splitlines()
    assert shown[0].split() == ["mean", "sd", "mcse_mean", "q05", "q50", "q95", "ess_bulk", "ess_tail", "rhat"]
    assert max(map(len, shown)) < 120
    assert type(known["fit"].summary()[["mean"]]) is pd.DataFrame
    assert "<script>" not in known["fit"].summary()._repr_html_()
