"""Forgetting a person, in every form that a day can have."""

import os
import re
from datetime import UTC
from pathlib import Path
from typing import Any

import orjson
import pytest
from drawn import LINES
from forgetting import ANN, everything, exported, forgotten, in_every_form, lines, logged, state
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping import ago, names, totals, turn
from support import record, write_day

from tokenusage.files import TEMPORARY_PREFIX
from tokenusage.keep.forget.outcome import Form, Outcome
from tokenusage.keep.seal.day import seal
from tokenusage.logs import list_logs
from tokenusage.read.lines import read_lines
from tokenusage.read.sealed import open_sealed
from tokenusage.read.segments import LONGEST_LINE

EMAIL = "ann@example.com"


def found(outcome: Outcome) -> dict[Form, int]:
    return {form: sum(one.records for one in some) for form, some in outcome.forms.items()}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with a day in every form, and late records for two of them."""
    return in_every_form(tmp_path / "logs")


def test_nothing_tells_who_it_was_and_all_totals_stay(logs: Path) -> None:
    """Log files, sealed days and sums of removed days lose the person, and no figure."""
    by_user, by_model = totals(logs), totals(logs, "model")
    outcome = forgotten(logs)
    assert b"ann" not in everything(logs)
    assert found(outcome) == {Form.LOG: 8, Form.SEALED: 2, Form.SUMS: 4}
    assert outcome.left == ()
    after = totals(logs)
    assert after["totals"] == by_user["totals"]
    del by_model["ledger"], (again := totals(logs, "model"))["ledger"]
    assert again == by_model
    # The other users are as they were, to the last digit.
    rest = [row for row in after["rows"] if not str(row["user"]).startswith("forgotten-")]
    assert rest == [row for row in by_user["rows"] if row["user"] != ANN]


def test_other_records_stay_byte_for_byte(logs: Path) -> None:
    """And hers keep all that decides a figure, in their order."""
    before = logged(logs)
    forgotten(logs)
    after = logged(logs)
    (pseudonym,) = {new["user_id"] for old, new in zip(before, after, strict=True) if old != new}
    for old, new in zip(before, after, strict=True):
        if old["user_id"] == ANN:
            hidden = {"user_id": pseudonym, "query": None, "error_message": None}
            told = ("session_id", "user_email", "tags", "mood")
            kept = {k: v for k, v in (old | hidden).items() if k not in told}
        else:
            kept = old
        assert list(new.items()) == list(kept.items())


def test_pseudonym_is_another_one_each_time(logs: Path) -> None:
    """So that what is logged of her later is not tied to what was forgotten."""
    forgotten(logs)
    forgotten(logs, "bob")
    users = {line["user_id"] for line in logged(logs)}
    assert len([user for user in users if str(user).startswith("forgotten-")]) == 2


def test_rejected_lines_that_name_her_go(logs: Path) -> None:
    """The account of the sealed day says so, and the others stay byte for byte."""
    forgotten(logs)
    rejected = logs / f"rejected_{ago(5)}.jsonl"
    assert rejected.read_bytes() == b'{"user_id":"bob","torn\n'
    footer, _ = open_sealed(list_logs(logs).sealed[ago(5)])
    assert (footer.account.lines, footer.account.rejected) == (6, 1)
    assert [rejection.line for rejection in footer.account.rejections] == [1]
    assert footer.rejected_bytes == rejected.stat().st_size
    forgotten(logs, "bob")
    assert not rejected.exists()
    assert totals(logs)["ledger"]["rejected"] == 0


def test_user_that_is_not_there_changes_nothing(logs: Path) -> None:
    """No file is written anew."""
    (logs / f"details_{ago(9):%Y-%m}.parquet").unlink()  # late records: they would go
    before = state(logs)
    outcome = forgotten(logs, "nobody")
    assert (outcome.found, outcome.stale, outcome.left) == ((), (), ())
    assert state(logs) == before


def test_dry_run_says_the_same_and_changes_nothing(logs: Path) -> None:
    """It does not even remove what a killed run has left."""
    (logs / f"{TEMPORARY_PREFIX}0.tmp").write_bytes(b"ann")
    before = state(logs)
    would = forgotten(logs, dry_run=True)
    assert state(logs) == before
    assert (logs / f"{TEMPORARY_PREFIX}0.tmp").exists()
    assert forgotten(logs) == would
    assert not list(logs.glob(f"{TEMPORARY_PREFIX}*"))


def test_deleting_drops_the_records(logs: Path) -> None:
    """What is left is what there would be if she had never called."""
    before = totals(logs)
    outcome = forgotten(logs, delete=True)
    assert b"ann" not in everything(logs)
    after = totals(logs)
    assert after["rows"] == [row for row in before["rows"] if row["user"] != ANN]
    gone = sum(one.records for one in outcome.found) + 1  # and a rejected line
    assert after["ledger"]["lines"] == before["ledger"]["lines"] - gone
    turn(logs, keep_days=7, seal_after=4)
    assert totals(logs)["rows"] == after["rows"]


def test_files_without_her_are_not_written_anew(logs: Path) -> None:
    """Only what names her is replaced, with the owner, group and mode that it had."""
    write_day(logs, str(ago(3)), lines(ago(3), "bob"))
    path = logs / f"token_usage_{ago(2)}.jsonl"
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 54321)
    (logs / f"summary_{ago(9):%Y-%m}.parquet").chmod(0o644)
    (logs / f"details_{ago(9):%Y-%m}.parquet").unlink()  # they would go
    owners, before = {path: path.stat() for path in logs.glob("*_*")}, state(logs)
    forgotten(logs)
    for path, old in owners.items():
        new = path.stat()
        assert (new.st_mode, new.st_uid, new.st_gid) == (old.st_mode, old.st_uid, old.st_gid)
    same = [name for name, file in state(logs).items() if file == before[name]]
    assert same == [f"token_usage_{ago(3)}.jsonl"]


def test_sums_are_forgotten_until_the_next_rotation_makes_them_anew(logs: Path) -> None:
    """Those of days that have records; meanwhile the records are read."""
    outcome = forgotten(logs)
    assert set(outcome.stale) == {ago(5), ago(2), ago(1)}
    before = totals(logs)
    turn(logs)
    assert totals(logs) == before


def test_month_without_anybody_else_goes(tmp_path: Path) -> None:
    """Its sums are made anew from what is there."""
    write_day(tmp_path, str(ago(2)), lines(ago(2), ANN))
    turn(tmp_path)
    forgotten(tmp_path)
    assert names(tmp_path) == {f"token_usage_{ago(2)}.jsonl"}


@pytest.mark.parametrize("user", [7, "7", 'a"\\\n\x1f', "é\u2028", "user_id", str(10**30)])
def test_id_of_any_kind_is_found_in_lines_and_rows(tmp_path: Path, user: Any) -> None:
    """Whoever wrote the line, and in whichever form its day is."""
    day = ago(5)
    text = orjson.dumps(record(f"{day}T12:00:00+00:00", user_id=user))
    foreign = text.replace(b",", b", ").replace(b'"user_id"', b'"user\\u005fid"')
    write_day(tmp_path, str(ago(6)), [text, foreign, record(f"{ago(6)}T12:00:00+00:00")])
    seal(tmp_path, ago(6), naive_zone=UTC)
    write_day(tmp_path, str(day), [text, foreign, record(f"{day}T12:00:00+00:00")])
    outcome = forgotten(tmp_path, str(user))
    assert found(outcome) == {Form.LOG: 2, Form.SEALED: 2}
    assert len({line["user_id"] for line in logged(tmp_path)}) == 2
    assert not forgotten(tmp_path, str(user)).found


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=6), st.sampled_from([b"", b"\n"]))
def test_whatever_was_logged_a_sealed_day_forgets_what_its_log_file_does(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[bytes], end: bytes
) -> None:
    """The same records, in the same order; no figure of them changes."""
    text = b"\n".join(drawn) + end
    records = []
    for form in ("raw", "sealed"):
        logs = tmp_path_factory.mktemp(form)
        (logs / f"token_usage_{ago(9)}.jsonl").write_bytes(text)
        if form == "sealed":
            seal(logs, ago(9), naive_zone=UTC)
        before = exported(logs)
        forgotten(logs, "1")
        after = exported(logs)
        figures = ["timestamp", "prompt_tokens", "cost_estimate", "id", "cache", "dropped"]
        old, new = (read_lines(lines, (), UTC).table for lines in (before, after))
        assert new.select(figures).equals(old.select(figures))
        assert "1" not in new["user_id"].to_pylist()
        records.append(re.sub(rb'"forgotten-.{8}"', b'"p"', after))
    assert records[0] == records[1]


def test_salvaged_line_loses_its_record_or_its_torn_piece(tmp_path: Path) -> None:
    """Each for itself: what is not hers stays, byte for byte, and so does the count."""
    ann, bob = (orjson.dumps(line) for line in lines(ago(2), ANN, "bob"))
    torn_ann, torn_bob = ann[:90], bob[:90]
    path = write_day(tmp_path, str(ago(2)), [torn_bob + ann, torn_ann + bob, torn_bob + bob])
    before = totals(tmp_path)["totals"]
    forgotten(tmp_path)
    first, *rest = path.read_bytes().splitlines()
    assert first.startswith(torn_bob + b'{"timestamp":')
    assert rest == [bob, torn_bob + bob]
    assert b"ann" not in path.read_bytes()
    assert totals(tmp_path)["totals"] == before
    write_day(tmp_path, str(ago(2)), [torn_bob + ann, torn_ann + bob])
    forgotten(tmp_path, delete=True)
    assert path.read_bytes() == torn_bob + b"\n" + bob + b"\n"


def test_blank_odd_and_endless_lines_stay_as_they_are(tmp_path: Path) -> None:
    """Unless they name her; a last line without newline is none of them."""
    odd = [b"", b"\r", b"\xff\x00", b"null", b"{" + b"x" * (LONGEST_LINE + 5), b"  "]
    endless = b'{"user_id":"ann"' + b"x" * (LONGEST_LINE + 5)
    ann, bob = (orjson.dumps(line) for line in lines(ago(2), ANN, "bob"))
    path = write_day(tmp_path, str(ago(2)), [*odd, ann, endless, bob])
    with path.open("ab") as file:
        file.write(b'{"user_id":"ann')
    forgotten(tmp_path, delete=True)
    assert path.read_bytes() == b"".join(line + b"\n" for line in [*odd, bob])


def test_line_that_names_her_by_her_address_goes(tmp_path: Path) -> None:
    """Wherever the address is known from: another day, a sealed one, or sums."""
    kinds: list[tuple[int, dict[str, Any]]] = [
        (2, {}),
        (9, {"seal_after": 5}),
        (8, {"keep_days": 5}),
    ]
    for known, wishes in kinds:
        logs = tmp_path / str(known)
        write_day(logs, str(ago(known)), lines(ago(known), ANN))
        write_day(logs, str(ago(3)), [b'"query":"' + EMAIL.encode(), b'"query":"x@example.com'])
        turn(logs, **wishes)
        forgotten(logs)
        assert (logs / f"token_usage_{ago(3)}.jsonl").read_bytes() == b'"query":"x@example.com\n'


@pytest.mark.parametrize("user", ["user_id", "null", "cost"])
def test_damaged_lines_of_others_stay_whatever_she_is_called(tmp_path: Path, user: str) -> None:
    """Every line has such words; her own damaged lines go."""
    of_others = [b'{"user_id":null,"cost_estimate":null,"oper', b'{"user_id":"bob","prompt_to']
    own = f'{{"user_id":"{user}","prompt_to'.encode()
    path = write_day(tmp_path, str(ago(2)), [of_others[0], own, of_others[1]])
    forgotten(tmp_path, user)
    assert path.read_bytes().splitlines() == of_others


def test_leftovers_of_a_killed_sealing_are_forgotten_too(tmp_path: Path) -> None:
    """What it had taken in but not removed, and what no sealed file calls its own."""
    ann, bob = lines(ago(3), ANN, "bob")
    path = write_day(tmp_path, str(ago(3)), [ann, bob])
    os.link(path, tmp_path / "kept")
    seal(tmp_path, ago(3), naive_zone=UTC)
    (tmp_path / "kept").rename(path)
    with path.open("ab") as file:  # and a late record
        file.write(orjson.dumps(bob | {"id": "late"}) + b"\n")
    (tmp_path / f"rejected_{ago(3)}.jsonl").write_bytes(b'"ann"\n')
    (tmp_path / f"rejected_{ago(4)}.jsonl").write_bytes(b'"ann"\n"bob"\n')
    before = totals(tmp_path)["totals"]
    forgotten(tmp_path)
    assert b"ann" not in everything(tmp_path)
    assert totals(tmp_path)["totals"] == before
    assert path.read_bytes() == orjson.dumps(bob | {"id": "late"}) + b"\n"
    assert (tmp_path / f"rejected_{ago(4)}.jsonl").read_bytes() == b'"bob"\n'
