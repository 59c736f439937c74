"""The page about the JSON names every key that is in it."""

import re

import pytest
from conftest import ROOT

from bayescore.comparison.run import compare
from bayescore.comparison.settings import Settings
from bayescore.tables.problem import toy


@pytest.mark.usefixtures("only_core")
def test_every_key_of_a_document_is_on_the_page():
    page = (ROOT / "docs" / "json.md").read_text()
    document = compare(toy(), ["exact", "exact:exact(draws=500)"], Settings(jobs=1)).document
    rows = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            key, holds = line.strip("| ").split(" | ", 1)
            rows[key.strip("`")] = set(re.findall(r"`([a-z_0-9]+)(?:\[\])?`", holds))

    def look(at, content):
        if isinstance(content, dict) and at:
            assert set(content) <= rows[at], (at, sorted(set(content) - rows[at]))
        for key, value in content.items():
            path = f"{at}.{key}" if at else key
            if isinstance(value, list) and value and isinstance(value[0], dict):
                look(f"{path}[]", value[0])
            elif isinstance(value, dict) and (f"{path}" in rows):
                look(path, value)

    assert {"schema", *document} <= {key.removesuffix("[]").partition(".")[0] for key in rows} | {"schema"}
    look("", document)
