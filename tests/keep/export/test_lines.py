"""Exporting: what was logged comes back, whichever form its day is in."""

from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path

import orjson
import pytest
from drawn import LINES
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping import TODAY, add_late, ago, fill, lines, turn
from support import record, write_day

from tokenusage.errors import LogsError
from tokenusage.keep.export.choice import Choice
from tokenusage.keep.export.lines import Exported, export_lines
from tokenusage.keep.seal.day import seal
from tokenusage.read.forms import Plan
from tokenusage.read.judge import judge
from tokenusage.read.segments import LONGEST_LINE

DAY = date(2026, 11, 20)


def exported(
    logs: Path,
    first: date | None = None,
    last: date | None = None,
    then: Callable[[], object] = lambda: None,
    choice: Choice = Choice(),  # noqa: B008 - it is frozen
) -> tuple[bytes, Exported]:
    """Export what is chosen of the files of some days; call `then` after each write."""
    text: list[bytes] = []

    def write(some: bytes | memoryview) -> None:
        text.append(bytes(some))
        then()

    done = export_lines(logs, Plan(first, last, (), UTC, TODAY), choice, write)
    return b"".join(text), done


def jsonl(*days: date, count: int = 3) -> bytes:
    return b"".join(orjson.dumps(line) + b"\n" for day in days for line in lines(day, count))


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=6), st.sampled_from([b"", b"\n"]))
def test_what_was_logged_comes_back_sealed_or_not(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[bytes], end: bytes
) -> None:
    """Every line that a reader takes for a record, byte for byte; the others are counted."""
    logs = tmp_path_factory.mktemp("logs")
    path = logs / f"token_usage_{ago(9)}.jsonl"
    path.write_bytes(b"\n".join(drawn) + end)
    found = [judge(line, UTC) for line in path.read_bytes().split(b"\n") if line.strip()]
    wanted = b"".join(one.line + b"\n" for one in found if one.record is not None)
    for _form in ("raw", "sealed"):
        text, done = exported(logs)
        assert text == wanted
        assert done.records == sum(one.record is not None for one in found)
        assert done.rejected == sum(bool(one.piece) for one in found)
        seal(logs, ago(9), naive_zone=UTC)


def test_all_forms_come_out_in_order(tmp_path: Path) -> None:
    """Sealed days, log files, and in a day what is sealed before what came late."""
    logs = fill(tmp_path, ago(9), ago(2), TODAY)
    turn(logs, seal_after=3)
    add_late(logs, ago(9), 3)
    text, done = exported(logs)
    assert text == jsonl(ago(9), count=4) + jsonl(ago(2), TODAY)
    assert done.records == 10


def test_duplicates_come_out_as_often_as_they_were_logged(tmp_path: Path) -> None:
    """It gives back what was logged, not what counts."""
    line = record(id="twice")
    write_day(tmp_path, "2026-11-20", [line, line])
    assert exported(tmp_path)[0] == (orjson.dumps(line) + b"\n") * 2


def test_files_of_other_days_are_not_opened(tmp_path: Path) -> None:
    """They are told by their names."""
    logs = fill(tmp_path, ago(4), ago(3), ago(2))
    assert exported(logs, ago(3), ago(3))[0] == jsonl(ago(3))
    assert exported(logs, ago(3))[0] == jsonl(ago(3), ago(2))


def test_days_of_which_only_sums_are_left_are_named(tmp_path: Path) -> None:
    """What came late for such a day is there."""
    logs = fill(tmp_path, ago(9), ago(2))
    turn(logs, keep_days=5)
    add_late(logs, ago(9), 3)
    text, done = exported(logs)
    assert text == jsonl(ago(9), count=4).splitlines(keepends=True)[3] + jsonl(ago(2))
    assert done.summary_only == {ago(9)}


def test_line_in_flight_is_neither_a_record_nor_rejected(tmp_path: Path) -> None:
    """Until its day is over; a whole record without a newline is one."""
    for day, rejected in ((TODAY, 0), (ago(5), 1)):
        path = write_day(tmp_path, str(day), lines(day, 1))
        path.write_bytes(path.read_bytes() + b'{"timestamp":"2026')
        text, done = exported(tmp_path, day, day)
        assert (text, done.rejected) == (jsonl(day, count=1), rejected)
        path.write_bytes(jsonl(day, count=1)[:-1])
        assert exported(tmp_path, day, day)[0] == jsonl(day, count=1)


def test_endless_line_is_rejected(tmp_path: Path) -> None:
    """It is counted, and the line behind it is there."""
    endless = b"{" + b"x" * (LONGEST_LINE + 5)
    write_day(tmp_path, "2026-11-20", [*lines(DAY, 1), endless, *lines(DAY, 1)])
    text, done = exported(tmp_path)
    assert text == jsonl(DAY, DAY, count=1)
    assert done.rejected == 1


def test_sealed_day_without_records_has_its_rejected_lines_counted(tmp_path: Path) -> None:
    """They are left out in every form."""
    write_day(tmp_path, "2026-11-20", [b"x", b"y"])
    seal(tmp_path, DAY, naive_zone=UTC)
    text, done = exported(tmp_path)
    assert (text, done.rejected) == (b"", 2)


def test_day_that_is_sealed_before_its_turn_comes_out_sealed(tmp_path: Path) -> None:
    """A rotation beside it changes nothing of what comes out."""
    logs = fill(tmp_path, ago(9), ago(8))
    text, done = exported(logs, then=lambda: seal(logs, ago(8), naive_zone=UTC))
    assert text == jsonl(ago(9), ago(8))
    assert (done.records, done.rejected) == (6, 0)


def test_day_that_is_replaced_in_the_middle_is_said(tmp_path: Path) -> None:
    """Half of it was written already: only a new export can be whole."""
    logs = fill(tmp_path, ago(9))
    spill = logs / f"token_usage_{ago(9)}.host-1-a.jsonl"
    spill.write_bytes(jsonl(ago(9)))

    def replace() -> None:
        other = logs / "other"
        other.write_bytes(b"")
        other.replace(logs / f"token_usage_{ago(9)}.jsonl")

    with pytest.raises(LogsError, match=f"The files of {ago(9)} were replaced"):
        exported(logs, then=replace)


def test_day_that_is_sealed_while_it_is_written_is_said(tmp_path: Path) -> None:
    """A late file with the name of one that was sealed could have been taken for it."""
    logs = fill(tmp_path, ago(9))
    with pytest.raises(LogsError, match=f"The files of {ago(9)} were replaced"):
        exported(logs, then=lambda: seal(logs, ago(9), naive_zone=UTC))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_day(tmp_path: Path) -> None:
    """A day of 64 MB takes as much as one of 256 MB."""
    from writing import run_python

    code = """
        import resource, sys
        from datetime import UTC, date
        from pathlib import Path
        from tokenusage.keep.export.choice import Choice
        from tokenusage.keep.export.lines import export_lines
        from tokenusage.read.forms import Plan
        total = 0
        def write(text):
            global total
            total += len(text)
        plan = Plan(None, None, (), UTC, date(2026, 11, 22))
        export_lines(Path(sys.argv[1]), plan, Choice(), write)
        print(total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    """
    peaks = []
    for megabytes in (64, 256):
        logs = tmp_path / str(megabytes)
        some = jsonl(DAY, count=2000)
        path = write_day(logs, "2026-11-20", [])
        with path.open("wb") as file:
            for _ in range((megabytes << 20) // len(some)):
                file.write(some)
        total, peak = map(int, run_python(code, logs).split())
        assert total == path.stat().st_size
        peaks.append(peak)
    assert peaks[1] < peaks[0] * 1.3
