"""A comparison as JUnit XML, which continuous integration shows: a case a contender, a case a pair, and the verdict.

The attributes are those of the schema that Jenkins publishes (``junit-10.xsd``), which GitLab, Azure and the actions
of GitHub read, too. What makes the exit code other than 0 is no passed case: a disagreement and whatever
leaves the verdict open is a failure, a contender that could not be run an error. Where the verdict is agree, what does
not count is skipped.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from bayescore.report.document import ContenderEntry, Document, PairEntry
from bayescore.report.words import diagnosis, sentence

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 can't have, be it as a reference."""


class Outcome(NamedTuple):
    """How a case ended, where it did not pass: its code, and sentences."""

    kind: Literal["failure", "error", "skipped"]
    code: str
    texts: Sequence[str]


def junit(document: Document) -> str:
    """The XML of a comparison's document."""
    suite = Element("testsuite", name=f"bayescore: {document['problem']['source']}")
    _properties(suite, document)
    for contender in document["contenders"]:
        seconds = sum(s for s in contender["seconds"].values() if s is not None)
        _case(suite, "bayescore.contender", contender["name"], _of_contender(contender, document), seconds)
    for pair in document["pairs"]:
        _case(suite, "bayescore.pair", f"{pair['a']} and {pair['b']}", _of_pair(pair, document))
    _case(suite, "bayescore.verdict", "verdict", _of_all(document))
    counts = {"tests": len(suite.findall("testcase"))}
    counts |= {key: len(suite.findall(f"testcase/{kind}")) for key, kind in _COUNTED.items()}
    total = f"{sum(float(case.get('time', '0')) for case in suite.findall('testcase')):.3f}"
    root = Element("testsuites", name="bayescore", time=total)
    root.append(suite)
    for element in (suite, root):
        for name, count in counts.items():
            if element is suite or name != "skipped":
                element.set(name, str(count))
    suite.set("time", total)
    for element in root.iter():
        element.text = None if element.text is None else _allowed(element.text)
        for name, value in element.attrib.items():
            element.set(name, _allowed(value))
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return f"{written.decode()}\n"


_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def _allowed(text: str) -> str:
    return _FORBIDDEN.sub("", text)


def _properties(suite: Element, document: Document) -> None:
    environment = document["environment"]
    known: dict[str, object] = {
        "verdict": document["verdict"],
        "formula": document["problem"]["formula"],
        "family": document["problem"]["family"],
        "rows": document["problem"]["rows"],
        **{name: document["settings"].get(name) for name in ("margin", "alpha", "precision", "seed")},
        "python": environment["python"],
        "platform": environment["platform"],
        **environment["versions"],
    }
    properties = SubElement(suite, "properties")
    for name, value in known.items():
        if value is not None:
            SubElement(properties, "property", name=name, value=str(value))


def _case(suite: Element, classname: str, name: str, outcome: Outcome | None, seconds: float = 0.0) -> None:
    case = SubElement(suite, "testcase", classname=classname, name=name, time=f"{seconds:.3f}")
    if outcome is None:
        return
    first = next(iter(outcome.texts), "") or outcome.code
    found = SubElement(case, outcome.kind, message=first)
    if outcome.kind != "skipped":
        found.set("type", outcome.code)
        found.text = "\n".join(outcome.texts)


def _of_contender(contender: ContenderEntry, document: Document) -> Outcome | None:
    """Whether it ran to its end, has the model that was stated, and converged."""
    agreed = document["verdict"] == "agree"
    if contender["status"] != "ok":
        return Outcome("skipped" if agreed else "error", contender["status"], [diagnosis(contender)])
    if agreed:
        return None
    check = next((one for one in document["model_check"] if one["contender"] == contender["name"]), None)
    if check is not None and check["verdict"] in {"different", "precision"}:
        where = ": ".join(part for part in (check["site"], check["pattern"]) if part)
        code = check.get("code", "different-model") if check["verdict"] == "different" else "precision"
        return Outcome(
            "failure", code, [f"another log density than {check.get('against', 'the specification')}: {where}"]
        )
    if contender["healthy"] is False:
        return Outcome("failure", "unconverged", _ailments(contender, document) or [diagnosis(contender)])
    return None


def _ailments(contender: ContenderEntry, document: Document) -> list[str]:
    """What the pairs' reasons and the verdict's say of a contender alone."""
    reasons = [*document["reasons"], *(reason for pair in document["pairs"] for reason in pair["reasons"])]
    own = [reason["text"] for reason in reasons if reason["text"].startswith(f"{contender['name']}: ")]
    return list(dict.fromkeys(own))


def _of_pair(pair: PairEntry, document: Document) -> Outcome | None:
    if pair["verdict"] == "agree":
        return None
    texts = [f"{reason['code']}: {reason['text']}" for reason in pair["reasons"]]
    skipped = document["verdict"] == "agree" or pair["verdict"] == "not-comparable"
    return Outcome("skipped" if skipped else "failure", pair["verdict"], texts)


def _of_all(document: Document) -> Outcome | None:
    if document["verdict"] == "agree":
        return None
    texts = [sentence(document), *(f"{reason['code']}: {reason['text']}" for reason in document["reasons"])]
    return Outcome("error" if document["verdict"] == "incomplete" else "failure", document["verdict"], texts)
