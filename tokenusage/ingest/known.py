"""The ids that the log already holds."""

from datetime import UTC, date
from pathlib import Path

from tokenusage.errors import LogsError
from tokenusage.logs import list_days
from tokenusage.read.clean import CleanReader
from tokenusage.read.lines import read_lines
from tokenusage.read.segments import BUFFER_BYTES, ListingChangedError, read_segment, segments


def known_ids(directory: Path, day: date) -> set[str]:
    """Return the ids of the records in the files of a UTC day, as text.

    They are the records that every report counts: a torn or otherwise broken
    line has no id, so that its record is brought in again.

    Raises:
        LogsError: a file can't be read.
    """
    if not directory.exists():
        return set()
    files, _ = list_days(directory, day, day)
    clean = CleanReader((), UTC)
    buffer = bytearray(BUFFER_BYTES if files else 0)
    ids: set[str] = set()
    for segment in segments(files):
        try:
            chunk = read_segment(segment, buffer)
        except OSError as error:
            path = str(segment.file.path)
            raise LogsError(f"{path!r} can't be read: {error.strerror}.") from error
        except ListingChangedError as error:
            raise LogsError(f"{error} was replaced meanwhile: run the import again.") from error
        whole = clean.read(chunk.data) or read_lines(bytes(chunk.data), (), UTC)
        for found in (whole, read_lines(chunk.tail, (), UTC)):
            ids.update(str(id_) for id_ in found.table["id"].drop_null().to_pylist())
    return ids
