"""The report of one screen: what a reader asks first, whatever the number of parameters and contenders."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from bayescore.agreement.explanations import EXPLANATIONS
from bayescore.report import short_tables, side_by_side, tables
from bayescore.report.content import Closing, Content, Heading, Section, as_shown, explained
from bayescore.report.document import Document, ReasonEntry
from bayescore.report.model_text import folded
from bayescore.report.words import brief, counted, repeated, sentence

_FULL = "--full"


@dataclass(frozen=True)
class Limits:
    """How many lines each part has at most, and characters a sentence."""

    model: int
    notes: int
    sites: int
    contenders: int
    pairs: int
    parameters: int
    reasons: int
    characters: int


_STEPS = (
    ("characters", 240), ("reasons", 6), ("notes", 5), ("model", 10), ("characters", 190), ("pairs", 8), ("sites", 14),
    ("reasons", 4), ("notes", 3), ("model", 8), ("contenders", 8), ("pairs", 6), ("characters", 150), ("reasons", 3),
    ("sites", 10), ("notes", 2), ("model", 7), ("contenders", 6), ("pairs", 5), ("reasons", 2), ("contenders", 5),
    ("pairs", 4), ("characters", 88), ("notes", 1), ("model", 6), ("pairs", 3), ("contenders", 4), ("sites", 7),
    ("reasons", 1), ("model", 5), ("contenders", 3), ("pairs", 2), ("parameters", 8), ("parameters", 6), ("model", 4),
    ("sites", 4), ("contenders", 2), ("parameters", 5), ("model", 3), ("characters", 70), ("model", 2), ("pairs", 1),
    ("contenders", 1), ("parameters", 3),
)  # fmt: skip
"""What is given up, one after the other, as long as the report is too long."""
_ALL = Limits(12, 8, 20, 10, 10, 10, 10, 600)
LIMITS = tuple(accumulate(_STEPS, lambda limits, step: replace(limits, **{step[0]: step[1]}), initial=_ALL))
"""From the widest to the tightest."""


def short(document: Document, fits: Callable[[Content], bool]) -> Content:
    """What a document says first, and as much of it as fits; whatever is left out is counted, and said where it is."""
    shown, legend = as_shown(document)
    kept = [f"{short} is {whole}" for short, whole in legend.items()]

    def within(limits: Limits) -> Content:
        closing = _conclusion(shown, limits)
        return Content(_statement(shown, limits), (), explained(_sections(shown, limits, kept), closing), closing)

    first = bisect_left(LIMITS, True, hi=len(LIMITS) - 1, key=lambda limits: fits(within(limits)))
    return within(LIMITS[first])


def _statement(document: Document, limits: Limits) -> Heading:
    problem = document["problem"]
    formula = f"{brief(problem['formula'], limits.characters // 2)}, " if problem["formula"] else ""
    data = f"{formula}{problem['rows']} rows of {brief(problem['source'], limits.characters // 2)}"
    model = [] if problem.get("sites") else folded(problem)
    lines = [brief(line, limits.characters) for line in _some(model, limits.model, "line", "of the model")]
    warned, told = list(problem["warnings"]), list(problem["notes"])
    warnings, notes = warned[: limits.notes], told[: max(0, limits.notes - len(warned))]
    more = [
        counted(len(every) - len(shown), f"more {what}")
        for every, shown, what in ((warned, warnings, "warning"), (told, notes, "note"))
        if len(every) > len(shown)
    ]
    warnings, notes = ([brief(text, limits.characters) for text in texts] for texts in (warnings, notes))
    if more:
        (warnings if len(warned) > limits.notes else notes).append(f"{' and '.join(more)} ({_FULL})")
    return Heading(data, tuple(lines), tuple(notes), tuple(warnings))


def _some(lines: Sequence[str], most: int, what: str, of: str) -> list[str]:
    """The first lines, and how many more there are."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], f"and {counted(len(lines) - most + 1, f'more {what}')} {of} ({_FULL})"]


