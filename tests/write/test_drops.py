import errno
import logging

import pytest
from writing import broken_handler

from tokenusage.write.drops import Drops


def test_drops_are_counted_until_a_record_announces_them() -> None:
    """Every drop is announced once, and again where the announcement was not written."""
    drops = Drops()
    drops.add(1, OSError(errno.ENOSPC, "full"))
    drops.add(2, OSError(errno.ENOSPC, "full"))
    first, second, third = (dict[str, int]() for _ in range(3))
    drops.announce(first)
    drops.announce(second)
    drops.give_back(first["dropped"])
    drops.announce(third)

    assert (first, second, third) == ({"dropped": 3}, {}, {"dropped": 3})


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


def test_a_log_handler_that_raises_loses_no_drop() -> None:
    """The count is right, whoever fails to hear of it."""
    drops = Drops()
    with broken_handler():
        drops.add(1, OSError(errno.ENOSPC, "full"))

    assert drops.pending == 1
