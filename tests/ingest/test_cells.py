from io import BytesIO

from tokenusage.ingest.cells import CellRow, read_cells
from tokenusage.ingest.lines import read_lines


def cells(data: bytes) -> list[CellRow]:
    return list(read_cells(read_lines(BytesIO(data)), ","))


def test_quoted_cells() -> None:
    """Quotes protect commas, newlines and doubled quotes; inside a bare cell they are text."""
    (row,) = cells(b'"a,\n""b""",5" disk\n')
    assert row == CellRow(1, b'"a,\n""b""",5" disk\n', ['a,\n"b"', '5" disk'])


def test_an_open_quote_costs_one_row() -> None:
    """The lines that an unclosed quote swallowed are read again as rows of their own."""
    rows = cells(b'1,"open\n2,x\n3,"y"\n4,z')
    assert [row.line for row in rows] == [1, 2, 3, 4]
    assert rows[0].fault.startswith("is not CSV: ")
    assert [row.cells for row in rows[1:]] == [["2", "x"], ["3", "y"], ["4", "z"]]


def test_bad_utf8_inside_a_quoted_cell() -> None:
    """A row with a line that is no text is a fault as a whole."""
    first, second = cells(b'1,"a\n\xff\nb"\n2,c\n')
    assert (first.line, first.fault) == (1, "is not UTF-8")
    assert second.cells == ["2", "c"]
