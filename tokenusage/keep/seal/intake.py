"""Reading the log files of a day for its sealing, in threads and bounded memory."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import tzinfo

from tokenusage.keep.seal.encode import Encoded, Encoder
from tokenusage.logs import DayFile
from tokenusage.read.reader import Reader
from tokenusage.read.segments import LONGEST_LINE, Chunk, Segment, open_regular

TOO_LONG = f"is longer than {LONGEST_LINE >> 20} MiB"
"""Why a line is rejected that is not even looked at."""

_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """What one segment of a log file holds."""

    segment: Segment
    encoded: tuple[Encoded, ...]
    """Of its whole lines, and of the file's last line where that has no newline."""
    too_long: bool
    """Whether a line begins behind them that is too long to be looked at."""


class Intake:
    """Encodes log files in the threads of a pool.

    Args:
        pool: where the work is done.
        naive_zone: the zone of timestamps that have none.
    """

    def __init__(self, pool: ThreadPoolExecutor, naive_zone: tzinfo) -> None:
        self._reader = Reader(pool)
        self._encoder = Encoder(naive_zone)

    def parts(self, file: DayFile, first: int) -> Iterator[Part]:
        """Yield the parts of a file from byte `first` on, in order.

        Raises:
            ListingChangedError: the file is gone, or another one stands in its place.
            OSError: it can't be read, or is no regular file.
        """
        return self._reader.each(self._part, file, first)

    def _part(self, segment: Segment, chunk: Chunk) -> Part:
        """Encode the lines of a segment, in any thread."""
        runs = [data for data in (chunk.data, memoryview(chunk.tail)) if data]
        return Part(segment, tuple(map(self._encoder.encode, runs)), chunk.too_long)


def too_long_line(segment: Segment) -> Iterator[bytes]:
    """Yield, piece by piece and without its newline, the line across the end of `segment`."""
    with open(segment.file.path, "rb", buffering=0, opener=open_regular) as file:
        file.seek(segment.start)
        before = file.read(segment.end - segment.start)
        begin = segment.start + before.rfind(b"\n") + 1
        file.seek(begin)
        left = segment.file.size - begin
        while left and (piece := file.read(min(left, _STEP))):
            line, newline, _ = piece.partition(b"\n")
            yield line
            if newline:
                return
            left -= len(piece)
