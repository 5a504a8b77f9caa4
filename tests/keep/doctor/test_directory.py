"""The directory itself, looked at."""

import os
from pathlib import Path

import pytest
from doctoring import MAY_DO_EVERYTHING, fill, found, tidy
from keeping import TODAY, ago

from tokenusage.keep.doctor.directory import check_disk, check_file_system
from tokenusage.keep.doctor.finding import Weight


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory that has nothing wrong with it."""
    return tidy(fill(tmp_path / "logs", TODAY))


def test_missing_directory_is_wrong_and_can_be_made(tmp_path: Path) -> None:
    """It is the only thing that is said then."""
    assert list(found(tmp_path / "logs")) == ["directory-missing"]
    assert found(tmp_path / "logs")["directory-missing"].fixable
    assert not (tmp_path / "logs").exists()


def test_file_in_place_of_the_directory_is_wrong(tmp_path: Path) -> None:
    """Nothing mends that."""
    (tmp_path / "logs").write_text("")
    (finding,) = found(tmp_path / "logs").values()
    assert (finding.check, finding.weight, finding.fixable) == (
        "directory-unreadable",
        Weight.WRONG,
        False,
    )


def test_link_that_leads_nowhere_is_said_to_be_one(tmp_path: Path) -> None:
    """A directory can't be made at its name."""
    (tmp_path / "logs").symlink_to("/nowhere")
    (finding,) = found(tmp_path / "logs").values()
    assert (finding.check, finding.fixable) == ("directory-missing", False)
    assert "leads nowhere: to '/nowhere'" in finding.what


def test_directory_that_anybody_can_write_to_is_wrong(logs: Path) -> None:
    """Whoever can write to it can remove records."""
    logs.chmod(0o777)
    finding = found(logs)["permissions"]
    assert (finding.weight, finding.fixable) == (Weight.WRONG, True)
    assert finding.where == ("the directory: 0777 → 0700",)


def test_file_that_others_can_read_is_a_warning(logs: Path) -> None:
    """Unless file_mode says that they may."""
    path = logs / f"token_usage_{TODAY}.jsonl"
    path.chmod(0o640)
    finding = found(logs)["permissions"]
    assert finding.weight is Weight.WARNING
    assert finding.where == (f"{path.name}: 0640 → 0600",)
    assert "permissions" not in found(logs, file_mode=0o640)


def test_file_that_a_team_can_not_read_is_a_warning(logs: Path) -> None:
    """The configuration lets them in."""
    where = found(logs, file_mode=0o640)["permissions"].where
    assert where == (f"token_usage_{TODAY}.jsonl: 0600 → 0640",)


def test_set_group_id_of_a_directory_is_nobodys_business(logs: Path) -> None:
    """A team's directory gives its group to the files in it."""
    logs.chmod(0o2700)
    assert found(logs) == {}


@pytest.mark.skipif(MAY_DO_EVERYTHING, reason="root may do everything")
def test_what_this_user_may_not_do_is_wrong(logs: Path) -> None:
    """Neither write to the directory, nor read a file, nor append to one that is open."""
    next(logs.iterdir()).chmod(0o000)
    logs.chmod(0o500)
    assert {"not-writable", "not-readable"} <= found(logs).keys()


@pytest.mark.parametrize("kind", ["symlink", "fifo", "directory"])
def test_what_is_no_regular_file_is_wrong(logs: Path, kind: str) -> None:
    """It is named, and nobody opens it."""
    path = logs / f"token_usage_{ago(1)}.jsonl"
    if kind == "symlink":
        path.symlink_to("/dev/zero")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    finding = found(logs)["not-read"]
    assert finding.weight is Weight.WRONG
    assert finding.where[0].startswith(path.name)


def test_hard_link_is_wrong(logs: Path, tmp_path: Path) -> None:
    """A logger refuses to append to it."""
    os.link(logs / f"token_usage_{TODAY}.jsonl", tmp_path / "elsewhere")
    assert found(logs)["hard-links"].where == (f"token_usage_{TODAY}.jsonl",)


@pytest.mark.parametrize(
    "name",
    [
        f"token_usage_{TODAY}.jsonl.1",
        f"token_usage_{TODAY}.jsonl.gz",
        "token_usage_2026-13-01.jsonl",
        f"rejected_{TODAY}.jsonl.bak",
        f"summary_{TODAY}.parquet",
        "summary_2026.parquet",
        "details_2026.parquet",
    ],
)
def test_file_that_no_reader_looks_at_is_a_warning(logs: Path, name: str) -> None:
    """Whoever has renamed or compressed it does not know that its records count no more."""
    (logs / name).touch()
    finding = found(logs)["unread-files"]
    assert (finding.weight, finding.where) == (Weight.WARNING, (name,))


def test_rejected_lines_behind_a_link_are_a_warning(logs: Path) -> None:
    """A file of the right name and kind is none."""
    (logs / f"rejected_{ago(2)}.jsonl").touch(0o600)
    assert found(logs) == {}
    (logs / f"rejected_{ago(1)}.jsonl").symlink_to("/dev/zero")
    os.mkfifo(logs / f"rejected_{TODAY}.jsonl")
    finding = found(logs)["unread-files"]
    assert [where.split()[0] for where in finding.where] == [
        f"rejected_{ago(1)}.jsonl",
        f"rejected_{TODAY}.jsonl",
    ]
    assert "permissions" not in found(logs)


def test_leftovers_are_noted(logs: Path) -> None:
    """They are known by their name."""
    (logs / ".tokenusage-1f.tmp").touch(0o600)
    assert found(logs)["leftovers"].where == (".tokenusage-1f.tmp",)


@pytest.mark.parametrize("name", ["summary_2026-11.parquet", f"token_usage_{ago(3)}.parquet"])
def test_damaged_parquet_file_is_wrong(logs: Path, name: str) -> None:
    """Figures are without it."""
    (logs / name).write_bytes(b"PAR1 but no more")
    (logs / name).chmod(0o600)
    assert found(logs)["not-read"].where[0].startswith(name)


def test_file_system_without_locks_is_a_warning() -> None:
    """Logging works there, with a file for each process."""
    (finding,) = check_file_system(has_locks=False)
    assert finding.weight is Weight.WARNING
    assert check_file_system(has_locks=True) == []


@pytest.mark.parametrize(
    ("free", "largest", "weight"),
    [
        (10**12, 10**6, None),
        (9 * 10**8, 0, Weight.WARNING),
        (9 * 10**7, 0, Weight.WRONG),
        (5 * 10**10, 10**10, Weight.WARNING),
        (5 * 10**9, 10**10, Weight.WRONG),
    ],
)
def test_room_on_the_disk_is_held_against_the_largest_day(
    free: int, largest: int, weight: Weight | None
) -> None:
    """A week of such days is enough, less than one is none."""
    assert [finding.weight for finding in check_disk(free, largest)] == [weight] * bool(weight)
