"""The page on effects shows what is found.

``python tests/test_effects_page.py`` writes the outputs on the page anew.
"""

from typing import Any

import pages
from conftest import ROOT

PAGE = ROOT / "docs" / "effects.md"


def test_the_page_shows_what_is_found():
    space: dict[str, Any] = {}
    shown = pages.blocks(PAGE)
    assert len(shown) == 7
    for code, output in shown:
        found = pages.run(code, space)
        assert output is not None and found is not None
        assert pages.same(found, output), f"{found}\n{output}"


if __name__ == "__main__":
    pages.write(PAGE)
