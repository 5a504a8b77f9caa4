"""What the tests of forgetting share: records that tell who they are of, and a look at all."""

from datetime import UTC, date
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow.parquet as pq
from keeping import NOW, TODAY, ago, turn
from support import record, write_day

from tokenusage.keep.export.choice import Choice
from tokenusage.keep.export.lines import export_lines
from tokenusage.keep.forget.outcome import Outcome
from tokenusage.keep.forget.run import forget
from tokenusage.read.forms import Plan

ANN: Final = "ann"


def lines(day: date, *users: Any) -> list[dict[str, Any]]:
    """Return a record of each user, with everything that tells who it is."""
    return [
        record(
            f"{day}T12:00:00.{number:06d}+00:00",
            user_id=user,
            query=f"I am {user}",
            error_message=f"{user} failed",
            cost_estimate=0.1 + number,
            id=f"{day}-{number}",
            session_id=f"{user}-s",
            user_email=f"{user}@example.com",
            tags={"who": str(user)},
            mood=[str(user)],
        )
        for number, user in enumerate(users)
    ]


def people(logs: Path) -> Path:
    """Fill a directory with a day of Ann and Bob in every form, and lines that name her."""
    for number in (9, 5, 2, 0):
        write_day(logs, str(ago(number)), lines(ago(number), ANN, "bob"))
    for number in (5, 2):
        with (logs / f"token_usage_{ago(number)}.jsonl").open("ab") as file:
            # The address alone: it is known from her records only.
            file.write(b'"query":"ann@example.com\n"user_id":"bob","query":\n')
    turn(logs, keep_days=7, seal_after=4)
    write_day(logs, str(ago(5)), lines(ago(5), ANN, "bob", ANN, "bob")[2:])
    today = logs / f"token_usage_{ago(0)}.jsonl"
    today.write_bytes(today.read_bytes().removesuffix(b"\n"))  # a whole record all the same
    return logs


def forgotten(
    logs: Path, user: str = ANN, *, delete: bool = False, dry_run: bool = False
) -> Outcome:
    """Forget a user at `NOW`."""
    return forget(logs, user, delete=delete, dry_run=dry_run, now=NOW, naive_zone=UTC)


def everything(logs: Path) -> bytes:
    """Return all that stands in the files of a directory, unfolded, dictionaries too."""
    text = b"".join(path.read_bytes() for path in logs.glob("*.jsonl"))
    for path in logs.glob("*.parquet"):
        metadata = pq.read_metadata(path)
        text += str(metadata.to_dict()).encode() + str(metadata.metadata).encode()
        chunks = metadata.row_group(0).to_dict()["columns"] if metadata.num_row_groups else []
        codes = [chunk["path_in_schema"] for chunk in chunks if chunk["has_dictionary_page"]]
        for column in pq.read_table(path, read_dictionary=codes).columns:
            for chunk in column.chunks:
                values = getattr(chunk, "dictionary", chunk)
                text += "\n".join(map(str, values.to_pylist())).encode()
    return text


def state(logs: Path) -> dict[str, tuple[int, ...]]:
    """Return which file stands at each name, and when it was last changed in any way."""
    found: dict[str, tuple[int, ...]] = {}
    for path in logs.glob("*_*"):
        status = path.stat()
        found[path.name] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found


def exported(logs: Path) -> bytes:
    """Return the lines of all records that a directory gives back."""
    text: list[bytes] = []
    plan = Plan(None, None, (), UTC, TODAY)
    export_lines(logs, plan, Choice(), lambda some: text.append(bytes(some)))
    return b"".join(text)


def logged(logs: Path) -> list[dict[str, Any]]:
    """Return every record that a directory gives back."""
    return [orjson.loads(line) for line in exported(logs).splitlines()]


def in_every_form(logs: Path) -> Path:
    """Write a day in every form, and late records for two of them; return the directory."""
    for number in (9, 8, 5, 2, 1, 0):
        write_day(logs, str(ago(number)), lines(ago(number), ANN, 7, ANN, None, "bob"))
    with (logs / f"token_usage_{ago(5)}.jsonl").open("ab") as file:
        file.write(b'{"user_id":"ann","torn\n{"user_id":"bob","torn\n')
    turn(logs, keep_days=7, seal_after=4)
    for number in (8, 5):
        (late,) = lines(ago(number), ANN)
        write_day(logs, str(ago(number)), [late | {"id": "late"}])
    return logs
