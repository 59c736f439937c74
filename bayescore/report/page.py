"""A comparison as a page: one HTML file that holds all of it, and asks nothing of anybody.

The template and its style and script lie beside this module. Whatever comes from a user, a table or a
plugin is escaped by the template; the page's own policy lets no script run but its own.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from typing import Any

from bayescore.agreement.explanations import EXPLANATIONS
from bayescore.printable import lines, printable
from bayescore.report import glossary
from bayescore.report import page_tables as tables
from bayescore.report.content import as_shown
from bayescore.report.document import Document
from bayescore.report.furthest import furthest
from bayescore.report.words import beside, sentence

_HERE = files("bayescore.report")
_MOST_OPEN = 60
"""Rows of a pair's table that is open from the start, at most."""


@dataclass(frozen=True)
class Shown:
    """A picture on a page: what it is of, what it shows, in words, and its PNG."""

    name: str
    title: str
    caption: str
    png: bytes

    @property
    def address(self) -> str:
        """The picture itself, as an address."""
        return "data:image/png;base64," + b64encode(self.png).decode()


def render(document: Document, pictures: Sequence[Shown] = (), problem_file: str | None = None) -> str:
    """The page.

    Parameters
    ----------
    pictures
        Where there are none the page says so.
    problem_file
        The text of a file that runs it again, if there is one.
    """
    import jinja2
    from markupsafe import Markup

    style, script = (_HERE.joinpath(f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_HERE.joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        **_view(document),
        pictures={
            one.name: replace(one, title=printable(one.title), caption=printable(one.caption)) for one in pictures
        },
        again=None if problem_file is None else lines(problem_file).rstrip(),
        style=Markup(style),
        script=Markup(script),
        policy="default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src 'sha256-{_hash(style)}'; script-src 'sha256-{_hash(script)}'",
    )


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def _view(document: Document) -> dict[str, Any]:
    """What the template shows; no text in it has characters that act on a reader's screen."""
    shown, legend = as_shown(document)
    judged = sorted((p for p in shown["pairs"] if p["rows"]), key=furthest, reverse=True)
    view: dict[str, Any] = {
        "verdict": shown["verdict"],
        "sentence": sentence(shown),
        "reasons": shown["reasons"],
        "problem": shown["problem"],
        "settings": {name: "" if value is None else printable(str(value)) for name, value in shown["settings"].items()},
        "environment": shown["environment"],
        "contenders": [contender["name"] for contender in shown["contenders"]],
        "in_full": [legend.get(contender["name"], contender["name"]) for contender in shown["contenders"]],
        "again_fitted": [
            *(f"{c['name']}: refitted: {c['refitted']}" for c in shown["contenders"] if c.get("refitted")),
            *(f"{c['name']}: drawn again: {c['drawn_on']}" for c in shown["contenders"] if c.get("drawn_on")),
        ],
        "remedies": _remedies(shown),
        "models": tables.models(shown) if shown["model_check"] else None,
        "fits": tables.fits(shown),
        "pairs": tables.pairs(shown) if shown["pairs"] else None,
        "differences": [(tables.differences(p), beside(p), len(p["rows"]) <= _MOST_OPEN) for p in judged],
        "parameters": tables.parameters(shown) if shown["parameters"] else None,
        "predictions": tables.predictions(shown) if shown["predictions"] else None,
        "scores": tables.scores(shown) if shown["scores"] else None,
        "cost": tables.cost(shown),
    }
    sheets = [view[name] for name in ("models", "fits", "pairs", "parameters", "scores")]
    sheets += [sheet for sheet, _, _ in view["differences"]]
    words = glossary.explained((text for sheet in sheets if sheet for text in sheet.texts), set())
    return {**view, "legend": legend, "words": words}


def _remedies(document: Document) -> Mapping[str, tuple[list[str], str, str]]:
    """For each reason that is met: its sentences, what it means, and what to do."""
    found: dict[str, list[str]] = {}
    of_pairs = [(f"{p['a']} and {p['b']}: ", reason) for p in document["pairs"] for reason in p["reasons"]]
    for who, reason in [*(("", reason) for reason in document["reasons"]), *of_pairs]:
        said = found.setdefault(reason["code"], [])
        if not {reason["text"], f"{who}{reason['text']}"} & set(said):
            said.append(f"{who}{reason['text']}")
    known = {code: EXPLANATIONS[code] for code in found if code in EXPLANATIONS}
    return {code: (found[code], one.meaning, one.remedy) for code, one in known.items()}
