"""Text of users, tables and plugins as it may be shown: nothing in it acts on a terminal.

Whoever prints escapes; JSON and netCDF keep the text as it is.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def printable(text: str) -> str:
    """The text in one line, with an escape for every character that has no picture of its own.

    These are controls (escape sequences begin with one), line breaks, marks that turn the
    direction of writing, spaces other than the usual one, and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shortened(text: str, most: int = 1500) -> str:
    """The same without the middle of what is too long to be read."""
    whole = printable(text)
    left_out = len(whole) - most
    if left_out <= 0:
        return whole
    return f"{whole[: 2 * most // 3]} [... {left_out} characters ...] {whole[-most // 3 :]}"


def shown(value: object) -> str:
    """Any value in a few words, for a message."""
    try:
        text = repr(value)
    except Exception:  # whoever wrote its class; or a whole number of too many digits
        text = f"a value of type {type(value).__name__}"
    return shortened(" ".join(text.split()), 200)


def first_line(error: BaseException) -> str:
    """What an error says first, or its name."""
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


def lines(text: str) -> str:
    """The same line by line."""
    return "\n".join(map(printable, text.split("\n")))


def cell(text: str) -> str:
    """The same in a cell of a Markdown table."""
    return printable(text).replace("|", "\\|")


def html(title: str, lines: Iterable[str], head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """What a notebook shows of an object: a title, lines of text and a table; every text stands as it is."""

    def cells(tag: str, texts: Sequence[object]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(printable(str(text)))}</{tag}>" for text in texts) + "</tr>"

    told = "".join(f"<div>{escape(printable(line))}</div>" for line in lines)
    body = "".join(cells("td", row) for row in rows)
    table = f"<table><thead>{cells('th', head)}</thead><tbody>{body}</tbody></table>" if body else ""
    return f"<div><strong>{escape(printable(title))}</strong>{told}{table}</div>"


def count(number: int, what: str) -> str:
    """A number of things: ``1 row``, ``2 rows``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def everywhere(content: Any, *, of_lines: tuple[str, ...] = ()) -> Any:
    """A JSON value with all its texts made printable, the keys too.

    Parameters
    ----------
    of_lines
        Keys whose texts keep their line breaks.
    """
    if isinstance(content, str):
        return printable(content)
    if isinstance(content, list | tuple):
        return [everywhere(value, of_lines=of_lines) for value in content]
    if isinstance(content, dict):
        return {
            printable(str(key)): lines(value)
            if key in of_lines and isinstance(value, str)
            else everywhere(value, of_lines=of_lines)
            for key, value in content.items()
        }
    return content
