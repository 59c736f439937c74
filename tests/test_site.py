"""The documentation as a site: it builds without a remark, asks nothing of anybody, and fits a phone.

Of each page some test runs what it shows; which one is in `RUN_BY`.
"""

import logging
import re
import warnings
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from browser import started
from conftest import ROOT

DOCS = ROOT / "docs"
RUN_BY = {
    "index.md": "test_pages.py",
    "tutorial.md": "test_readme.py",
    "fit.md": "test_fit_page.py",
    "regressions.md": "test_pages.py",
    "effects.md": "test_effects_page.py",
    "walk.md": "test_walk_page.py",
    "programs.md": "test_programs_page.py",
    "pictures.md": "test_looks.py",
    "ci.md": "test_junit.py",
    "verdicts.md": "test_pages.py",
    "agreement.md": "test_testing_draws.py",
    "programs-faults.md": "programs/test_checked.py",
    "reliability.md": "hostile",
    "benchmark.md": "benchmark/run.py",
    "backends.md": "test_readme.py",
    "capabilities.md": "test_readme.py",
    "options.md": "test_options.py",
    "problem-file.md": "test_pages.py",
    "json.md": "test_json_page.py",
}
"""Under ``tests``; pages of the package, in ``docs/api``, are made from docstrings and show nothing else."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, built strictly: links, anchors and pages outside the navigation are faults."""
    pytest.importorskip("mkdocs", reason="the extra 'docs' is not installed: no site is built")
    pytest.importorskip("mkdocstrings", reason="the extra 'docs' is not installed: no site is built")
    folder = tmp_path_factory.mktemp("site")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the builder's own libraries
        from mkdocs.commands.build import build
        from mkdocs.config import load_config

        remarks = Remarks()
        logger = logging.getLogger("mkdocs")
        logger.addHandler(remarks)
        try:
            build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
        finally:
            logger.removeHandler(remarks)
    assert remarks.found == []
    return folder


class Remarks(logging.Handler):
    """What the builder warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        self.found.append(record.getMessage())


def test_it_builds_strictly_and_has_every_page(site):
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert {path.relative_to(site) for path in site.rglob("*.html")} == pages | {Path("404.html")}


def test_of_every_page_it_is_known_what_runs_it():
    assert set(RUN_BY) == {path.name for path in DOCS.glob("*.md")}
    assert all((ROOT / "tests" / name).exists() for name in RUN_BY.values())


def test_every_public_name_is_on_a_page_of_the_package(site):
    import bayescore

    text = (DOCS / "api" / "index.md").read_text()
    shown = set(re.findall(r"^::: bayescore\.(\w+)$", text, re.MULTILINE)) | {"Settings", "__version__"}
    assert shown == set(bayescore.__all__)
    for page in set((DOCS / "api").glob("*.md")) - {DOCS / "api" / "index.md"}:
        built = (site / "api" / f"{page.stem}.html").read_text()
        (names,) = re.findall(r"members: \[(.*?)\]", page.read_text())
        for name in names.split(", "):
            assert re.search(rf'id="bayescore\.[\w.]*\b{name}"', built), (page.name, name)


def test_pictures_are_small_and_said_in_words():
    used = set()
    for page in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        for words, name in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text(), re.DOTALL):
            assert len(words) > 30, (page.name, name)
            used.add((page.parent / name).resolve())
    assert used == set((DOCS / "pictures").iterdir())
    for picture in used:
        assert picture.read_bytes().startswith(b"\x89PNG"), picture
        assert picture.stat().st_size < 60_000, picture


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and writes no log."""

    def log_message(self, *ignored):
        pass


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served, on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_pages_fit_every_window_and_ask_for_nothing_from_outside(site, address):
    wrong = []
    with started() as browser:
        view = browser.new_page()
        view.on("request", lambda one: None if one.url.startswith((address, "data:")) else wrong.append(one.url))
        view.on("pageerror", lambda error: wrong.append(str(error)))
        view.on("response", lambda one: None if one.status < 400 else wrong.append(f"{one.url}: {one.status}"))
        for path in sorted(site.rglob("*.html")):
            name = path.relative_to(site).as_posix()
            view.goto(address + name)
            view.add_style_tag(content="* { transition: none !important }")
            for width in (390, 800, 1400):
                view.set_viewport_size({"width": width, "height": 900})
                beyond = view.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                if beyond > 0:
                    wrong.append(f"{name} is {beyond} pixels too wide at {width}")
            unseen = view.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)")
            wrong += [f"{name} shows no {picture}" for picture in unseen]
    assert wrong == []


def test_its_search_finds_a_reason(address):
    with started() as browser:
        view = browser.new_page(viewport={"width": 1400, "height": 900})
        view.goto(f"{address}index.html")
        view.fill("input[name=query]", "not-identified")
        view.wait_for_selector(".md-search-result__link")
        found = view.eval_on_selector_all(".md-search-result__link", "links => links.map(one => one.href)")
    assert any("verdicts.html" in one for one in found)
