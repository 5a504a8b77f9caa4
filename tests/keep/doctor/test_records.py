"""What records and the files of days say."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from doctoring import fill, found, lines, look, setup, tidy
from keeping import NOW, TODAY, ago, turn
from support import FIELD_LINE, record, write_day

from tokenusage.keep.doctor.examine import examine
from tokenusage.keep.doctor.finding import Weight
from tokenusage.price.table import parse_prices

AT = f"{TODAY}T02:00:00+00:00"


def logged(logs: Path, *records: dict[str, Any] | bytes) -> Path:
    """Write lines as today's file."""
    write_day(logs, str(TODAY), records)
    return tidy(logs)


def test_healthy_directory_has_no_findings(tmp_path: Path) -> None:
    """Summarised days, and records of today."""
    logs = tidy(fill(tmp_path / "logs", ago(2), ago(1), TODAY))
    turn(logs)
    diagnosis = look(logs)
    assert diagnosis.findings == ()
    assert (diagnosis.files, diagnosis.records) == (3, 9)


def test_rejected_lines_are_named_with_their_reason(tmp_path: Path) -> None:
    """Line numbers count blank lines and records too."""
    logs = logged(tmp_path, record(AT), b"", b"{}", record(AT), b"x")
    finding = found(logs)["rejected-lines"]
    name = f"token_usage_{TODAY}.jsonl"
    assert (finding.weight, finding.count) == (Weight.WRONG, 2)
    assert finding.where == (f"{name}:3 has no timestamp", f"{name}:5 is not JSON")


def test_rejected_lines_of_a_sealed_day_are_named(tmp_path: Path) -> None:
    """Their file is the one that holds them byte for byte."""
    day = ago(3)
    write_day(tmp_path, str(day), [*lines(day), b"x"])
    turn(tmp_path, seal_after=1)
    assert found(tmp_path)["rejected-lines"].where == (f"rejected_{day}.jsonl:1 is not JSON",)


def test_more_rejected_lines_than_can_be_named_are_counted(tmp_path: Path) -> None:
    """A finding does not grow with the damage."""
    finding = found(logged(tmp_path, *[b"x"] * 3000))["rejected-lines"]
    assert (finding.count, len(finding.where) + finding.more) == (3000, 3000)
    assert len(finding.where) <= 100


def test_torn_tail_of_a_closed_day_is_a_warning(tmp_path: Path) -> None:
    """Today's may be a line that is just being written."""
    fill(tmp_path, ago(3), TODAY)
    for day in (ago(3), TODAY):
        with (tmp_path / f"token_usage_{day}.jsonl").open("ab") as file:
            file.write(b'{"timestamp":')
    finding = found(tmp_path)["torn-tails"]
    assert (finding.weight, finding.fixable) == (Weight.WARNING, True)
    assert finding.where == (f"token_usage_{ago(3)}.jsonl",)


def test_announced_drops_are_wrong(tmp_path: Path) -> None:
    """They are added up, and the last announcement is dated."""
    logs = logged(tmp_path, record(AT, dropped=3), record(AT, dropped=4))
    finding = found(logs)["dropped-records"]
    assert (finding.weight, finding.count) == (Weight.WRONG, 7)
    assert f"{TODAY} 02:00 UTC" in finding.what


def test_spill_files_are_noted(tmp_path: Path) -> None:
    """With the days that they are of."""
    write_day(tmp_path, f"{ago(4)}.web-7-1f", lines(ago(4)))
    finding = found(tmp_path)["spill-files"]
    assert (finding.weight, finding.count) == (Weight.NOTE, 1)
    assert str(ago(4)) in finding.what


def test_record_of_the_future_is_wrong(tmp_path: Path) -> None:
    """Five minutes of it are two hosts' clocks, and it is not the newest record."""
    near, far = NOW + timedelta(minutes=4), NOW + timedelta(minutes=6)
    logs = logged(tmp_path, record(AT), record(near.isoformat()), record(far.isoformat()))
    finding = found(logs)["future"]
    assert finding.where == (f"token_usage_{TODAY}.jsonl:3",)
    assert look(logs).newest == near


