"""How numbers are spelled: plainly, by some convention of people's, or not at all.

A number is plain as ``-1.5e3`` is. Whatever else a person would take for one ("1,020",
"2,5", "12.5 %", "$3.10") is known, so that it can be named, and never guessed at.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MISSING = frozenset(
    {"", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil", "missing", ".", "-", "--", "?"}
)
"""Texts, in lower case, that stand for a missing value in a column of numbers."""

_PLAIN = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?)", re.IGNORECASE)
COMMA = re.compile(r"[+-]?(?:[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+")
_ZEROS = re.compile(r"[+-]?0[0-9]")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_EXPONENT = re.compile(r"[0-9]+[eE][0-9]+")
_GROUP = "[.,' _\u2019\u00a0\u2009\u202f]"
_NUMBER = rf"(?:\d{{1,3}}(?:{_GROUP}\d{{3}})+(?:[.,]\d+)?|\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"
_BY_CONVENTION = re.compile(rf"[-+\u2212]?\s*{_NUMBER}\s*[%\u2030]?|\(\s*{_NUMBER}\s*\)")
_CODE = "(?:USD|EUR|GBP|CHF|JPY|CNY|INR|kr|Rs)"
_MONEY = re.compile(rf"^{_CODE}(?=[\s\d])|(?<=[\s\d]){_CODE}$")
_UNIT = re.compile(rf"[-+\u2212]?\s*{_NUMBER}\s*([^\W\d_]+[\u00b2\u00b3]?)")

EXACT = 2**53
"""Whole numbers up to here are exact as float64."""


def is_missing(text: str) -> bool:
    """Whether a text in a column of numbers stands for a missing value."""
    return text.strip().lower() in MISSING


def is_plain(text: str) -> bool:
    """Whether a text is a number as every program writes it."""
    return _PLAIN.fullmatch(text.strip()) is not None


def has_leading_zeros(text: str) -> bool:
    """Whether a text is written as identifiers are: ``01`` is not ``1``."""
    return _ZEROS.match(text.strip()) is not None


def reads_as_number(text: str) -> bool:
    """Whether a person would take a text for a number, plain or by a convention."""
    text = text.strip()
    if is_plain(text):
        return True
    text = _MONEY.sub("", "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) != "Sc"))
    return _BY_CONVENTION.fullmatch(unicodedata.normalize("NFKC", text).strip()) is not None


def unit(texts: Iterable[str]) -> str | None:
    """The unit that is written behind all numbers; None where some text is no number with that unit."""
    found = [_UNIT.fullmatch(text.strip()) for text in texts]
    units = {match[1] if match else None for match in found}
    return units.pop() if len(units) == 1 else None


def numbers(column: "pd.Series[Any]", *, decimal: str = ".") -> "pd.Series[Any] | None":
    """A column of texts as numbers; None where it is text.

    Text it stays where one is no plain number, and where numbers would lose what the texts
    tell apart: leading zeros (01 and 1), exponents (1E1 and 10), digits beyond float64.

    Parameters
    ----------
    decimal
        A comma where the file has decimal commas.
    """
    import pandas as pd

    codes, different = pd.factorize(column.astype(object))
    texts = [str(text).strip() for text in different]
    given = [text for text in texts if text.lower() not in MISSING]
    if decimal == "," and all(map(COMMA.fullmatch, given)):
        given = [text.replace(",", ".") for text in given]
        texts = [text.replace(",", ".") for text in texts]
    elif decimal == "," and all(_THOUSANDS.fullmatch(text) for text in given if "." in text) and "." in "".join(given):
        return None
    if not given or not all(map(_PLAIN.fullmatch, given)) or any(map(_ZEROS.match, given)):
        return None if any(texts) else pd.Series(np.nan, index=column.index, name=column.name)
    absent = len(given) < len(texts) or bool((codes < 0).any())
    if all(map(_WHOLE.fullmatch, given)):
        values = [int(text) for text in given]
        if not absent:
            exact = _whole(values)
            return None if exact is None else pd.Series(exact[codes], index=column.index, name=column.name)
        if max(map(abs, values)) > EXACT:
            return None
    if any(map(_EXPONENT.fullmatch, given)) and len({float(text) for text in given}) < len(set(given)):
        return None
    floats = np.array([np.nan if text.lower() in MISSING else float(text) for text in texts] + [np.nan])
    return pd.Series(floats[codes], index=column.index, name=column.name)


def _whole(values: list[int]) -> "np.ndarray | None":
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= min(values) and max(values) <= np.iinfo(dtype).max:
            return np.array(values, dtype=dtype)
    return None


def may_mislead(block: bytes) -> bool:
    """Whether a part of a file holds what parses as a number, and may not be one: 01, or 1E1."""
    byte = np.frombuffer(block, dtype=np.uint8)
    if byte.size < 3:
        return False
    digit = (byte >= ord("0")) & (byte <= ord("9"))
    before, here, after = digit[:-2], byte[1:-1], digit[2:]
    inside = before | np.isin(byte[:-2], np.frombuffer(b".eE+-", dtype=np.uint8))
    return bool(np.any((here == ord("0")) & ~inside & after) or np.any(((here | 32) == ord("e")) & before & after))
