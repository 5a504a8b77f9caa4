"""Where a person is named in what is no record."""

from typing import Literal
from unicodedata import normalize

import pytest

from tokenusage.keep.forget.naming import names_any
from tokenusage.record import FIELDS

EMAILS = frozenset({"ann@example.com"})


def named(user: str, piece: bytes) -> bool:
    """Return whether a user is named in a line, which is the same however it is cut."""
    found = names_any([piece], user, EMAILS)
    padded = [b"{" * 4000, *(piece[at : at + 1] for at in range(len(piece))), b"}" * 4000]
    assert names_any(padded, user, EMAILS) is found
    return found


@pytest.mark.parametrize(
    "piece",
    [
        b'{"timestamp":"2026-11-20T12:00:00+00:00","user_id":"ann","oper',
        b'{"user_id" : "ann"',
        b"{'user_id': 'ann', ",
        b"user_id=ann failed",
        b'\xff\x00{"name":"ann"}',
        b'{"name":"\\u0061nn"}',
        b'"query":"mail ann@example.com',
        b'"query":"mail:\\nann\\u0040example.com.',
    ],
)
def test_short_id_counts_as_the_user_or_as_a_string(piece: bytes) -> None:
    """And the address anywhere, however it is escaped."""
    assert named("ann", piece)


@pytest.mark.parametrize(
    "piece",
    [
        b'{"user_id":"anna","query":"ann and bob"}',
        b'{"user_id":"an',
        b'{"user_id":"ann.lee","x":1',
        b'{"tags":{"ann":1, "ann" :2',
        b'{"query":"joann@example.com"}',
        b'{"query":"ann@example.co"}',
        b"null",
        b"",
    ],
)
def test_short_id_is_no_word_no_key_and_no_part_of_another(piece: bytes) -> None:
    """A longer id, a word in a text and a name that was cut off are not they."""
    assert not named("ann", piece)


@pytest.mark.parametrize(
    "piece",
    [
        b'"error_message":"no quota left for m\xc3\xbcller',
        b"m\xc3\xbcller",
        b'"session_id":"m\xc3\xbcller-2026_7"',
        b'{"by":{"m\xc3\xbcller":1',
        '"query":"I am {}."'.format(normalize("NFD", "müller")).encode(),
        b'"query":"I am\\nm\\u00fcller',
        b'"query":"I am mu\\u0308ller"',
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_distinctive_id_counts_as_a_whole_word(piece: bytes, form: Literal["NFC", "NFD"]) -> None:
    """In any text, in either normal form of Unicode, with or without escapes."""
    assert named(normalize(form, "müller"), piece)


@pytest.mark.parametrize("piece", ["müllers", "7müller", "umüller", "müllerß", "Müller", "mülle"])
def test_distinctive_id_is_no_part_of_a_word(piece: str) -> None:
    """Letters and digits beside it make it another one."""
    assert not named("müller", f'"query":"{piece}"'.encode())


@pytest.mark.parametrize("user", FIELDS)
def test_key_of_a_record_names_nobody(user: str) -> None:
    """Every damaged line has them; as a value they count like any other name."""
    assert not named(user, f'{{"{user}":1, "{user}" : 2, \'{user}\': "x", "y":"z'.encode())
    assert not named(user, f'"query":"{{\\"{user}\\":1}}"'.encode())
    assert named(user, f'{{"user_id":"{user}","prompt'.encode())


@pytest.mark.parametrize("user", ["user", "cost", "model", "tokens", "time"])
def test_part_of_a_key_names_nobody(user: str) -> None:
    """Though no letter stands beside it."""
    assert not named(user, ",".join(f'"{field}":1' for field in FIELDS).encode())


def test_number_is_the_whole_number_and_of_the_user() -> None:
    """User 1234 is not 12345, not 1234.5, and no count of tokens."""
    for piece in (b'"user_id":1234,', b'"user_id":1234', b'"x":"1234"'):
        assert named("1234", piece)
    for piece in (b'"user_id":12345,', b'"user_id":1234.5,', b'"prompt_tokens":1234,'):
        assert not named("1234", piece)


def test_null_is_nobody_unless_it_is_quoted() -> None:
    """As the value of a field it is in most lines."""
    assert not named("null", b'{"user_id":null,"query":null')
    assert not named("null", b"user_id=null")
    assert named("null", b'{"user_id":"null","query":null')
    assert named("true", b'{"user_id":true,"success":false')
    assert not named("true", b'{"user_id":"bob","success":true')
