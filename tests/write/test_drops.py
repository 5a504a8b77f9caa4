import errno
import logging

import pytest

from tokenusage.write.drops import Drops


def test_drops_are_counted_until_somebody_takes_them() -> None:
    """Every drop is announced exactly once."""
    drops = Drops()
    drops.add(1, OSError(errno.ENOSPC, "full"))
    drops.add(2, OSError(errno.ENOSPC, "full"))

    assert (drops.take(), drops.take()) == (3, 0)


def test_each_cause_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """A full disk under a thousand calls is one line in the log, another cause one more."""
    drops = Drops()
    with caplog.at_level(logging.WARNING, "tokenusage"):
        for _ in range(5):
            drops.add(1, OSError(errno.ENOSPC, "full"))
            drops.add(1, OSError(errno.EIO, "broken"))

    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "ENOSPC" in caplog.records[0].getMessage()
    assert "EIO" in caplog.records[1].getMessage()
