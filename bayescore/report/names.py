"""Short names of contenders: those with settings are long, and stand everywhere."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from bayescore.report.document import Document

_LONGEST, _LONGEST_WITH_SETTINGS = 20, 16
_OF_CONTENDERS = {"name", "contender", "a", "b", "against"}
_SENTENCES = {"text", "summary", "pattern", "error"}


def short(names: Sequence[str]) -> dict[str, str]:
    """By each name that is too long for a table a shorter one, as ``pyro:svi#1`` for ``pyro:svi(guide=full_rank)``."""
    found: dict[str, str] = {}
    taken = set(names)
    for name in names:
        base = re.split(r"[(=]", name)[0]
        if len(name) > (_LONGEST if base == name else _LONGEST_WITH_SETTINGS) and name not in found:
            base = base if len(base) <= _LONGEST else f"{base[: _LONGEST - 1]}…"
            found[name] = next(one for k in range(1, len(taken) + 2) if (one := f"{base}#{k}") not in taken)
            taken.add(found[name])
    return found


def shortened(document: Document) -> tuple[Document, dict[str, str]]:
    """The document with short names, and what each stands for."""
    names = short([contender["name"] for contender in document["contenders"]])
    if not names:
        return document, {}
    anywhere = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))
    parts = ("contenders", "parameters", "model_check", "pairs", "predictions", "scores", "reasons", "problem")
    renamed = {key: _renamed(value, names, anywhere) for key, value in document.items() if key in parts}
    return cast(Document, {**document, **renamed}), {new: old for old, new in names.items()}


def _renamed(value: Any, names: Mapping[str, str], anywhere: re.Pattern[str], key: str = "") -> Any:
    """A part of the document: its names as wholes, its sentences wherever they have one."""
    if isinstance(value, dict):
        keys = {k: names.get(k, k) if key == "programs" else k for k in value}
        return {keys[k]: _renamed(v, names, anywhere, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_renamed(v, names, anywhere, key) for v in value]
    if not isinstance(value, str):
        return value
    if key in _OF_CONTENDERS:
        return names.get(value, value)
    return anywhere.sub(lambda found: names[found[0]], value) if key in _SENTENCES | {"notes"} else value