def test_record_in_the_wrong_days_file_is_wrong(tmp_path: Path) -> None:
    """One with an id can be moved; one without stays, and so does one in a sealed day."""
    day, other = ago(5), ago(6)
    stray = record(f"{other}T12:00:00+00:00")
    write_day(tmp_path, str(day), [*lines(day), stray | {"id": "s"}, stray])
    done = found(tmp_path)
    assert done["wrong-day"].fixable
    assert done["wrong-day"].where == (f"token_usage_{day}.jsonl:4 is of {other}",)
    assert done["wrong-day-stays"].where == (f"token_usage_{day}.jsonl:5 is of {other}",)
    turn(tmp_path, seal_after=1)
    assert found(tmp_path)["wrong-day-stays"].where[0] == (
        f"token_usage_{day}.parquet row 4 is of {other}"
    )


def test_silence_of_a_day_is_a_warning(tmp_path: Path) -> None:
    """A week of it is wrong: nothing can be logging any more."""
    fill(tmp_path, ago(8))
    assert found(tmp_path)["silence"].weight is Weight.WRONG
    fill(tmp_path, ago(2))
    assert found(tmp_path)["silence"].weight is Weight.WARNING
    assert "49 hours ago" in found(tmp_path)["silence"].what
    assert "silence" not in found(fill(tmp_path, TODAY))


def test_directory_without_any_record_is_wrong(tmp_path: Path) -> None:
    """With the sentence what to do."""
    finding = found(tidy(tmp_path))["silence"]
    assert finding.weight is Weight.WRONG
    assert "See which directory your applications log to" in finding.help


def test_records_that_are_not_looked_at_are_not_silence(tmp_path: Path) -> None:
    """Neither older ones than were asked for, nor those of which only sums are left."""
    fill(tmp_path, ago(1))
    assert "silence" not in {
        finding.check for finding in examine(setup(tmp_path), first=TODAY).findings
    }
    (tmp_path / f"token_usage_{ago(1)}.jsonl").unlink()
    turn(fill(tmp_path, ago(2)), keep_days=1)
    assert look(tmp_path).files == 0
    finding = found(tmp_path)["silence"]
    assert finding.weight is Weight.WARNING
    assert f"of {ago(2)}, 27 hours ago" in finding.what


def test_records_without_a_user_are_noted(tmp_path: Path) -> None:
    """With their share."""
    logs = logged(tmp_path, record(AT), record(AT, user_id=None))
    assert "50.0% of all" in found(logs)["no-user"].what


def test_models_without_a_price_are_named_with_their_share(tmp_path: Path) -> None:
    """Apart from those that have one now, and a cache hit needs none."""
    unpriced = {"cost_estimate": None, "prompt_tokens": 440, "total_tokens": 440}
    logs = logged(
        tmp_path,
        record(AT, model_name="our-8b", **unpriced),
        record(AT, **unpriced),
        record(AT, model_name="our-7b", cache="session", **unpriced),
    )
    done = found(logs)
    assert done["no-price"].where == ("our-8b: 50.0% of all tokens, in 1 of 1 calls",)
    assert done["unpriced"].where == ("gpt-4o-mini: 50.0% of all tokens, in 1 of 1 calls",)


def test_own_price_counts_as_one(tmp_path: Path) -> None:
    """What is configured is a price like any other."""
    prices = parse_prices({"prices": [{"model": "our-*", "prompt": 1, "completion": 1}]}, "x")
    logs = logged(tmp_path, record(AT, model_name="our-8b", cost_estimate=None))
    assert "no-price" not in found(logs, prices=prices)


