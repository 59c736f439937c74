"""The page about the JSON names every key that is in it, and every word that a key can hold."""

import re
from typing import Literal, get_args, get_origin, get_type_hints, is_typeddict

from conftest import ROOT

from bayescore.report.document import Document


def _parts(hint):
    """What a type is made of: of a list or a union its members."""
    members = [member for part in get_args(hint) for member in _parts(part)] if get_origin(hint) is not Literal else []
    return [hint, *members]


def _rows(path, kind):
    """Each object of a document: where it is, and its keys' types."""
    hints = get_type_hints(kind)
    yield path, hints
    for key, hint in hints.items():
        for part in _parts(hint):
            if is_typeddict(part):
                yield from _rows(f"{path}.{key}".lstrip(".") + ("[]" if get_origin(hint) is list else ""), part)


def test_every_key_of_a_document_is_on_the_page():
    page = (ROOT / "docs" / "json.md").read_text()
    on_page = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            key, holds = line.strip("| ").split(" | ", 1)
            on_page[key.strip("`")] = set(re.findall(r"`([a-z_0-9-]+)(?:\[\])?`", holds))
    options = (ROOT / "docs" / "options.md").read_text()
    on_page["settings"] |= set(re.findall(r"\w+", options))
    found = dict(_rows("", Document))
    assert len(found) > 12
    top = {key.partition(".")[0].removesuffix("[]") for key in on_page}
    assert set(found.pop("")) == top | {"schema"}
    for path, hints in found.items():
        listed = on_page[re.sub(r"^pairs\[\]\.reasons", "reasons", path)]
        assert set(hints) <= listed, (path, sorted(set(hints) - listed))
        for key, hint in hints.items():
            words = {word for part in _parts(hint) if get_origin(part) is Literal for word in get_args(part)}
            assert words <= listed, (path, key, sorted(words - listed))
    assert {word for part in _parts(Document.__annotations__["verdict"]) for word in get_args(part)} <= on_page[
        "verdict"
    ]
