"""Settings from ``tokenusage.toml`` and the environment.

Only the command line and the default tracker read configuration; everything
else is given plain values. The file is the one that ``TOKENUSAGE_CONFIG``
names, else ``tokenusage.toml`` in the working directory, else none:

.. code-block:: toml

    logs = "/var/log/tokenusage"       # relative ones start at this file's directory
    naive_timezone = "Europe/Berlin"   # of timestamps that have no zone
    query_chars = 500                  # kept of a query; 0 keeps none
    file_mode = "0640"                 # of files and directories that are created
    directory_mode = "0750"
    sync = "record"                    # survive a power loss, at its price; else "none"
    keep_days = 30                     # of records, when `tokenusage rotate` runs; else all
    seal_after = 7                     # days, likewise; else none is sealed

and ``[aliases]`` and ``[[prices]]`` as `tokenusage.price.table` describes them.
Messages name the file and the key and never a value: it may be a secret.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

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
    naive_timezone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Zone of timestamps that have none."""
    query_chars: int = 500
    """Characters kept of a query; 0 keeps none."""
    file_mode: int = 0o600
    directory_mode: int = 0o700
    sync: Sync = "none"
    """``record`` makes every record survive a power loss (fdatasync)."""
    keep_days: int | None = None
    """Days before today of which rotate keeps the records; None keeps all."""
    seal_after: int | None = None
    """Days before today that rotate does not seal yet; None seals none."""
    prices: PriceTable = field(default_factory=PriceTable)


KEYS: Final = (
    "logs",
    "naive_timezone",
    "query_chars",
    "file_mode",
    "directory_mode",
    "sync",
    "keep_days",
    "seal_after",
    "prices",
    "aliases",
)
"""What a configuration file can hold."""

_MODE: Final = re.compile(r"0?[0-7]{3}")


def load_settings(
    environ: Mapping[str, str] = os.environ, cwd: str | os.PathLike[str] | None = None
) -> Settings:
    """Return the settings that hold in an environment and a working directory.

    `TOKENUSAGE_LOGS` goes over the file's ``logs``. Empty variables count as unset.

    Raises:
        ConfigError: the file can't be read, or something in it can't be.
    """
    here = Path(cwd) if cwd is not None else Path()
    named = environ.get(CONFIG_VARIABLE)
    path = here / (named or FILE_NAME)
    document = _read(path, required=bool(named))
    given = _settings(document, path)
    if logs := environ.get(LOGS_VARIABLE):
        given["logs"] = Path(logs)
    return Settings(**given)


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    """Return the content of a configuration file; empty where there is none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        if not required:
            return {}
        raise ConfigError(f"{CONFIG_VARIABLE} names {path}, which does not exist.") from error
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}.") from error
    try:
        # Exact decimals: prices are money.
        return tomllib.loads(content.decode(), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no valid TOML: {error}.") from error
    except (ValueError, RecursionError, ArithmeticError):
        # Bad UTF-8, an endless number, endless nesting: their messages quote the content.
        raise ConfigError(f"{path} is no valid TOML.") from None


def _settings(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the settings that a document gives, checked, by their names."""
    for key in document:
        if key not in KEYS:
            raise ConfigError(
                f"{key!r} in {path} is no setting: use {', '.join(KEYS)}." + nearest(key, KEYS)
            )
    given: dict[str, Any] = {"prices": parse_prices(document, str(path))}
    if "logs" in document:
        logs = document["logs"]
        if not isinstance(logs, str) or not logs:
            raise ConfigError(f"logs in {path} has to be a directory's name in quotes.")
        given["logs"] = path.parent / logs
    if "naive_timezone" in document:
        given["naive_timezone"] = _zone(document["naive_timezone"], path)
    for key, fewest in (("query_chars", 0), ("keep_days", 1), ("seal_after", 0)):
        if key in document:
            given[key] = _number(document[key], key, fewest, path)
    for key, least in (("file_mode", 0o600), ("directory_mode", 0o700)):
        if key in document:
            given[key] = _mode(document[key], key, least, path)
    if "sync" in document:
        if document["sync"] not in get_args(Sync):
            words = " or ".join(f'"{word}"' for word in get_args(Sync))
            raise ConfigError(f"sync in {path} has to be {words}.")
        given["sync"] = document["sync"]
    return given


def _number(number: object, key: str, fewest: int, path: Path) -> int:
    if type(number) is not int or number < fewest:
        raise ConfigError(f"{key} in {path} has to be a whole number from {fewest} on.")
    return number


def _zone(name: object, path: Path) -> ZoneInfo:
    try:
        if isinstance(name, str):
            return ZoneInfo(name)
    # ZoneInfo opens whatever file the name leads to.
    except (KeyError, ValueError, OSError):
        pass
    near = nearest(name, available_timezones()) if isinstance(name, str) else ""
    raise ConfigError(
        f'naive_timezone in {path} has to be an IANA zone such as "Europe/Berlin".{near}'
    )


def _mode(text: object, key: str, least: int, path: Path) -> int:
    if not isinstance(text, str) or not _MODE.fullmatch(text):
        raise ConfigError(
            f'{key} in {path} has to be a quoted octal number such as "{least | 0o040:04o}".'
        )
    mode = int(text, 8)
    if mode & least != least:
        raise ConfigError(f'{key} in {path} shuts out the owner: begin with "{least:04o}".')
    return mode
