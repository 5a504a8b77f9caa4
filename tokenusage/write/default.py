"""The default tracker: configured by ``tokenusage.toml`` and the environment at first use."""

import threading
from typing import Any

from tokenusage.write.forks import renew_after_fork
from tokenusage.write.tracker import Tracker


class DefaultTracker(Tracker):
    """A tracker whose making costs nothing; it reads its configuration when first used.

    Raises, at first use and until it is mended:
        ConfigError: the configuration holds something that can't be.
    """

    __slots__ = ("__weakref__", "_made", "_making")

    def __init__(self) -> None:
        # Not Tracker's: its attributes are missing until __getattr__ is asked for one.
        self._made = False
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Let a forked child make the tracker, even where another thread was about to."""
        self._making = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        # Called only for what isn't there: what a tracker has once it is made, or nothing.
        if name not in Tracker.__slots__:
            raise AttributeError(f"A tracker has no attribute {name!r}.", name=name, obj=self)
        with self._making:
            if not self._made:
                self._make()
                self._made = True
        return object.__getattribute__(self, name)

    def _make(self) -> None:
        from tokenusage.config import load_settings  # noqa: PLC0415
        from tokenusage.price.pricer import Pricer  # noqa: PLC0415

        settings = load_settings()
        super().__init__(
            settings.logs,
            pricer=Pricer(settings.prices),
            query_chars=settings.query_chars,
            file_mode=settings.file_mode,
            directory_mode=settings.directory_mode,
            sync=settings.sync,
            naive_timezone=settings.naive_timezone,
        )


tracker = DefaultTracker()
"""The default tracker of the process; ``from tokenusage import tracker``."""
