"""Sealing that is interrupted, damaged or disturbed leaves the day as it was."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealing import DAY, NAME, lines, names, seal_day, sealed_lines
from support import record, write_day
from writing import finish, python

from tokenusage.errors import SealError
from tokenusage.files import TEMPORARY_PREFIX
from tokenusage.keep.seal.day import seal
from tokenusage.keep.seal.encode import Encoder
from tokenusage.keep.seal.file import SealedFile
from tokenusage.read.sealed import Footer


def test_interrupted_sealing_leaves_the_day_as_it_was(tmp_path: Path) -> None:
    """Ctrl-C removes what was written under temporary names."""
    path = write_day(tmp_path, "2026-11-20", lines(1))

    def interrupt(_size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seal(tmp_path, DAY, naive_zone=UTC, advance=interrupt)
    assert names(tmp_path) == {path.name}


def test_file_that_grows_meanwhile_is_sealed_anew(tmp_path: Path) -> None:
    """A record that comes while the day is being sealed is in it, and once."""
    path = write_day(tmp_path, "2026-11-20", lines(1))

    def grow(_size: int) -> None:
        if path.read_bytes().count(b"\n") == 1:
            with path.open("ab") as file:
                file.write(lines(2)[0] + b"\n")

    seal(tmp_path, DAY, naive_zone=UTC, advance=grow)
    assert sealed_lines(tmp_path) == lines(1, 2)


def test_file_that_never_rests_is_given_up(tmp_path: Path) -> None:
    """After three tries the day stays as it is, and the sentence says why."""
    path = write_day(tmp_path, "2026-11-20", lines(1))

    def grow(_size: int) -> None:
        with path.open("ab") as file:
            file.write(lines(2)[0] + b"\n")

    with pytest.raises(SealError, match="change faster"):
        seal(tmp_path, DAY, naive_zone=UTC, advance=grow)
    assert names(tmp_path) == {path.name}
    assert path.read_bytes().count(b"\n") == 4


def test_leftover_temporary_files_disturb_nobody(tmp_path: Path) -> None:
    """A run that was killed leaves files that the next one does not look at."""
    write_day(tmp_path, "2026-11-20", lines(1))
    (tmp_path / f"{TEMPORARY_PREFIX}00.tmp").write_bytes(b"half of a file")
    seal_day(tmp_path)
    assert sealed_lines(tmp_path) == lines(1)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_damaged_file_is_found_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whichever byte of the new file flips or is missing on the disk, it is not used."""
    path = tmp_path_factory.mktemp("damaged") / "new"
    sealed = SealedFile(path)
    encoded = Encoder(UTC).encode(memoryview(b"\n".join(lines(*range(20)))))
    sealed.add(encoded.table, encoded.digest, encoded.size)
    sealed.finish(Footer(()))
    text = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(text if data.draw(st.booleans()) else text[:place])
    with ThreadPoolExecutor(1) as pool, pytest.raises(SealError, match="nothing was replaced"):
        sealed.verify(pool)
    sealed.close()


def test_file_that_gives_other_lines_back_is_found_out(tmp_path: Path) -> None:
    """The lines of what can be read back are compared, too."""
    encoded = Encoder(UTC).encode(memoryview(b"\n".join(lines(1))))
    sealed = SealedFile(tmp_path / "new")
    sealed.add(encoded.table, b"the digest of something else", encoded.size)
    sealed.finish(Footer(()))
    with ThreadPoolExecutor(1) as pool, pytest.raises(SealError, match="nothing was replaced"):
        sealed.verify(pool)
    sealed.close()


def test_damage_while_sealing_leaves_the_day_as_it_was(tmp_path: Path) -> None:
    """The old form stays where the new one is not what was written."""
    path = write_day(tmp_path, "2026-11-20", lines(1))

    def damage(_size: int) -> None:
        for temporary in tmp_path.glob(f"{TEMPORARY_PREFIX}*"):
            if temporary.stat().st_size:
                with temporary.open("r+b") as file:
                    file.write(b"!")

    with pytest.raises(SealError, match="nothing was replaced"):
        seal(tmp_path, DAY, naive_zone=UTC, advance=damage)
    assert names(tmp_path) == {path.name}


def test_sealed_file_that_is_not_ours_is_not_replaced(tmp_path: Path) -> None:
    """Where something else stands at the place, nothing is touched."""
    write_day(tmp_path, "2026-11-20", lines(1))
    (tmp_path / f"{NAME}.parquet").write_bytes(b"notes")
    with pytest.raises(SealError, match="2026-11-20 can't be sealed"):
        seal_day(tmp_path)
    assert names(tmp_path) == {f"{NAME}.parquet", f"{NAME}.jsonl"}
    assert (tmp_path / f"{NAME}.parquet").read_bytes() == b"notes"


@pytest.mark.slow
def test_writers_beside_it_lose_nothing(tmp_path: Path) -> None:
    """Every line that a writer was told to be there is sealed in the end, once."""
    write_day(tmp_path, "2026-11-20", lines(*range(5)))
    writer = """
        import sys
        from datetime import date
        from pathlib import Path
        from time import sleep
        from tokenusage.write.appender import Appender
        logs, name, line = sys.argv[1:]
        appender = Appender(Path(logs))
        for number in range(20_000):
            if number % 4000 == 3999:
                sleep(0.5)  # else it would be written to faster than it is sealed
            whole = line.replace("ID", f"{name}-{number}") + "\\n"
            appender.append(date(2026, 11, 20), whole.encode())
    """
    template = orjson.dumps(record(id="ID")).decode()
    processes = [python(writer, tmp_path, number, template) for number in range(2)]
    seals = 0
    while any(process.poll() is None for process in processes):
        with suppress(SealError):  # written to faster than it is sealed
            seals += seal_day(tmp_path) is not None
    assert seals
    for process in processes:
        finish(process)
    seal_day(tmp_path)
    ids = sorted(orjson.loads(line)["id"] for line in sealed_lines(tmp_path))
    expected = [f"{writer}-{number}" for writer in range(2) for number in range(20_000)]
    assert ids == sorted([*expected, *(f"id-{number}" for number in range(5))])
    assert not list(tmp_path.glob("*.jsonl"))
