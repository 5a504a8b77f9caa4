"""Settings from ``tokenusage.toml`` and the environment.

Only the command line and the default tracker read configuration; everything
else is given plain values. The file is the one that ``TOKENUSAGE_CONFIG``
names, else ``tokenusage.toml`` in the working directory, else none.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from tokenusage.errors import ConfigError, nearest
from tokenusage.price.table import PriceTable, parse_prices

Sync = Literal["none", "record"]

FILE_NAME: Final = "tokenusage.toml"
CONFIG_VARIABLE: Final = "TOKENUSAGE_CONFIG"
LOGS_VARIABLE: Final = "TOKENUSAGE_LOGS"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured, with what holds where nothing is."""

    logs: Path = Path("logs")
    naive_timezone: tzinfo = ZoneInfo("UTC")
    """Zone of timestamps that have none."""
    query_chars: int = 500
    """Characters kept of a query; 0 keeps none."""
    file_mode: int = 0o600
    directory_mode: int = 0o700
    sync: Sync = "none"
    """``record`` makes every record survive a power loss (fdatasync)."""
    prices: PriceTable = field(default_factory=PriceTable)
