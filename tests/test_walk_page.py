"""A statistician's walk through three data sets, as its page has it, and whether what it says is true.

``python tests/test_walk_page.py`` writes the outputs on the page anew.
"""

import os
import re
import shutil
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pages
import pytest
from conftest import REFERENCE, ROOT, USABLE

PAGE = ROOT / "docs" / "walk.md"
IMPORTS = re.findall(r"```python\n(import .*?)```", PAGE.read_text(), re.DOTALL)[0]
pytestmark = [
    pytest.mark.skipif("numpyro" not in USABLE, reason="the page's fits are NumPyro's"),
    pytest.mark.filterwarnings("ignore:The inplace keyword", "ignore:Estimated shape parameter"),
]


def walk(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a part of the page in a folder; what its blocks have left."""
    pytest.importorskip("arviz_plots", reason="pictures need bayescore[plots]")
    pytest.importorskip("matplotlib").use("agg")
    monkeypatch.chdir(folder)
    space: dict[str, Any] = {}
    exec(IMPORTS, space)
    for block in pages.blocks(PAGE, name):
        value = pages.run(block.code, space)
        if block.shown is not None:
            assert pages.like(pages.text(value), block.shown), f"{pages.text(value)}\n{block.shown}"
            well_formed(value._repr_html_())
    import matplotlib.pyplot as plt

    plt.close("all")
    for kind in ("fit", "problem"):
        assert len(repr(space[kind])) < 5000
    return space


def well_formed(page: str) -> None:
    """Whether every element that is opened is closed."""
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in {"br", "img", "meta", "link"}:
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Reader().feed(page)
    assert not opened and "<table" in page


def test_sleep(tmp_path, monkeypatch, reference):
    shutil.copy(reference / "sleepstudy.csv", tmp_path)
    space = walk("sleep", tmp_path, monkeypatch)
    fit, again = space["fit"], space["again"]
    values = fit.posterior.flat()
    population = fit.slopes("Days", groups="population")
    np.testing.assert_allclose(population.draws.ravel(), values["beta"][:, 0], rtol=1e-9)
    own = fit.slopes("Days", {"Subject": [308]}).draws.ravel()
    np.testing.assert_allclose(own, values["beta"][:, 0] + values["offset(Days|Subject)"][:, 0], rtol=1e-9, atol=1e-9)
    # the maximum of the likelihood, as lme4's manual has it, within a third of a posterior sd
    assert population.frame["estimate"][0] == pytest.approx(10.467, abs=0.5)
    np.testing.assert_array_equal(again.predict(), fit.predict())
    assert fit.loo().elpd > space["parallel"].loo().elpd + 10


def test_titanic(tmp_path, monkeypatch):
    space = walk("titanic", tmp_path, monkeypatch)
    fit, table = space["fit"], space["titanic"]
    assert (table["survived"].sum(), table["n"].sum()) == (711, 2201)
    # what is expected of all is what happened: the score equations of the logit, up to the priors
    assert fit.predictions().frame["estimate"][0] == pytest.approx(711 / 2201, abs=0.005)
    women = fit.comparisons({"sex": ["male", "female"]}, average_by="cls").frame.set_index("cls")["estimate"]
    assert women["2nd"] > women["3rd"] + 0.3
    assert fit.loo().elpd > space["plain"].loo().elpd + 20


def test_claims(tmp_path, monkeypatch):
    space = walk("claims", tmp_path, monkeypatch)
    fit, table = space["fit"], space["cars"]
    assert (table["claims"].sum(), table["policies"].sum()) == (3151, 23359)
    values = fit.posterior.flat()
    ratio = fit.comparisons("engine", comparison="ratio")
    np.testing.assert_allclose(ratio.draws.reshape(len(values["beta"]), -1), np.exp(values["beta"][:, 1:4]), rtol=1e-9)
    by_hand = np.exp(values["intercept"] + values["beta"] @ np.array([45, 0, 0, 1, 0, 0, 0]) + np.log(1000))
    found = space["again"].predictions({"age": 45, "engine": [">2"], "district": ["1"], "policies": 1000})
    np.testing.assert_allclose(found.draws.ravel(), by_hand, rtol=1e-9)
    assert fit.predictions().frame["estimate"][0] == pytest.approx(3151 / 64, abs=1.0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(Path(os.environ[REFERENCE]) / "sleepstudy.csv", folder)
        os.chdir(folder)
        pages.write(PAGE, "import matplotlib; matplotlib.use('agg')\n" + IMPORTS)
