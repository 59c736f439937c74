"""What a report says, in its order, as plain data; how it looks is up to whoever shows it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from bayescore.agreement.verdict import Overall
from bayescore.printable import everywhere
from bayescore.report import glossary, names, side_by_side, tables
from bayescore.report.document import Document
from bayescore.report.tables import Table
from bayescore.report.words import beside, repeated, sentence


@dataclass(frozen=True)
class Heading:
    """What was compared: the data, the model line by line, and what the user should know of them."""

    data: str
    model: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A table under its title, a note below it, of one line or several, and words with what they mean."""

    title: str
    table: Table
    note: str = ""
    words: tuple[tuple[str, str], ...] = ()

    @property
    def texts(self) -> Iterator[str]:
        """All that it says, but for the words."""
        yield self.title
        yield from (column.head for column in self.table.columns)
        yield from (cell for line in self.table.lines for cell in line.cells)
        yield self.note


@dataclass(frozen=True)
class Closing:
    """The verdict, in a sentence, and what it rests on: remarks on pairs, then the reasons."""

    verdict: Overall
    sentence: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """A report from its first line to its last; the legend has contenders' short names and what they stand for."""

    statement: Heading
    legend: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    conclusion: Closing


def content(document: Document) -> Content:
    """What a document says; no name, level or text of a plugin in it acts on a terminal.

    Of a stored document, which may be an older version's, keys that came later are looked for.
    """
    shown, legend = as_shown(document)
    closing = _conclusion(shown)
    return Content(_statement(shown), tuple(legend.items()), explained(_sections(shown), closing), closing)


def as_shown(document: Document) -> tuple[Document, dict[str, str]]:
    """The document with texts that can be printed and short names, and what each of these stands for."""
    printed = everywhere(cast("dict[str, Any]", dict(document)), of_lines=("model",))
    return names.shortened(cast(Document, printed))


def explained(sections: Iterable[Section], closing: Closing) -> tuple[Section, ...]:
    """Each word under the first section that has it; those of the closing alone under the last, which is before it."""
    known: set[str] = set()
    found = [replace(one, words=glossary.explained(one.texts, known)) for one in sections]
    more = glossary.explained([closing.sentence, *closing.remarks], known)
    return (*found[:-1], *(replace(one, words=one.words + more) for one in found[-1:]))


def _statement(document: Document) -> Heading:
    problem = document["problem"]
    formula = f"{problem['formula']}, " if problem["formula"] else ""
    return Heading(
        f"{formula}{problem['rows']} rows of {problem['source']}",
        () if problem.get("sites") else tuple(problem["model"].split("\n")),
        tuple(problem["notes"]),
        tuple(problem["warnings"]),
    )


def _sections(document: Document) -> Iterator[Section]:
    if document["problem"].get("sites"):
        yield Section("Sites", side_by_side.sites(document)[0])
    if document["model_check"]:
        against = document["model_check"][0].get("against", "the specification")
        yield Section(f"Model: log density against {against}", tables.models(document))
    if document["parameters"]:
        yield Section("Posterior", tables.parameters(document))
    for pair in document["pairs"]:
        if pair["rows"]:
            yield Section(f"{pair['a']} and {pair['b']}: {pair['verdict']}", tables.differences(pair), beside(pair))
    if document["predictions"]:
        count = tables.predicted(document)
        title = f"Predictions of the expected response, mean ± sd, {count} rows"
        yield Section(title, tables.predictions(document))
    yield Section("Seconds and memory", tables.contenders(document), "\n".join(repeated(document)))


def _conclusion(document: Document) -> Closing:
    of_pairs = [f"{pair['a']} and {pair['b']}: {pair['summary']}" for pair in document["pairs"] if pair.get("summary")]
    reasons = [f"{reason['code']}: {reason['text']}" for reason in document["reasons"]]
    return Closing(document["verdict"], sentence(document), (*of_pairs, *reasons))
