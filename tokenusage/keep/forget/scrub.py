"""Looking for a person in lines and rows, and taking them out."""

from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.keep.forget.person import Person
from tokenusage.keep.seal.intake import too_long_line
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.clean import CleanReader
from tokenusage.read.judge import judge
from tokenusage.read.segments import Chunk, Segment
from tokenusage.record import Record

_NEWLINE: Final = ord("\n")


@dataclass(slots=True)
class Seen:
    """What some lines or rows hold of a person."""

    records: int = 0
    named: int = 0
    """Pieces that are no records and name them."""
    unnamed: int = 0
    """Pieces that are no records and do not."""
    emails: set[str] = field(default_factory=set)
    """That stand in their records."""
    mailed: int = 0
    """Records of others that carry an address."""
    addressed: int = 0
    """Those of them that carry one of theirs, where theirs are known."""

    def add(self, other: "Seen") -> None:
        """Add what further lines hold."""
        self.records += other.records
        self.named += other.named
        self.unnamed += other.unnamed
        self.emails |= other.emails
        self.mailed += other.mailed
        self.addressed += other.addressed

    @property
    def depends_on_emails(self) -> bool:
        """Whether their addresses, once they are known, may tell more."""
        return bool(self.unnamed or self.mailed)

    @property
    def has_any(self) -> bool:
        """Whether they hold anything that is to be forgotten."""
        return bool(self.records or self.named)


class Scrub:
    """Finds a person in the lines of log files, and takes them out; threads may share it.

    Args:
        person: who it is.
        naive_zone: the zone of timestamps that have none.
        records: whether their records are changed, too, and not only what is none.
    """

    def __init__(self, person: Person, naive_zone: tzinfo, *, records: bool = True) -> None:
        self.person = person
        self.naive_zone = naive_zone
        self.records = records
        self._clean = CleanReader(("user_email",), naive_zone)

    def knowing(self, emails: set[str]) -> "Scrub":
        """Return one that knows the person's addresses."""
        return Scrub(replace(self.person, emails=frozenset(emails)), self.naive_zone)

    def for_lines(self) -> "Scrub":
        """Return one that changes no records, only what is none."""
        return Scrub(self.person, self.naive_zone, records=False)

    def look(self, segment: Segment, chunk: Chunk) -> Seen:
        """Return what the lines of a segment hold of the person."""
        seen = Seen()
        found = self._clean.read(chunk.data) if chunk.data else None
        if found is not None:
            seen.add(seen_in(found.table, self.person))
        else:
            seen.add(self._look(bytes(chunk.data)))
        seen.add(self._look(chunk.tail))
        if chunk.too_long:
            named = self.person.is_named_in(too_long_line(segment))
            seen.add(Seen(named=named, unnamed=not named))
        return seen

    def scrubbed(self, segment: Segment, chunk: Chunk) -> tuple[bytes, Segment, Chunk]:
        """Return the whole lines of a segment without the person, and what they come from."""
        return self.text(bytes(chunk.data)), segment, replace(chunk, data=memoryview(b""))

    def text(self, data: bytes) -> bytes:
        """Return whole lines, of which the last may have no newline, without the person."""
        ends = data.endswith(b"\n")
        found = self._clean.read(memoryview(data)) if ends else None
        if found is None:
            return self._one_by_one(data)
        mask = owned(found.table, self.person)
        if not self.records or not mask.any():
            return data
        starts = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
        starts = np.concatenate(([0], starts))
        kept, done = [], 0
        for row in np.flatnonzero(mask):
            begin, end = int(starts[row]), int(starts[row + 1])
            kept += [data[done:begin], self.line(data[begin : end - 1], b"\n")]
            done = end
        return b"".join([*kept, data[done:]])

    def line(self, line: bytes, ending: bytes) -> bytes:
        """Return what becomes of the line of a record of the person."""
        if self.person.pseudonym is None:
            return b""
        return self.person.replaced(line) + ending

    def _look(self, data: bytes) -> Seen:
        seen = Seen()
        for line in data.split(b"\n"):
            if not line.strip():
                continue
            judged = judge(line, self.naive_zone)
            if judged.piece:
                named = self.person.is_named_in([judged.piece])
                seen.add(Seen(named=named, unnamed=not named))
            if judged.record is not None:
                seen.add(self._look_at(judged.record))
        return seen

    def _look_at(self, record: Record) -> Seen:
        email = record.get("user_email")
        emails = {email} if isinstance(email, str) and email else set()
        if self.person.owns(record):
            return Seen(1, emails=emails)
        return Seen(mailed=len(emails), addressed=len(emails & self.person.emails))

    def _one_by_one(self, data: bytes) -> bytes:
        lines = data.split(b"\n")
        last = lines.pop()
        kept = [self._judged(line, b"\n") for line in lines]
        return b"".join([*kept, self._judged(last, b"")])

    def _judged(self, line: bytes, ending: bytes) -> bytes:
        """Return what becomes of any line: the same, another, or nothing."""
        if not line.strip():
            return line + ending
        judged = judge(line, self.naive_zone)
        piece, record = judged.piece, judged.line + ending
        if piece and self.person.is_named_in([piece]):
            piece = b""
        if self.records and judged.record is not None and self.person.owns(judged.record):
            record = self.line(judged.line, ending)
            if piece and not record:
                return piece + ending
        return piece + record if piece or judged.record is not None else b""


def owned(table: pa.Table, person: Person) -> npt.NDArray[np.bool_]:
    """Return which rows are the person's."""
    theirs = pc.equal(table["user_id"].cast(pa.string()), person.user)
    codes = to_numpy(pc.fill_null(theirs, fill_value=False).cast(pa.int32()))
    mask: npt.NDArray[np.bool_] = codes == 1
    return mask


def addressed(table: pa.Table, person: Person) -> npt.NDArray[np.bool_]:
    """Return which rows are not the person's, and carry one of their addresses."""
    theirs = pa.array(sorted(person.emails), pa.string())
    found = pc.is_in(table["user_email"].cast(pa.string()), value_set=theirs)
    mask: npt.NDArray[np.bool_] = to_numpy(found.cast(pa.int32())) == 1
    return mask & ~owned(table, person)


def seen_in(table: pa.Table, person: Person) -> Seen:
    """Return what rows with `user_id` and `user_email` hold of the person."""
    mask = owned(table, person)
    emails = table["user_email"].cast(pa.string())
    of_them = pc.unique(emails.filter(from_numpy(mask))).to_pylist()
    of_others = emails.filter(from_numpy(~mask))
    return Seen(
        records=int(mask.sum()),
        emails={email for email in of_them if email},
        mailed=len(of_others) - of_others.null_count,
        addressed=int(addressed(table, person).sum()),
    )
