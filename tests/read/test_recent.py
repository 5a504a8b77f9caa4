"""Reading the newest records first."""

from datetime import UTC, date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealing import seal_day
from support import record, write_day

from tokenusage.read.duplicates import start_of
from tokenusage.read.forms import Plan
from tokenusage.read.recent import Recent
from tokenusage.read.scan import Scan
from tokenusage.read.segments import ListingChangedError

TODAY = date(2026, 11, 22)
DAY = date(2026, 11, 20)
MIDNIGHT = start_of(DAY)


def at(second: float, day: date = DAY, **fields: Any) -> dict[str, Any]:
    """Return a record of so many seconds after midnight."""
    hours, rest = divmod(second, 3600)
    return record(f"{day}T{int(hours):02}:{int(rest // 60):02}:{rest % 60:09.6f}Z", **fields)


def scan_of(logs: Path) -> Scan:
    return Scan(logs, Plan(None, None, (), UTC, TODAY), ahead=1)


def seconds(table: pa.Table) -> list[float]:
    """Return when records ended, in seconds after midnight."""
    return [(time - MIDNIGHT) / 1e6 for time in table["time"].to_pylist()]


def test_the_end_of_the_newest_file_is_read_first(tmp_path: Path) -> None:
    """Two pieces are read, and what lies before them stays on the disk."""
    write_day(tmp_path, str(DAY), [at(second) for second in range(1000)])
    write_day(tmp_path, str(DAY - timedelta(days=1)), [at(1, DAY - timedelta(days=1))])
    with scan_of(tmp_path) as scan:
        recent = Recent(scan, None, None, size=3000)
        recent.read_on()
        table, ledger = recent.gathered()
    assert seconds(table) == list(map(float, range(1000 - len(table), 1000)))
    assert 10 < len(table) < 100
    assert (ledger.files, ledger.records, ledger.lines) == (1, len(table), len(table))
    assert not recent.is_whole


def test_the_last_piece_is_the_margin(tmp_path: Path) -> None:
    """Nothing counts as read down to a time within the piece that was read last."""
    write_day(tmp_path, str(DAY), [at(second) for second in range(1000)])
    with scan_of(tmp_path) as scan:
        recent = Recent(scan, None, None, size=3000)
        tables = recent.read_on()
    assert recent.frontier == max(tables[-1]["time"].to_pylist())
    assert recent.frontier < min(tables[0]["time"].to_pylist())


def test_unread_records_are_estimated(tmp_path: Path) -> None:
    """From the length of the lines that were read and the time that is left of the period."""
    write_day(tmp_path, str(DAY), [at(second * 86) for second in range(1000)])
    with scan_of(tmp_path) as scan:
        recent = Recent(scan, None, None, size=3000)
        read = sum(map(len, recent.read_on()))
        assert recent.unread() == pytest.approx(1000 - read, rel=0.05)
        recent = Recent(scan, MIDNIGHT + 43_200_000_000, None, size=3000)
        read = sum(map(len, recent.read_on()))
        assert recent.unread() == pytest.approx(500 - read, rel=0.05)


def test_reading_ends_where_the_period_begins(tmp_path: Path) -> None:
    """What is older is not read."""
    write_day(tmp_path, str(DAY), [at(second) for second in range(1000)])
    with scan_of(tmp_path) as scan:
        recent = Recent(scan, MIDNIGHT + 950_000_000, None, size=3000)
        while recent.frontier is not None:
            recent.read_on()
        table, ledger = recent.gathered()
    assert seconds(table) == list(map(float, range(950, 1000)))
    assert ledger.records + ledger.outside == ledger.lines < 500


def test_files_of_one_day_are_read_side_by_side(tmp_path: Path) -> None:
    """The one with the newest unread record is next, and each id counts once."""
    write_day(tmp_path, str(DAY), [at(n, id=f"a{n}") for n in range(0, 1000, 2)])
    spilled = [at(n, id=f"b{n}") for n in range(1, 1000, 2)]
    write_day(tmp_path, f"{DAY}.host-7-abc", [*spilled, spilled[-1]])
    with scan_of(tmp_path) as scan:
        recent = Recent(scan, None, None, size=3000)
        while recent.frontier is None or recent.frontier > MIDNIGHT + 900_000_000:
            recent.read_on()
        table, ledger = recent.gathered()
    newest = sorted(second for second in seconds(table) if second >= 900)
    assert newest == list(map(float, range(900, 1000)))
    assert ledger.duplicates == 1