def _sections(document: Document, limits: Limits, legend: Sequence[str]) -> Iterator[Section]:
    if document["problem"].get("sites"):
        table, note = side_by_side.sites(document, limits.sites)
        yield Section("Sites", table, note)
    table, note = short_tables.contenders(document, limits.contenders)
    notes = [*_lost(document), *_ailing(document), *_checked(document), *repeated(document)]
    below = ["; ".join(legend), *_some(notes, limits.notes, "remark", "on contenders")]
    yield Section("Contenders", table, _lines(note, *(brief(line, limits.characters) for line in below)))
    if document["pairs"]:
        table, note = short_tables.pairs(document, limits.pairs)
        yield Section(f"Pairs, by their largest difference (margin {document['settings']['margin']:g})", table, note)
    if document["parameters"]:
        table, title, note = short_tables.parameters(document, limits.parameters)
        yield Section(title, table, _lines(note, _predicted(document)))


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _lost(document: Document) -> list[str]:
    """Why contenders were lost, where the verdict's reasons don't say it."""
    said = " ".join(reason["text"] for reason in document["reasons"] if reason["code"] == "not-run")
    return [
        f"{contender['name']}: {contender['status']}: {contender['error']}"
        for contender in document["contenders"]
        if contender["status"] != "ok" and (contender["error"] or "") not in said
    ]


def _ailing(document: Document) -> Iterator[str]:
    """What is wrong with a fit first, where the verdict's reasons don't speak of it."""
    said = [reason["text"] for reason in document["reasons"]]
    every = [reason["text"] for pair in document["pairs"] for reason in pair["reasons"]]
    for name in (c["name"] for c in document["contenders"] if c["healthy"] is False):
        own = [text for text in every if text.startswith(f"{name}: ")]
        yield from [text for text in own[:1] if not set(own) & set(said)]


def _checked(document: Document) -> Iterator[str]:
    """What is remarkable of a model, as a constant, or that it is another, where the verdict's reasons don't say it."""
    said = " ".join(reason["text"] for reason in document["reasons"])
    for check in document["model_check"]:
        if check["pattern"] and check["contender"] != check.get("against") and check["pattern"] not in said:
            where = ": ".join(part for part in (check["site"], check["pattern"]) if part)
            yield f"{check['contender']}: {where}"


def _predicted(document: Document) -> str:
    gaps = [pair["predictions"]["max_difference_sd"] for pair in document["pairs"] if pair["predictions"]]
    known = [gap for gap in gaps if gap is not None]
    if not known:
        return ""
    count = tables.predicted(document)
    return f"predictions of {counted(count, 'row')}: means at most {max(known):.3f} posterior sd apart"


def _conclusion(document: Document, limits: Limits) -> Closing:
    summaries = [f"{pair['a']} and {pair['b']}: {pair['summary']}" for pair in document["pairs"] if pair.get("summary")]
    remarks = _some(summaries, max(1, limits.reasons // 2), "pair", "with a guide")
    reasons = [brief(text, limits.characters) for text in _reasons(document["reasons"], limits.reasons)]
    return Closing(
        document["verdict"],
        brief(sentence(document), 2 * limits.characters),
        (*(brief(text, limits.characters) for text in remarks), *reasons, *_next(document, limits)),
    )


def _reasons(reasons: Sequence[ReasonEntry], most: int) -> list[str]:
    """One of each code in any case, then as many as there is room for; those left out are counted by their code."""
    codes = list(dict.fromkeys(reason["code"] for reason in reasons))
    first = {code: next(k for k, reason in enumerate(reasons) if reason["code"] == code) for code in codes}
    chosen = set(first.values())
    chosen |= set([k for k in range(len(reasons)) if k not in chosen][: max(0, most - len(chosen))])
    found = []
    for k in sorted(chosen):
        code, text = reasons[k]["code"], reasons[k]["text"]
        later = [j for j, reason in enumerate(reasons) if reason["code"] == code and j not in chosen]
        last = max(j for j in chosen if reasons[j]["code"] == code) == k
        more = f" and {len(later)} more ({_FULL})" if later and last else ""
        found.append(f"{code}{more}: {text}")
    return found


def _next(document: Document, limits: Limits) -> Iterator[str]:
    """What to do, by the first reasons; and where the rest is."""
    codes = [code for code in dict.fromkeys(reason["code"] for reason in document["reasons"]) if code in EXPLANATIONS]
    if document["verdict"] == "agree" and not codes:
        fit = "without --model-only their posteriors are compared, too"
        yield f"next: {fit if document['settings']['model_only'] else 'use any of them'}. {_FULL} prints every table."
        return
    for code in codes[: 1 if limits.reasons < 3 else 2]:
        yield f"next, for {code}: {brief(EXPLANATIONS[code].remedy, limits.characters + 60)}"
    yield f"bayescore explain CODE tells what a reason means; {_FULL} prints every table."
