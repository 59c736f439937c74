"""The JSON Schema in the package is that of the types, and documents are valid by it.

``python tests/test_schema.py`` writes it anew. Beside these, every document that a test makes in its process is held
against the types (``conftest``).
"""

import copy
import json
from importlib.resources import files

import msgspec
import pytest
from conftest import of_its_types
from jsonschema import Draft202012Validator
from keep_documents import CASES, stored

from bayescore.report.document import SCHEMA, Document

SHIPPED = files("bayescore.report") / "schema.json"


def of_the_types():
    """The schema of a document, with a head of its own."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA}
    return head | msgspec.json.schema(Document)


def text():
    return json.dumps(of_the_types(), indent=1) + "\n"


def closed():
    """The same where no key may be added, so that one that the types don't know is found."""
    schema = of_the_types()
    for part in schema["$defs"].values():
        part["additionalProperties"] = False
    return Draft202012Validator(schema)


def test_the_schema_in_the_package_is_that_of_the_types():
    """If not: ``python tests/test_schema.py``."""
    Draft202012Validator.check_schema(of_the_types())
    assert SHIPPED.read_text() == text()


@pytest.mark.parametrize("name", CASES)
def test_kept_documents_are_valid(name):
    document = stored(name)
    assert [error.message for error in closed().iter_errors(document)] == []
    of_its_types(document)


FAULTS = {
    "a key left out": lambda d: d["pairs"][0]["rows"][0].pop("se"),
    "a key too many": lambda d: d["contenders"][0].update(colour="red"),
    "a text for a number": lambda d: d["parameters"][0].update(mean="0.5"),
    "null where there has to be a number": lambda d: d["settings"].update(margin=None),
    "a verdict that there is not": lambda d: d.update(verdict="perhaps"),
    "a statistic that there is not": lambda d: d["pairs"][0]["rows"][0].update(statistic="median"),
    "another schema": lambda d: d.update(schema="bayescore.comparison/2"),
    "a list for a text": lambda d: d["problem"].update(source=["toy"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_of_the_types_is_refused(fault):
    document = copy.deepcopy(stored("chains"))
    FAULTS[fault](document)
    assert list(closed().iter_errors(document))
    with pytest.raises((msgspec.ValidationError, AssertionError)):
        of_its_types(document)


if __name__ == "__main__":
    SHIPPED.write_text(text())
