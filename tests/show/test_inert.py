import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import HOSTILE

from tokenusage.show.inert import escape_markdown, inert, inert_csv, inert_json, inert_name


@given(st.text())
def test_nothing_that_acts_on_a_terminal_is_left(text: str) -> None:
    """No control, format, separator, surrogate or unassigned character comes through."""
    assert not {unicodedata.category(character) for character in inert(text)} & {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    }


@given(st.text())
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    """Printable text of any script is not touched."""
    if text.isprintable():
        assert inert(text) == text


def test_what_is_dangerous_shows_as_an_escape() -> None:
    """The reader sees that there was something, and what."""
    assert inert("a\x1b[31m\n\u202e\x9b\ud800") == "a\\x1b[31m\\n\\u202e\\x9b\\ud800"


@pytest.mark.parametrize("name", ["", " ", " a", "b "])
def test_a_name_with_blanks_around_it_is_seen(name: str) -> None:
    """In quotes: without them it would be another name, or none."""
    assert inert_name(name) == f'"{name}"'
    assert inert_name("a b") == "a b"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_is_no_formula(start: str) -> None:
    """A leading apostrophe turns what a spreadsheet would compute into text."""
    assert inert_csv(f"{start}1+1").startswith("'")
    assert inert_csv(f"a{start}1") == inert(f"a{start}1")


def test_markdown_has_no_markup_left() -> None:
    """Pipes don't open a cell, brackets no link, angles no tag."""
    assert escape_markdown("a|b [x](y) <i> `c` *d*") == (r"a\|b \[x\](y) \<i\> \`c\` \*d\*")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("__init__", r"\_\_init\_\_"),
        ("_system_ rag_answer", r"\_system\_ rag_answer"),
        ("https://a.b and www.c.d", r"https\://a.b and www\.c.d"),
        ("ask @octocat, a@b.org", "ask @&#8203;octocat, a@b.org"),
    ],
)
def test_markdown_makes_nothing_of_names(text: str, escaped: str) -> None:
    """Nothing is set in italics, becomes a link or calls somebody."""
    assert escape_markdown(text) == escaped


@given(st.text() | st.just(HOSTILE))
def test_json_says_the_same_with_escapes(text: str) -> None:
    """The document decodes to what it was, and holds only printable characters."""
    document = json.dumps({"name": text}, ensure_ascii=False)
    shown = inert_json(document)
    assert json.loads(shown) == {"name": text}
    assert shown.isprintable()