def test_rejected_lines_keep_their_numbers(tmp_path: Path) -> None:
    """Lines before what was read are counted, where somebody has to find one behind them."""
    lines: list[Any] = [at(second) for second in range(1000)]
    lines[990] = b"oops"
    write_day(tmp_path, str(DAY), lines)
    with scan_of(tmp_path) as scan:
        recent = Recent(scan, None, None, size=3000)
        recent.read_on()
        _, ledger = recent.gathered()
    assert [(one.line, one.reason) for one in ledger.rejections] == [(991, "is not JSON")]
    assert ledger.lines == ledger.records + 1


def test_a_line_in_flight_is_left_alone(tmp_path: Path) -> None:
    """An unterminated last line of today counts when it is whole, and is nobody's fault else."""
    path = write_day(tmp_path, str(TODAY), [at(1, TODAY), at(2, TODAY)])
    path.write_bytes(path.read_bytes() + orjson.dumps(at(3, TODAY))[:-1])
    with scan_of(tmp_path) as scan:
        recent = Recent(scan, None, None)
        recent.read_on()
        _, ledger = recent.gathered()
    assert (ledger.records, ledger.rejected, recent.is_whole) == (2, 0, True)


def test_a_sealed_day_is_read_from_its_last_rows(tmp_path: Path) -> None:
    """Row groups are its pieces; when all were read its whole account is there."""
    write_day(tmp_path, str(DAY), [*(at(n) for n in range(100)), b"oops"])
    seal_day(tmp_path)
    with scan_of(tmp_path) as scan:
        recent = Recent(scan, None, None)
        while recent.frontier is not None:
            recent.read_on()
        table, ledger = recent.gathered()
    assert len(table) == 100
    assert (ledger.records, ledger.rejected, ledger.lines) == (100, 1, 101)


@pytest.mark.slow
def test_old_row_groups_of_a_sealed_day_are_not_read(tmp_path: Path) -> None:
    """Its account is then of the rows that were read."""
    write_day(tmp_path, str(DAY), [at(n, query="x" * 2000) for n in range(60_000)])
    seal_day(tmp_path)
    with scan_of(tmp_path) as scan:
        assert len(scan.forms.pieces) > 2
        recent = Recent(scan, None, None)
        read = sum(map(len, recent.read_on()))
        table, ledger = recent.gathered()
        assert recent.unread() + read == 60_000
    assert max(seconds(table)) == 59_999
    assert (ledger.records, ledger.lines, recent.is_whole) == (read, read, False)


def test_a_changed_directory_is_noticed(tmp_path: Path) -> None:
    """Records that were sealed meanwhile would be read twice, or not at all."""
    write_day(tmp_path, str(DAY), [at(1)])
    with scan_of(tmp_path) as scan:
        recent = Recent(scan, None, None)
        recent.read_on()
        seal_day(tmp_path)
        with pytest.raises(ListingChangedError):
            recent.gathered()


@pytest.mark.slow
@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 86_399)), min_size=1, max_size=80),
    st.integers(200, 3000),
)
def test_nothing_newer_than_the_frontier_is_missing(
    calls: list[tuple[int, int]], size: int
) -> None:
    """Of files in order of time, at every step, however they are cut."""
    with TemporaryDirectory() as folder:
        names = [str(DAY), f"{DAY}.spill", str(DAY + timedelta(days=1)), str(TODAY)]
        days = [DAY, DAY, DAY + timedelta(days=1), TODAY]
        for place in range(4):
            times = sorted(second for file, second in calls if file == place)
            write_day(Path(folder), names[place], [at(n, days[place]) for n in times])
        known = sorted((days[file] - DAY).days * 86_400 + second for file, second in calls)
        with scan_of(Path(folder)) as scan:
            recent = Recent(scan, None, None, size)
            while (frontier := recent.frontier) is not None:
                newest = [n for n in known if MIDNIGHT + n * 10**6 > frontier]
                read = sorted(seconds(recent.gathered()[0]))
                assert read[len(read) - len(newest) :] == newest
                recent.read_on()
            assert sorted(seconds(recent.gathered()[0])) == known
