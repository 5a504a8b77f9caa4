import csv
import gzip
import io
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.ingest.lines import MAX_LINE
from tokenusage.ingest.source import BadRow, Row, Source, SourceError


def read(path: Path, data: bytes) -> tuple[list[Row], list[tuple[int, str]]]:
    """Return the rows of a file, and line and reason of what is none."""
    path.write_bytes(data)
    found = list(Source(path).rows())
    rows = [row for row in found if isinstance(row, Row)]
    return rows, [(row.line, row.reason) for row in found if isinstance(row, BadRow)]


def test_csv_as_programs_write_it(tmp_path: Path) -> None:
    """CRLF, a byte order mark, quoted newlines, empty cells and no final newline are read."""
    data = b'\xef\xbb\xbfa,b\r\n1,"x\r\ny"\r\n\r\n3,\r\n"4","5"'
    rows, bad = read(tmp_path / "calls.csv", data)
    assert [row.values for row in rows] == [
        {"a": "1", "b": "x\r\ny"},
        {"a": "3", "b": None},
        {"a": "4", "b": "5"},
    ]
    assert [row.line for row in rows] == [2, 5, 6]
    assert rows[0].raw == b'1,"x\r\ny"'
    assert not bad


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    """Commas, semicolons and tabs are told apart by the header."""
    data = f'time{delimiter}"tokens, in"{delimiter}user\n1{delimiter}2{delimiter}3\n'.encode()
    rows, _ = read(tmp_path / "calls.csv", data)
    assert rows[0].values == {"time": "1", "tokens, in": "2", "user": "3"}


def test_bad_csv_rows_cost_only_themselves(tmp_path: Path) -> None:
    """Ragged rows, bad UTF-8, over-long lines and open quotes are named; the rest is read."""
    data = b'a,b\n1\n2,\xff\n3,"open\n4,5\n' + b"x" * (MAX_LINE + 5) + b'\n6,"7\n'
    rows, bad = read(tmp_path / "calls.csv", data)
    assert [row.values["a"] for row in rows] == ["4"]
    assert [line for line, _ in bad] == [2, 3, 4, 6, 7]
    assert bad[0][1] == "has 1 cells where the header has 2"
    assert bad[1][1] == "is not UTF-8"
    assert "longer than" in bad[3][1]


def test_json_lines(tmp_path: Path) -> None:
    """Objects are rows; blank lines are none, and anything else is named with its line."""
    data = b'{"a": 1}\r\n\n[1]\n{"a": \n{"b": "\xff"}\nnull\n{"a": {"b": 2}}'
    rows, bad = read(tmp_path / "calls.jsonl", data)
    assert [row.values for row in rows] == [{"a": 1}, {"a": {"b": 2}}]
    assert [row.line for row in rows] == [1, 7]
    assert rows[0].raw == b'{"a": 1}'
    assert [line for line, _ in bad] == [3, 4, 5, 6]
    assert bad[0][1] == "is not a JSON object"


def test_hostile_json_is_rejected(tmp_path: Path) -> None:
    """Deep nesting, NaN, NUL bytes and half surrogates are rejected, not raised."""
    lines = [b"[" * 100_000, b'{"a": ' * 50_000, b'{"a": NaN}', b"\0", b'{"a": "\\ud800"}', b"}"]
    rows, bad = read(tmp_path / "calls.jsonl", b"\n".join(lines))
    assert not rows
    assert [line for line, _ in bad] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("data", "first"), [(b'\n{"a": "1"}\n', "1"), (b"a\n1\n", "1")])
def test_content_decides_where_the_name_does_not(tmp_path: Path, data: bytes, first: str) -> None:
    """A file without a telling name is JSON lines if it begins with an object, else CSV."""
    rows, _ = read(tmp_path / "calls.log", data)
    assert rows[0].values == {"a": first}


def test_position_reaches_the_size(tmp_path: Path) -> None:
    """After the last row as many bytes were read as the file has."""
    path = tmp_path / "calls.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n3")
    source = Source(path)
    assert (source.size, source.position) == (14, 0)
    list(source.rows())
    assert source.position == source.size


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [
        ("a.csv", b"a,b,a\n1,2,3\n", "names 'a' 2 times"),
        ("a.csv", b"\xff\xfea\x00,\x00b\x00", "is not UTF-8"),
        ("a.json", b'[\n{"a": 1}]', "is a JSON array"),
    ],
)
def test_files_that_cannot_be_rows(tmp_path: Path, name: str, data: bytes, part: str) -> None:
    """A header that names a column twice or is no text, and a JSON array, are refused whole."""
    with pytest.raises(SourceError, match=part):
        read(tmp_path / name, data)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a directory and a pipe are refused in a sentence, without waiting."""
    os.mkfifo(tmp_path / "pipe")
    for path, part in [("none", "No such file"), (".", "not a regular"), ("pipe", "not a reg")]:
        with pytest.raises(SourceError, match=part):
            Source(tmp_path / path)


@pytest.mark.parametrize("name", ["calls.csv.gz", "calls.jsonl.gz", "calls.csv"])
def test_a_compressed_bomb_is_refused_and_never_unpacked(tmp_path: Path, name: str) -> None:
    """A gzip file of 1,000 to 1, whatever it is called, costs a sentence and no memory."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"x" * (64 << 20)))
    assert path.stat().st_size < 70_000
    tracemalloc.start()
    with pytest.raises(SourceError, match="is not UTF-8"):
        Source(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    """Empty files of either kind are no error."""
    assert read(tmp_path / "a.csv", b"") == ([], [])
    assert read(tmp_path / "a.jsonl", b"") == ([], [])


@given(
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=8),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_csv_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]], end: str
) -> None:
    """Every row that the csv module writes is one row, whatever its cells hold."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b"), *cells])
    path = tmp_path_factory.mktemp("csv") / "calls.csv"
    rows, bad = read(path, text.getvalue().encode(errors="replace"))
    expected = [tuple(c.encode(errors="replace").decode() or None for c in row) for row in cells]
    assert [(row.values["a"], row.values["b"]) for row in rows] == expected
    assert not bad
    assert b"".join(row.raw + end.encode() for row in rows) == b"".join(
        text.getvalue().encode(errors="replace").partition(f'"b"{end}'.encode())[2:]
    )


@given(st.binary(max_size=200), st.sampled_from([".csv", ".jsonl", ".txt"]))
def test_any_bytes_are_rows_or_reasons(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    """No content raises anything but the one error for files that are no source."""
    path = tmp_path_factory.mktemp("bytes") / f"calls{suffix}"
    try:
        rows, _ = read(path, data)
    except SourceError:
        return
    assert all(row.raw in data for row in rows)
