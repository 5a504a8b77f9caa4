"""The log directory: names, dates, and what is refused."""

import os
from datetime import date
from pathlib import Path

import pytest

from tokenusage.errors import LogsError
from tokenusage.logs import day_file_name, day_of, is_ours, list_logs, parse_day


@pytest.mark.parametrize(
    "text",
    [
        "2025-W01-1",
        "20250101",
        "\u0662\u0660\u0662\u0665-\u0660\u0661-\u0660\u0661",
        "2025-02-29",
        "2025-1-1",
        "../x",
        "",
    ],
)
def test_only_canonical_dates_are_dates(text: str) -> None:
    """Other spellings that Python takes, and days that never were, are none."""
    assert parse_day(text) is None
    assert day_of(f"token_usage_{text}.jsonl") is None
    assert parse_day("2025-01-01\n") is None


def test_day_file_name_is_found_again() -> None:
    """What the writer names, the reader knows, leap days included."""
    assert day_of(day_file_name(date(2024, 2, 29))) == date(2024, 2, 29)


def test_everything_that_begins_like_a_day_belongs_to_it(tmp_path: Path) -> None:
    """Spill files and copies are read with their day, in order of name; the rest is not."""
    names = [
        "token_usage_2026-11-20.host-7-ab.jsonl",
        "token_usage_2026-11-20.jsonl",
        "token_usage_2026-11-20_old.jsonl",
    ]
    for name in [*names, "rejected_2026-11-20.jsonl", "token_usage_2026-11-20.jsonl.gz", "notes"]:
        (tmp_path / name).touch()
    listing = list_logs(tmp_path)
    assert [file.name for file in listing.raw] == names
    assert listing.refused == ()


def test_sealed_days_and_summaries_are_told_apart(tmp_path: Path) -> None:
    """Each kind of file is known by its exact name."""
    good = [
        "token_usage_2026-11-20.parquet",
        "summary_2026-11.parquet",
        "details_2026-11.parquet",
    ]
    for name in [*good, "token_usage_2026-11-20.host.parquet", "details_2026-13.parquet"]:
        (tmp_path / name).touch()
    listing = list_logs(tmp_path)
    assert [file.name for file in listing.parquet] == good
    assert listing.summaries[0].day == listing.details[0].day == date(2026, 11, 1)
    assert not listing.raw
    assert listing.in_use


def test_own_names_are_known() -> None:
    """Of days, sums, locks and unfinished files; not those that only look like them."""
    day = "2026-11-20"
    own = [f"token_usage_{day}.jsonl", f"token_usage_{day}.web-1.jsonl", f"rejected_{day}.jsonl"]
    own += [f"token_usage_{day}.parquet", "summary_2026-11.parquet", "details_2026-11.parquet"]
    assert all(map(is_ours, [*own, ".tokenusage.lock", ".tokenusage-1.tmp"]))
    other = [f"{name}.1" for name in own] + ["token_usage_2026-11.jsonl", "november.jsonl"]
    assert not any(map(is_ours, [*other, day, f"{day}.jsonl", "rejected_2026-11.jsonl"]))


def test_what_is_no_regular_file_is_refused_by_name(tmp_path: Path) -> None:
    """Symlinks, FIFOs and directories in a day's place are told, not followed."""
    (tmp_path / "token_usage_2026-11-01.jsonl").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "token_usage_2026-11-02.jsonl")
    (tmp_path / "token_usage_2026-11-03.jsonl").mkdir()
    listing = list_logs(tmp_path)
    assert not listing.raw
    assert [sentence[:28] for sentence in listing.refused] == [
        f"token_usage_2026-11-0{n}.jsonl" for n in (1, 2, 3)
    ]


def test_directory_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    """A missing directory and a file in its place are one sentence each."""
    with pytest.raises(LogsError, match="--logs"):
        list_logs(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(LogsError, match="is not a directory"):
        list_logs(tmp_path / "file")
