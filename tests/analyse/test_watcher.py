from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import record, run

from tokenusage.analyse.query import Filters
from tokenusage.analyse.watcher import Watcher
from tokenusage.analyse.window import BUCKETS, Look

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Watcher]:
    """A watch over an hour."""
    with Watcher(tmp_path / "logs", Filters(), HOUR, naive_zone=UTC) as watcher:
        yield watcher


def append(logs: Path, *calls: dict[str, Any] | bytes, day: str = "2026-11-22") -> Path:
    logs.mkdir(exist_ok=True)
    path = logs / f"token_usage_{day}.jsonl"
    with path.open("ab") as file:
        file.writelines((x if isinstance(x, bytes) else orjson.dumps(x)) + b"\n" for x in calls)
    return path


def at(moment: datetime, **fields: Any) -> dict[str, Any]:
    return record(moment.isoformat(timespec="microseconds"), **fields)


def calls(look: Look) -> int:
    return look.totals.calls


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


def test_file_that_is_renamed_is_the_same(watcher: Watcher, tmp_path: Path) -> None:
    """Its lines are not read twice; what the new one has is read."""
    path = append(tmp_path / "logs", at(NOW))
    assert calls(watcher.look(NOW)) == 1
    with path.open("ab") as file:
        file.write(orjson.dumps(at(NOW)) + b"\n")
    path.rename(path.with_name("token_usage_2026-11-22.old.jsonl"))
    append(tmp_path / "logs", at(NOW, user_id=2))
    assert calls(watcher.look(NOW)) == 3


def test_last_lines_of_a_file_that_is_gone_are_read(watcher: Watcher, tmp_path: Path) -> None:
    """Also where a new one stands in its place."""
    path = append(tmp_path / "logs", at(NOW, user_id="before"))
    watcher.look(NOW)
    append(tmp_path / "logs", at(NOW, user_id="last"))
    path.rename(tmp_path / "away")
    append(tmp_path / "logs", at(NOW, user_id="new"))
    assert calls(watcher.look(NOW)) == 3
    assert calls(watcher.look(NOW)) == 3


def test_rewritten_file_is_read_anew(watcher: Watcher, tmp_path: Path) -> None:
    """As when a user was forgotten: nothing counts twice, nobody who is gone counts."""
    path = append(tmp_path / "logs", at(NOW, user_id="gone"), at(NOW, user_id="stays"))
    assert calls(watcher.look(NOW)) == 2
    rewritten = append(tmp_path / "new", at(NOW, user_id="stays"), at(NOW, user_id="late"))
    rewritten.replace(path)
    look = watcher.look(NOW)
    assert {row.keys[0] for row in look.groups["user"].rows} == {"stays", "late"}
    assert (calls(look), look.new.calls) == (2, 0)


def test_truncated_file_is_read_anew(watcher: Watcher, tmp_path: Path) -> None:
    """The window is what the directory holds then."""
    path = append(tmp_path / "logs", at(NOW), at(NOW))
    watcher.look(NOW)
    path.write_bytes(b"")
    append(tmp_path / "logs", at(NOW))
    assert calls(watcher.look(NOW)) == 1


def test_rotation_meanwhile_changes_nothing(tmp_path: Path) -> None:
    """A day is summarised, sealed and its file removed while it is in the window."""
    logs, midnight = tmp_path / "logs", datetime(2026, 11, 21, tzinfo=UTC)
    path = append(logs, at(midnight - timedelta(minutes=1)), day="2026-11-20")
    with Watcher(logs, Filters(), HOUR, naive_zone=UTC) as watcher:
        assert calls(watcher.look(midnight)) == 1
        append(logs, at(midnight - timedelta(seconds=5)), day="2026-11-20")
        (tmp_path / "tokenusage.toml").write_text("seal_after = 0\n")
        done = run("rotate", "--logs", "logs", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert not path.exists()
        assert calls(watcher.look(midnight + timedelta(seconds=5))) == 2
    with Watcher(logs, Filters(), HOUR, naive_zone=UTC) as watcher:
        assert calls(watcher.look(midnight)) == 2


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
