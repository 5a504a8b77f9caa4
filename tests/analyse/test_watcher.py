from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from watching import HOUR, NOW, append, at, calls

from tokenusage.analyse.query import Filters
from tokenusage.analyse.watcher import Watcher
from tokenusage.analyse.window import BUCKETS


def test_calls_come_and_go(watcher: Watcher, tmp_path: Path) -> None:
    """A call counts from when it was written until its bucket has left the window."""
    append(tmp_path / "logs", at(NOW - 2 * HOUR), at(NOW))
    first = watcher.look(NOW)
    assert (calls(first), first.new.calls, first.ledger.outside) == (1, 0, 1)
    append(tmp_path / "logs", at(NOW + timedelta(seconds=5), cost_estimate=None))
    second = watcher.look(NOW + timedelta(seconds=5))
    assert (calls(second), second.new.calls, second.totals.unpriced) == (2, 1, 1)
    assert (second.minute.calls, second.totals.cost_pico) == (2, 10**9)
    assert calls(watcher.look(NOW + HOUR)) == 2
    assert calls(watcher.look(NOW + HOUR + timedelta(minutes=1))) == 0


def test_window_begins_where_it_says(watcher: Watcher, tmp_path: Path) -> None:
    """At the start of its oldest bucket, at most a sixtieth before what was asked for."""
    start = watcher.look(NOW).start
    assert HOUR <= NOW - start < HOUR + HOUR / BUCKETS
    append(tmp_path / "logs", at(start), at(start - timedelta(microseconds=1)))
    assert calls(watcher.look(NOW)) == 1


def test_directory_that_is_not_there_yet(watcher: Watcher, tmp_path: Path) -> None:
    """Is waited for."""
    assert calls(watcher.look(NOW)) == 0
    append(tmp_path / "logs", at(NOW))
    assert watcher.look(NOW).new.calls == 1


def test_midnight_is_another_file(watcher: Watcher, tmp_path: Path) -> None:
    """Both days are in the window."""
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    append(tmp_path / "logs", at(midnight - timedelta(seconds=1)))
    watcher.look(midnight - timedelta(seconds=1))
    append(tmp_path / "logs", at(midnight - timedelta(microseconds=1)))
    append(tmp_path / "logs", at(midnight), day="2026-11-23")
    assert calls(watcher.look(midnight + timedelta(seconds=1))) == 3


def test_torn_line_waits_for_its_end(watcher: Watcher, tmp_path: Path) -> None:
    """It counts once, when it is whole."""
    line = orjson.dumps(at(NOW))
    path = append(tmp_path / "logs", at(NOW))
    for piece, expected in ((line[:50], 1), (line[50:], 1), (b"\n", 2)):
        with path.open("ab") as file:
            file.write(piece)
        assert calls(watcher.look(NOW)) == expected


def test_clock_that_is_put_right_is_followed(watcher: Watcher, tmp_path: Path) -> None:
    """After a wrong hour the window is at the present again."""
    append(tmp_path / "logs", at(NOW))
    assert calls(watcher.look(NOW + timedelta(days=1))) == 0
    assert calls(watcher.look(NOW)) == 1
    append(tmp_path / "logs", at(NOW))
    look = watcher.look(NOW + timedelta(seconds=5))
    assert (calls(look), look.ledger.outside) == (2, 0)


@pytest.mark.parametrize("span", [HOUR / 60, HOUR])
@pytest.mark.parametrize("ahead", [3, 150])
def test_writer_whose_clock_is_ahead_loses_nothing(
    tmp_path: Path, span: timedelta, ahead: int
) -> None:
    """Its calls count when the present has come to them, in the last minute as well."""
    append(tmp_path / "logs", at(NOW + timedelta(seconds=ahead)))
    with Watcher(tmp_path / "logs", Filters(), span, naive_zone=UTC) as watcher:
        assert calls(watcher.look(NOW)) == 0
        look = watcher.look(NOW + timedelta(seconds=ahead))
    assert (calls(look), look.new.calls, look.minute.calls, look.ledger.outside) == (1, 1, 1, 0)


