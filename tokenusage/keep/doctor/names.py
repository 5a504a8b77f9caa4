"""Names that look like those of our files, behind which nobody looks."""

import stat
from pathlib import Path
from typing import Final

from tokenusage.keep.doctor.finding import Finding, Weight
from tokenusage.logs import is_ours

_PREFIXES: Final = ("token_usage_", "rejected_", "summary_", "details_")


def check_names(logs: Path) -> list[Finding]:
    """Return which files are named nearly like ours, and so in no report.

    Raises:
        OSError: the directory can't be read.
    """
    names = sorted(path.name for path in logs.iterdir() if path.name.startswith(_PREFIXES))
    unread = [name for name in names if not is_ours(name)]
    unread += [
        f"{name} is not a regular file"
        for name in names
        if is_ours(name) and name.startswith("rejected_") and not is_regular(logs / name)
    ]
    if not unread:
        return []
    return [
        Finding.at(
            "unread-files",
            Weight.WARNING,
            "Files that are named nearly like log files, but that nobody reads",
            unread,
            help_="Their records are in no report, and `tokenusage forget` and --keep-days do "
            "not reach them. Give them a name that ends in .jsonl again, or move them away.",
        )
    ]


def is_regular(path: Path) -> bool:
    """Return whether a regular file stands at a path: no symlink, FIFO or device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False
