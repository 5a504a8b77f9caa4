"""What a single line is: a record, a torn piece with a record glued behind it, or neither."""

from dataclasses import dataclass
from datetime import tzinfo

from tokenusage.read.decode import NotARecordError, check, microseconds, parse, starts_in
from tokenusage.record import Record


@dataclass(frozen=True, slots=True)
class Judged:
    """A line that is not blank, taken apart."""

    piece: bytes
    """What of it is no record: nothing, its torn beginning, or all."""
    reason: str
    """Why that is no record; empty where it is nothing."""
    line: bytes
    """What of it is a record, byte for byte; may be nothing."""
    record: Record | None
    """The same, decoded."""


def judge(line: bytes, naive_zone: tzinfo) -> Judged:
    """Take a line apart as the tolerant reader would.

    Args:
        line: without its newline, and not blank.
        naive_zone: the zone of a timestamp that has none.
    """
    record = _record(line, naive_zone)
    if not isinstance(record, NotARecordError):
        return Judged(b"", "", line, record)
    reason = str(record)
    for start in starts_in(line):
        record = _record(line[start:], naive_zone)
        if not isinstance(record, NotARecordError):
            return Judged(line[:start], reason, line[start:], record)
    return Judged(line, reason, b"", None)


def _record(line: bytes, naive_zone: tzinfo) -> Record | NotARecordError:
    try:
        record = parse(line)
        check(record)
        microseconds(record["timestamp"], naive_zone)
    except NotARecordError as error:
        return error
    return record