def test_repeat_of_a_call_before_the_window_is_one(watcher: Watcher, tmp_path: Path) -> None:
    """The first one counts, as in a report."""
    append(tmp_path / "logs", at(NOW - 2 * HOUR, id="a"), at(NOW, id="a"))
    look = watcher.look(NOW)
    assert (calls(look), look.ledger.outside, look.ledger.duplicates) == (0, 1, 1)


def test_ledger_is_of_one_time(watcher: Watcher, tmp_path: Path) -> None:
    """What has left the window stays in it; the last calls are those of the window."""
    append(tmp_path / "logs", at(NOW, cost_estimate=None))
    first = watcher.look(NOW)
    look = watcher.look(NOW + 2 * HOUR)
    assert (calls(look), look.last, look.unpriced, look.ledger.records) == (0, (), 1, 1)
    assert look.since == first.start


def test_what_can_not_be_read_is_named(watcher: Watcher, tmp_path: Path) -> None:
    """A directory that is not there yet, and a link in the place of a file."""
    (refused,) = watcher.look(NOW).ledger.refused
    assert "there is no directory" in refused
    append(tmp_path / "logs", at(NOW))
    (tmp_path / "logs" / "token_usage_2026-11-22.x.jsonl").symlink_to(tmp_path)
    look = watcher.look(NOW)
    assert calls(look) == 1
    assert look.ledger.refused == [
        "token_usage_2026-11-22.x.jsonl is not a regular file and was not read"
    ]


def test_ids_filters_and_rejected_lines_are_accounted_for(tmp_path: Path) -> None:
    """Every line is somewhere, at the start and later."""
    lines: list[dict[str, Any] | bytes] = [
        at(NOW, id="a"),
        at(NOW, id="a"),
        at(NOW, model_name="claude"),
        b"torn",
        b"",
    ]
    filters = Filters(model=("gpt*",))
    with Watcher(tmp_path / "logs", filters, HOUR, naive_zone=UTC) as watcher:
        append(tmp_path / "logs", *lines)
        watcher.look(NOW)
        append(tmp_path / "logs", *lines)
        ledger = watcher.look(NOW).ledger
    assert (ledger.records, ledger.duplicates, ledger.filtered) == (1, 3, 2)
    assert (ledger.rejected, ledger.blank, ledger.lines) == (2, 2, 10)
    assert [item.line for item in ledger.rejections] == [4, 9]


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(-70, 1), st.sampled_from("ab"), st.floats(0, 10**6) | st.none()),
            max_size=5,
        ),
        max_size=4,
    )
)
def test_sums_are_exact_in_every_grouping(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[tuple[int, str, float | None]]],
) -> None:
    """Users, models and times each add up to the totals, beyond 64 bits."""
    logs = tmp_path_factory.mktemp("root") / "logs"
    with Watcher(logs, Filters(), HOUR, naive_zone=UTC) as watcher:
        look = watcher.look(NOW)
        for batch in batches:
            moments = [NOW + timedelta(minutes=minutes) for minutes, _, _ in batch]
            rows = zip(moments, batch, strict=True)
            append(logs, *(at(t, user_id=u, cost_estimate=c) for t, (_, u, c) in rows))
            look = watcher.look(NOW)
    held = [
        (user, cost)
        for batch in batches
        for minutes, user, cost in batch
        if look.start <= NOW + timedelta(minutes=minutes) < NOW + timedelta(seconds=30)
    ]
    assert look.totals.calls == len(held)
    assert look.totals.unpriced == sum(cost is None for _, cost in held)
    exact = sum(round(cost * 10**12) for _, cost in held if cost is not None)
    assert abs(look.totals.cost_pico - exact) <= 10**3 * len(held)
    for groups in look.groups.values():
        assert sum(row.figures.cost_pico for row in groups.rows) == look.totals.cost_pico
    assert sum(bucket.figures.calls for bucket in look.course) == len(held)
