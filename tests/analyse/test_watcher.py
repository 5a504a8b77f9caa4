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


@pytest.mark.parametrize("who", [("ann", "bob"), ("bob", "ann")])
def test_replaced_file_is_read_anew_whatever_was_its_last_line(
    watcher: Watcher, tmp_path: Path, who: tuple[str, str]
) -> None:
    """Also where the last line is that of the user who was forgotten."""
    logs = tmp_path / "logs"
    append(logs, *(at(NOW, user_id=user) for user in who))
    assert calls(watcher.look(NOW)) == 2
    assert not watcher.look(NOW).anew
    done = run("forget", "--user", "ann", "--delete", "--logs", "logs", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    look = watcher.look(NOW)
    assert (look.anew, [row.keys for row in look.groups["user"].rows]) == (True, [("bob",)])
    assert calls(watcher.look(NOW)) == 1


def test_calls_that_came_meanwhile_are_new_after_a_new_beginning(
    watcher: Watcher, tmp_path: Path
) -> None:
    """So that what is new adds up to the calls, whoever is forgotten meanwhile."""
    path = append(tmp_path / "logs", at(NOW, user_id="gone"), at(NOW))
    watcher.look(NOW)
    later = NOW + timedelta(seconds=5)
    append(tmp_path / "rewritten", at(NOW), at(later)).replace(path)
    look = watcher.look(later)
    assert (calls(look), look.new.calls) == (2, 1)


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


def test_sealed_file_that_comes_or_is_replaced_is_read(tmp_path: Path) -> None:
    """Its records may never have been in a file that was followed."""
    logs, sealed, now = tmp_path / "logs", tmp_path / "sealed", NOW.replace(hour=0)
    append(sealed, at(now - timedelta(minutes=5)), b"torn", day="2026-11-21")
    append(sealed, at(now - timedelta(minutes=5), user_id="gone"), day="2026-11-21")
    rotate = ("rotate", "--logs", "sealed", "--seal-after", "0")
    done = run(*rotate, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    logs.mkdir()
    with Watcher(logs, Filters(), HOUR, naive_zone=UTC) as watcher:
        assert calls(watcher.look(now)) == 0
        (sealed / "token_usage_2026-11-21.parquet").rename(logs / "token_usage_2026-11-21.parquet")
        look = watcher.look(now)
        assert calls(look) == 2
        assert (look.ledger.lines, look.ledger.rejected) == (3, 1)
        done = run("forget", "--user", "gone", "--delete", "--logs", "logs", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert calls(watcher.look(now)) == 1


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
