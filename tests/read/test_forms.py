from datetime import UTC, date
from pathlib import Path

import pytest
from support import record, write_day

from tokenusage.keep.seal.day import seal
from tokenusage.logs import list_logs
from tokenusage.read.forms import Plan, choose
from tokenusage.read.segments import ListingChangedError

DAY = date(2026, 11, 20)
PLAN = Plan(None, None, (), UTC, date(2026, 11, 22))


@pytest.mark.parametrize("successor", [None, b"late\n"])
def test_a_file_that_is_removed_while_it_is_compared_is_listed_again(
    tmp_path: Path, successor: bytes | None
) -> None:
    """Whoever took it in removes it, and a writer may have begun another one at once."""
    path = write_day(tmp_path, str(DAY), [record(), record(user_id=2)])
    saved = tmp_path / "saved"
    saved.hardlink_to(path)
    seal(tmp_path, DAY, naive_zone=UTC)
    saved.rename(path)
    listing = list_logs(tmp_path)
    path.unlink()
    if successor is not None:
        path.write_bytes(successor)
    with pytest.raises(ListingChangedError):
        choose(listing, PLAN)
