"""What the application's own log hears."""

import logging
from contextlib import suppress

from tokenusage.record import Record

logger = logging.getLogger("tokenusage")


def tell(level: int, message: str, *values: object) -> None:
    """Log `message`; a handler that raises costs neither the record nor the application's call."""
    with suppress(Exception):
        logger.log(level, message, *values, stacklevel=2)


def announce(record: Record) -> None:
    """Log a failed call at WARNING, any other at DEBUG."""
    if not record["success"]:
        _log(logging.WARNING, "A call has failed", record)
    elif logger.isEnabledFor(logging.DEBUG):
        _log(logging.DEBUG, "A call", record)


def _log(level: int, what: str, record: Record) -> None:
    # Quoted, so that a newline in a name can't forge a line; never the query.
    tell(
        level,
        "%s: %r on %r by %r, %d tokens, id %s, error %r",
        what,
        record["operation_type"],
        record["model_name"],
        record["user_id"],
        record["total_tokens"],
        record["id"],
        record["error_message"],
    )
