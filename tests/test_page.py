"""The page of a comparison: all of it in one file, in order, escaped, and usable in a browser."""

import copy
import json
import re
import time
from html.parser import HTMLParser

import pytest
from browser import Seen, started
from keep_documents import CASES, bench, stored

import bayescore
from bayescore.pictures.listed import PICTURES
from bayescore.printable import everywhere
from bayescore.report.page import Shown, render

VOID = {"meta", "img", "input", "br", "link", "hr"}
OPTIONAL_END = {"td", "th", "tr"}
HOSTILE = (
    "<script>alert('x')</script>\"'><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} &lt; </td></table> \x1b[31m \u202e"
)


class Whole(HTMLParser):
    """Elements that are closed as they were opened, their ids, and what they refer to."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.addresses, self.headings, self.tags = [], [], [], [], []
        self.wrong = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        self.ids += [found["id"]] if "id" in found else []
        self.addresses += [found[name] for name in ("src", "href", "srcset", "action", "data") if name in found]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in VOID:
            return
        while tag in {"td", "th", "tr"} and self.open and self.open[-1] in ({"td", "th"} | ({"tr"} & {tag})):
            self.open.pop()
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open[-1] != tag and self.open[-1] in OPTIONAL_END:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def parsed(text):
    found = Whole()
    found.feed(text)
    found.close()
    assert found.wrong == []
    assert found.open == []
    return found


@pytest.fixture(scope="module")
def result():
    with bench():
        return bayescore.compare(CASES["guides"].problem(), CASES["guides"].contenders)


@pytest.fixture(scope="module")
def browser():
    with started() as found:
        yield found


@pytest.fixture(scope="module")
def file(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    result.to_html(path)
    return path


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_document_is_a_whole_page(name):
    document = stored(name)
    text = render(document)
    page = parsed(text)
    assert len(page.ids) == len(set(page.ids))
    assert {a.removeprefix("#") for a in page.addresses} <= set(page.ids), "an address from outside, or one that is not"
    assert page.headings[0] == 1 and page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert dict(page.tags)["html"] == {"lang": "en"}
    assert all("scope" in found for tag, found in page.tags if tag == "th")
    assert document["verdict"].upper() in text.split("</h1>")[0].split("<h1")[1]
    assert "pip install" in text  # since there are no pictures


def test_the_verdict_comes_first_and_then_what_a_reader_asks():
    text = re.sub(
        r"<(style|script)>.*?</\1>", "", render(stored("draws too few"), problem_file="# runs it again"), flags=re.S
    )
    asked = ["model", "fits", "agreement", "remedies", "cost", "again"]
    parts = ["INCONCLUSIVE", "too-few-draws", *(f'<h2 id="{name}"' for name in asked), "# runs it again"]
    order = [text.index(part, text.index("<h1")) for part in parts]
    assert order == sorted(order)


def test_a_reason_is_said_once_and_contenders_are_named_in_full():
    document = stored("categories")
    page = render(document)
    settled = page[page.index('<h2 id="remedies"') : page.index('<h2 id="cost"')]
    said = re.findall(r"<li>(.*?)</li>", settled)
    assert len(said) == len(set(said)) >= 2
    assert all(" and " in one.split(": ")[0] for one in said)  # whose it is
    assert not any(
        a != b and a.endswith(b.partition(": ")[2]) and a.startswith(b.partition(": ")[0]) for a in said for b in said
    )
    again = page[page.index('<h2 id="again"') :]
    assert all(contender["name"] in again for contender in document["contenders"])


def hostile(value, key=""):
    """A document whose texts are all hostile but those that are of a fixed set of words."""
    if isinstance(value, dict):
        return {k: hostile(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [hostile(v, key) for v in value]
    if not isinstance(value, str) or key in {"schema", "verdict", "statistic", "status", "kind", "code", "family"}:
        return value
    return f"{value} {HOSTILE}"


@pytest.mark.parametrize("name", ["guides", "another model", "not run", "categories"])
def test_names_that_are_markup_are_names(name, browser, tmp_path):
    document = hostile(stored(name))
    picture = Shown("forest", HOSTILE, HOSTILE, b"no picture")
    text = render(document, [picture], problem_file=HOSTILE)
    page = parsed(text)
    assert "49" not in re.findall(r"\{\{.*?\}\}", text)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not any(attribute.startswith("on") for _, found in page.tags for attribute in found)
    assert "\x1b" not in text and "\u202e" not in text
    path = tmp_path / "page.html"
    path.write_text(text)
    seen = Seen(browser, path)
    assert [fault for fault in seen.faults if not fault.startswith("console: Failed to load resource")] == []
    assert "<script>alert('x')</script>" in seen.page.inner_text("body")
    seen.page.close()


def test_a_page_needs_nothing_from_outside_and_has_no_faults(browser, file):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: the page has no pictures")
    seen = Seen(browser, file)
    images = seen.page.evaluate("[...document.images].map(i => [i.complete && i.naturalWidth > 0, i.alt.length > 20])")
    assert len(images) >= 6
    assert all(map(all, images))
    assert seen.faults == []
    assert seen.page.evaluate("document.compatMode") == "CSS1Compat"
    assert not re.search("https?:|//", re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", file.read_text()))
    seen.page.close()


@pytest.mark.parametrize("width", [390, 800, 1400])
def test_nothing_is_wider_than_the_screen(width, browser, file):
    seen = Seen(browser, file, width)
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    seen.page.close()


def test_in_print_nothing_is_cut_off_or_left_to_scroll(browser, file):
    page = Seen(browser, file, 718).page  # A4 without its margins
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 718
    cut = (
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.ariaLabel)"
    )
    assert page.evaluate(cut) == []
    assert page.locator("nav, .filter").locator("visible=true").count() == 0
    page.close()


def test_tables_sort_and_filter_by_the_keyboard(browser, file):
    page = Seen(browser, file).page
    table = page.locator("#table-parameters")
    column = table.locator("thead th", has_text="mean")
    column.locator("button").focus()
    page.keyboard.press("Enter")
    assert column.get_attribute("aria-sort") == "ascending"
    means = [float(text) for text in table.locator("tbody td:nth-child(3)").all_inner_texts()]
    assert means == sorted(means)
    page.keyboard.press("Enter")
    assert column.get_attribute("aria-sort") == "descending"
    means = [float(text) for text in table.locator("tbody td:nth-child(3)").all_inner_texts()]
    assert means == sorted(means, reverse=True)
    assert table.locator("thead th[aria-sort]").count() == 1
    box = page.locator("input[type=search]").first
    label = page.locator(f"label[for='{box.get_attribute('id')}']")
    assert label.count() == 1
    rows = page.locator(f"#{box.get_attribute('id').removesuffix('-filter')} tbody tr:visible")
    before = rows.count()
    box.fill("beta[X] MEAN".lower())
    assert 0 < rows.count() < before
    assert all("beta[x]" in text and "mean" in text for text in rows.all_inner_texts())
    box.fill("nothing has this")
    assert rows.count() == 0
    page.close()


CONTRAST = """() => {
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!/^rgba.*, 0\\)$/.test(c)) return c; } return "rgb(255, 255, 255)"; };
  const found = [];
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || e.matches("script, style")) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${e.tagName} ${e.className} ${ratio.toFixed(2)} ${e.textContent.slice(0, 40)}`);
  }
  return [...new Set(found)];
}"""


@pytest.mark.parametrize("name", ["guides", "another model", "not run", "draws too few"])
def test_all_text_has_contrast_enough(name, browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(render(stored(name)))
    page = Seen(browser, path).page
    assert page.evaluate(CONTRAST) == []
    page.close()


def large():
    """A document with 200 parameters and five contenders."""
    document = copy.deepcopy(stored("chains"))
    who = [f"engine{k}:nuts" for k in range(5)]
    of, pair = document["parameters"][0], document["pairs"][0]
    names = [f"offset(1|county)[c{k:03d}]" for k in range(200)]
    document["contenders"] = [document["contenders"][0] | {"name": name, "kind": "chains"} for name in who]
    document["parameters"] = [of | {"contender": w, "name": n, "mean": k / 7} for w in who for k, n in enumerate(names)]
    rows = [
        row | {"quantity": name, "statistic": s, "difference": (k * 37 % 200) / 2e3}
        for row, s in zip(pair["rows"], ("mean", "sd", "shape", "shape"), strict=False)
        for k, name in enumerate(names)
    ]
    document["pairs"] = [
        pair | {"a": a, "b": b, "rows": rows, "predictions": None} for k, a in enumerate(who) for b in who[k + 1 :]
    ]
    return document


def test_two_hundred_parameters_and_five_contenders_stay_quick(browser, tmp_path):
    document = large()
    assert sum(len(pair["rows"]) for pair in document["pairs"]) == 8000
    path = tmp_path / "page.html"
    started_at = time.process_time()
    path.write_text(render(document))
    assert time.process_time() - started_at < 5.0
    assert path.stat().st_size < 2_000_000
    page = Seen(browser, path).page
    seconds = page.evaluate("""() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
      document.body.getBoundingClientRect();
      const slowest = [];
      for (const button of document.querySelectorAll("#table-parameters button, #table-pair-1 button")) {
        const taken = [1, 2, 3].map(() => {
          const start = performance.now();
          button.click();
          document.body.getBoundingClientRect();
          return performance.now() - start;
        });
        slowest.push(Math.min(...taken));  // others may be at work here, too
      }
      return Math.max(...slowest) / 1000;
    }""")
    assert seconds < 1.0
    page.close()


def test_without_a_browser_nothing_is_lost(browser, file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator("button, input").count() == 0  # which would do nothing
    assert page.locator("#table-pairs tbody tr").count() > 0
    context.close()


def test_the_page_says_that_it_has_no_pictures(result, tmp_path, monkeypatch):
    from bayescore.pictures import library

    monkeypatch.setattr(library, "installed", lambda: False)
    result.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "This page has no pictures" in text
    assert "<img" not in text


def test_a_file_that_can_not_be_written_is_told(result, tmp_path):
    with pytest.raises(bayescore.errors.KeepingError, match="can't write"):
        result.to_html(tmp_path / "nowhere" / "page.html")


def test_no_word_of_a_document_is_left_out(result, file):
    """Names of all parameters, contenders and quantities are on the page."""
    text = file.read_text()
    for name in {row["name"] for row in result.document["parameters"]} | {
        c["method"] for c in result.document["contenders"]
    }:
        assert everywhere(name) in text
    for pair in result.document["pairs"]:
        for row in pair["rows"]:
            assert f"{row['difference']:+.3f}" in text
    assert set(re.findall(r'id="picture-(\w+)"', text)) == set(PICTURES) - {"model"}
    assert json.dumps(result.document)  # which has not been changed
