"""What happens to the files under a watch."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from support import run
from watching import HOUR, NOW, append, at, calls

from tokenusage.analyse.query import Filters
from tokenusage.analyse.watcher import Watcher


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
