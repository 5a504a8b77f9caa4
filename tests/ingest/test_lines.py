from io import BytesIO

from tokenusage.ingest.lines import MAX_LINE, Line, read_lines


def test_lines_say_where_they_end() -> None:
    """Only a line feed ends a line; the byte order mark belongs to none."""
    data = "\ufeffa\r\n\u2028b\n\nc".encode()
    assert list(read_lines(BytesIO(data))) == [
        Line(1, b"a\r\n", 6),
        Line(2, "\u2028b\n".encode(), 11),
        Line(3, b"\n", 12),
        Line(4, b"c", 13),
    ]


def test_a_line_that_is_too_long_is_a_fault_and_nothing_more() -> None:
    """It is passed over, however long it is, and the next line is whole."""
    data = b"x" * (2 * MAX_LINE) + b"y\nnext\n"
    long, after = read_lines(BytesIO(data))
    assert (long.number, long.raw, long.end) == (1, b"", 2 * MAX_LINE + 2)
    assert "longer than" in long.fault
    assert after == Line(2, b"next\n", len(data))
