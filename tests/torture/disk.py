"""A disk that forgets what was not synced, made from what strace saw of a work.

It is as forgetful as POSIX allows: of a file that was not synced nothing is left, and
of the names that were not synced any may be there or not, whatever came first.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, combinations
from pathlib import Path
from typing import Final, NamedTuple

from writing import run_python

_CALLS: Final = "openat,write,fsync,rename,unlink"
_OTHERS: Final = (
    "creat,link,linkat,symlink,symlinkat,renameat,renameat2,unlinkat,truncate,ftruncate,pwrite64,"
    "writev,pwritev,fallocate,copy_file_range,sendfile,fdatasync,sync_file_range"
)
"""What changes files, too, and is not in the model."""

_SUCCESS: Final = re.compile(r"(\w+)\((.*)\) = \d+(?:<.*>)?$")
_TEXT: Final = re.compile(r'["<]((?:\\x[0-9a-f]{2})*)[">]')
"""A path, a content or, in angle brackets, the path of a descriptor."""
_MOST_SUBSETS: Final = 4
"""Names that are forgotten in all combinations; of more, the first ones and the last ones."""


class Call(NamedTuple):
    """A system call that succeeded, in the directory that is looked at."""

    name: str
    path: str
    """The file's name in the directory; empty for the directory itself."""
    data: bytes = b""
    """What was written, or the new path."""


def trace(code: str, logs: Path, *arguments: object) -> list[Call]:
    """Run `code`, given a directory, and return the calls that changed something in it."""
    log = logs.parent / "trace"
    prefix = ("strace", "-f", "-y", "-qqq", "-xx", "-s", "16777216", "-o", str(log))
    run_python(code, logs, *arguments, prefix=(*prefix, "-e", f"trace={_CALLS},{_OTHERS}"))
    return list(_parsed(_whole_lines(log.read_text().splitlines()), logs))


def _whole_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield what each call was, when it had returned."""
    begun: dict[str, str] = {}
    for line in lines:
        thread, text = line.split(maxsplit=1)
        if text.endswith("<unfinished ...>"):
            begun[thread] = text.removesuffix("<unfinished ...>").rstrip()
        elif text.startswith("<..."):
            yield begun.pop(thread) + text.partition("resumed>")[2]
        else:
            yield text


def _parsed(lines: Iterable[str], logs: Path) -> Iterator[Call]:
    for line in lines:
        match = _SUCCESS.match(re.sub(r"\) += ", ") = ", line))
        if match is None:
            continue
        name, arguments = match.groups()
        texts = [bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(arguments)]
        if arguments.startswith("AT_FDCWD"):
            del texts[0]
        file, *more = texts
        path = Path(os.fsdecode(file))
        if logs not in {path, path.parent}:
            continue
        assert name in _CALLS.split(","), line
        if name != "openat" or "O_CREAT" in arguments:
            yield Call(name, "" if path == logs else path.name, b"".join(more))


@dataclass(slots=True)
class _File:
    """A file with what it holds, and how much of that is on the disk."""

    origin: str = ""
    """Its name at the beginning, of a file that was there."""
    data: bytes = b""
    synced: bytes = b""


Tree = dict[str, str | bytes]
"""What stands at each name: a file of the beginning, by its name then, or new bytes."""


@dataclass(slots=True)
class Disk:
    """A directory, and what would be left of it if the power failed now."""

    names: dict[str, _File]
    safe: dict[str, _File] = field(default_factory=dict)
    """Names that are on the disk."""
    pending: list[tuple[str, _File | None]] = field(default_factory=list)
    """Changes of names since then: what stands there now, if anything."""

    @classmethod
    def of(cls, logs: Path) -> "Disk":
        """Return a directory that has been on the disk for long."""
        names = {path.name: _File(origin=path.name) for path in logs.iterdir()}
        return cls(names, dict(names))

    def apply(self, call: Call) -> None:
        """Do what a system call did."""
        match call.name:
            case "openat":
                if call.path not in self.names:
                    self._name(call.path, _File())
            case "write":
                file = self.names[call.path]
                assert not file.origin, "a file is changed in place"
                file.data += call.data
            case "fsync" if call.path:
                self.names[call.path].synced = self.names[call.path].data
            case "fsync":
                self.safe, self.pending = dict(self.names), []
            case "rename":
                file = self.names[call.path]
                self._name(Path(os.fsdecode(call.data)).name, file)
                self._name(call.path, None)
            case _:
                self._name(call.path, None)

    def _name(self, name: str, file: _File | None) -> None:
        self.names.pop(name, None)
        if file is not None:
            self.names[name] = file
        self.pending.append((name, file))

    def after_power_loss(self) -> Iterator[Tree]:
        """Yield what may be left: of files all or what was synced, of changes of names any."""
        for changes in _some_of(self.pending):
            names = dict(self.safe)
            for name, file in changes:
                names.pop(name, None)
                if file is not None:
                    names[name] = file
            for is_lucky in (False, True):
                yield {
                    name: file.origin or (file.data if is_lucky else file.synced)
                    for name, file in sorted(names.items())
                }


def _some_of(
    changes: list[tuple[str, _File | None]],
) -> Iterable[tuple[tuple[str, _File | None], ...]]:
    """Return subsets, in order: all of few changes; of many the beginnings and the ends."""
    if len(changes) <= _MOST_SUBSETS:
        sizes = range(len(changes) + 1)
        return chain.from_iterable(combinations(changes, size) for size in sizes)
    cuts = range(len(changes) + 1)
    return chain((tuple(changes[:cut]) for cut in cuts), (tuple(changes[cut:]) for cut in cuts))


def write_tree(tree: Tree, originals: Path, logs: Path) -> None:
    """Make a directory of what was left; files of the beginning are those of `originals`.

    They are the same files, not copies: what took them in knows them by their inodes.
    """
    logs.mkdir()
    for name, content in tree.items():
        if isinstance(content, str):
            (logs / name).hardlink_to(originals / content)
        else:
            (logs / name).write_bytes(content)
