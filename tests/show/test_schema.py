import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tokenusage.errors import WrongUseError
from tokenusage.record import BASE_FIELDS, FIELDS
from tokenusage.show.schema import Title, render_titles, schema_names, schema_text, titles

PACKAGE = Path(__file__).parents[2] / "tokenusage"
PRINTED = re.compile(r'^SCHEMA\w*: Final = "(tokenusage\.([a-z]+)/[0-9]+)"$', re.MULTILINE)


def schema(name: str) -> dict[str, Any]:
    """Return a schema."""
    document: dict[str, Any] = json.loads(schema_text(name))
    return document


def objects(part: Any) -> list[dict[str, Any]]:
    """Return every part of a schema that describes an object with named keys."""
    below = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    own = [part] if isinstance(part, dict) and "additionalProperties" in part else []
    return own + [found for item in below for found in objects(item)]


@pytest.mark.parametrize("name", schema_names())
def test_every_schema_is_a_valid_one_with_a_title(name: str) -> None:
    """Of draft 2020-12, as it says."""
    document = schema(name)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["title"]
    assert document["description"]


@pytest.mark.parametrize("name", ["doctor", "price", "top"])
def test_these_documents_have_no_key_that_may_be_missing(name: str) -> None:
    """A key that a schema names is always there; others are errors."""
    for part in objects(schema(name)):
        if part["additionalProperties"] is False:
            assert set(part["required"]) == set(part["properties"])


def test_every_document_that_is_printed_has_its_schema() -> None:
    """Name and number are those of the code, and no schema is of nothing."""
    sources = (path.read_text() for path in PACKAGE.rglob("*.py"))
    printed = {found[2]: found[1] for source in sources for found in PRINTED.finditer(source)}
    assert {"report", "doctor", "price", "top"} <= set(printed)
    of_documents = {row.name: row.document for row in titles() if row.document}
    assert of_documents == printed


def test_a_log_line_has_the_fields_of_the_record() -> None:
    """The base fields are required, unknown ones allowed."""
    document = schema("record")
    assert tuple(document["properties"]) == FIELDS
    assert tuple(document["required"]) == BASE_FIELDS
    assert document["additionalProperties"] is True


def test_an_unknown_name_gets_the_nearest() -> None:
    """Nothing but a name is opened."""
    with pytest.raises(WrongUseError, match="Did you mean doctor"):
        schema_text("docter")
    with pytest.raises(WrongUseError):
        schema_text("../schemas/doctor")


def test_long_titles_are_wrapped_below_themselves() -> None:
    """No line is wider than the terminal."""
    rows = [Title("a", "tokenusage.a/1", "of what is long " * 8), Title("record", "", "A line")]
    text = render_titles(rows, 60)
    assert max(map(len, text.splitlines())) <= 60
    assert text.splitlines()[1] == "a       tokenusage.a/1  of what is long of what is long of"
    assert text.splitlines()[-1] == "record                  A line"
