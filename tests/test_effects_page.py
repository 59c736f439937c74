"""The page on effects shows what is found.

``python tests/test_effects_page.py`` writes the outputs on the page anew.
"""

from typing import Any

import pages
from conftest import ROOT

PAGE = ROOT / "docs" / "effects.md"


def test_the_page_shows_what_is_found():
    space: dict[str, Any] = {}
    shown = list(pages.blocks(PAGE))
    assert len(shown) == 7
    for block in shown:
        found = pages.text(pages.run(block.code, space))
        assert block.shown is not None
        assert pages.same(found, block.shown), f"{found}\n{block.shown}"


if __name__ == "__main__":
    pages.write(PAGE)