def test_cost_that_is_wildly_off_is_wrong(tmp_path: Path) -> None:
    """A real log held such a call; the line behind a blank and a torn one is named."""
    wild = record(
        AT,
        model_name="gpt-4o",
        prompt_tokens=10_000,
        completion_tokens=33,
        total_tokens=10_033,
        cost_estimate=9990.0,
    )
    logs = logged(tmp_path, record(AT), b"", b"torn", wild)
    finding = found(logs)["wild-costs"]
    assert (finding.weight, finding.count) == (Weight.WRONG, 1)
    assert finding.where == (
        f"token_usage_{TODAY}.jsonl:4 gpt-4o: $9,990.00 instead of $0.0253, the worst of 1",
    )


def test_wild_cost_of_next_to_nothing_is_no_zero(tmp_path: Path) -> None:
    """However little it should cost, its first digits are shown."""
    small = record(AT, prompt_tokens=1, completion_tokens=1, total_tokens=2, cost_estimate=0.013)
    (place,) = found(logged(tmp_path, small))["wild-costs"].where
    assert "$0.0130 instead of $0.000000750" in place


def test_wild_cost_in_a_sealed_day_is_named_by_its_row(tmp_path: Path) -> None:
    """And zero for what is worth dollars is as wild as dollars for nothing."""
    day = ago(3)
    free = record(f"{day}T01:00:00+00:00", prompt_tokens=10**8, total_tokens=10**8)
    write_day(tmp_path, str(day), [*lines(day), free | {"cost_estimate": 0}])
    turn(tmp_path, seal_after=1)
    (place,) = found(tmp_path)["wild-costs"].where
    assert place.startswith(f"token_usage_{day}.parquet row 4 gpt-4o-mini: $0.00 instead of $15")


@pytest.mark.parametrize("cost", [0.000285, 0.0001, 0.01, None])
def test_cost_that_is_somewhat_off_is_nobodys_business(tmp_path: Path, cost: float | None) -> None:
    """Discounts, other lists, and figures that are rounded to a cent."""
    logs = logged(tmp_path, record(AT, cost_estimate=cost))
    assert "wild-costs" not in found(logs)
    write_day(tmp_path, "2024-12-26", [FIELD_LINE])
    assert "wild-costs" not in found(tmp_path)


def test_closed_days_without_a_summary_are_noted(tmp_path: Path) -> None:
    """Also those to which a record came late; never today."""
    fill(tmp_path, ago(3), ago(2), TODAY)
    assert found(tmp_path)["no-summary"].where == (str(ago(3)), str(ago(2)))
    turn(tmp_path)
    assert "no-summary" not in found(tmp_path)


def test_days_of_which_sums_are_left_are_counted(tmp_path: Path) -> None:
    """That is how it was wished, and nothing to find."""
    turn(tidy(fill(tmp_path, ago(40), ago(3), TODAY)), keep_days=30, force=True)
    diagnosis = look(tmp_path)
    assert diagnosis.summary_only_days == 1
    assert diagnosis.findings == ()


def test_file_that_a_sealed_day_has_taken_in_is_noted(tmp_path: Path) -> None:
    """Its records are counted once."""
    fill(tmp_path, ago(3))
    path = tmp_path / f"token_usage_{ago(3)}.jsonl"
    kept = tmp_path / "kept"
    kept.hardlink_to(path)
    turn(tmp_path, seal_after=1)
    kept.rename(path)
    assert found(tmp_path)["taken-in"].where == (path.name,)
    assert look(tmp_path).records == 3


def test_records_of_a_damaged_file_are_one_finding_among_others(tmp_path: Path) -> None:
    """What can be seen without them is said all the same."""
    fill(tmp_path, ago(3), TODAY)
    turn(tmp_path, seal_after=1)
    path = tmp_path / f"token_usage_{ago(3)}.parquet"
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)
    tmp_path.chmod(0o777)
    assert {"not-read", "permissions"} <= found(tmp_path).keys()
    assert look(tmp_path).records == 3
