"""The tracker: what an application holds to record its calls."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Literal, Self, Unpack

from tokenusage.context import current
from tokenusage.errors import RecordError, WrongUseError
from tokenusage.record import CallFields, OptionalFields, Record
from tokenusage.write.announce import announce
from tokenusage.write.appender import Appender
from tokenusage.write.call import Call
from tokenusage.write.cost import PriceSource, add_cost
from tokenusage.write.drops import Drops
from tokenusage.write.fields import add_optional, as_utc, base_record, check_fields
from tokenusage.write.hit import hit_fields
from tokenusage.write.ids import Ids
from tokenusage.write.line import to_line
from tokenusage.write.logfile import NotSyncedError
from tokenusage.write.scope import with_scope


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


class Tracker:
    """Records LLM calls in the day files of a directory; safe for threads, forks and asyncio.

    Any number of trackers and processes can share a directory. A record that
    `record` has returned is in its file: nothing is buffered. `logs` is the
    absolute path of the directory.

    Args:
        logs: The log directory, made at need.
        pricer: Who prices the calls whose cost is not given; unset, list prices.
        clock: Tells the present moment, with its zone.
        query_chars: Characters kept of a query; 0 keeps none.
        file_mode: Permissions of new log files, whatever the umask.
        directory_mode: Permissions of the directory, if it is made here.
        sync: "record" makes every record survive a power loss, at a disk's pace.
        naive_timezone: Zone of timestamps in the logs that have none, for `get_usage_stats`.

    Raises:
        WrongUseError: `query_chars` or `sync` has a value that it can't have.
    """

    __slots__ = (
        "_appender",
        "_clock",
        "_drops",
        "_ids",
        "_naive_timezone",
        "_pricer",
        "_query_chars",
        "logs",
    )

    def __init__(
        self,
        logs: str | os.PathLike[str] = "logs",
        *,
        pricer: PriceSource | None = None,
        clock: Callable[[], datetime] = utc_now,
        query_chars: int = 500,
        file_mode: int = 0o600,
        directory_mode: int = 0o700,
        sync: Literal["none", "record"] = "none",
        naive_timezone: tzinfo = UTC,
    ) -> None:
        if query_chars < 0:
            raise WrongUseError(f"query_chars must be 0 or more, not {query_chars}.")
        if sync not in {"none", "record"}:
            raise WrongUseError(f"sync must be 'none' or 'record', not {sync!r}.")
        if pricer is None:
            # Takes a fifth of a second, so here and not at the first record.
            from tokenusage.price.pricer import Pricer  # noqa: PLC0415

            pricer = Pricer()
        # Absolute, so that a chdir doesn't move it.
        self.logs = Path(logs).absolute()
        self._pricer = pricer
        self._clock = clock
        self._query_chars = query_chars
        self._naive_timezone = naive_timezone
        self._ids = Ids()
        self._drops = Drops()
        self._appender = Appender(
            self.logs,
            file_mode=file_mode,
            directory_mode=directory_mode,
            sync=sync == "record",
        )

    def record(
        self,
        *,
        model_name: str,
        operation_type: str,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        user_id: int | str | None = None,
        query: str | None = None,
        response_time: float | None = None,
        success: bool = True,
        error_message: str | None = None,
        total_tokens: int | None = None,
        cost_estimate: float | None = None,
        timestamp: datetime | None = None,
        **optional: Unpack[OptionalFields],
    ) -> Record | None:
        """Record one call and return what was written; None when it had to be dropped.

        Tokens are inclusive: prompt tokens contain cache reads and writes,
        completion tokens contain reasoning; their sum is the total unless given.
        `cost_estimate` is what the provider itself reported, in US dollars; unset,
        the pricer is asked. `response_time` is in seconds. `timestamp` is when the
        call ended, with its zone; unset, it is now. What is unset here and said by
        a `tokenusage.track` around the call is taken from there.

        Raises:
            RecordError: a value that its field can't have.
            TypeError: an unknown field.
        """
        if scope := current():
            user_id = scope.get("user_id") if user_id is None else user_id
            query = scope.get("query") if query is None else query
            optional = with_scope(scope, optional)
        at = self._clock() if timestamp is None else timestamp
        if at.__class__ is not datetime or at.tzinfo is not UTC:
            at = as_utc(at)
        record = base_record(
            at,
            query_chars=self._query_chars,
            user_id=user_id,
            operation_type=operation_type,
            query=query,
            model_name=model_name,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            total_tokens=total_tokens,
            cost_estimate=cost_estimate,
            response_time=response_time,
            success=success,
            error_message=error_message,
        )
        record["id"] = self._ids.mint()
        if optional:
            add_optional(record, optional)
        add_cost(record, at, self._pricer)
        return self._write(record, at)

    def call(
        self,
        *,
        operation_type: str,
        model_name: str,
        user_id: int | str | None = None,
        query: str | None = None,
        **optional: Unpack[OptionalFields],
    ) -> Call:
        """Return a context manager that times a block and records it as one call.

            with tracker.call(operation_type="rag_answer", model_name="gpt-4o-mini") as call:
                answer = ask(...)
                call.tokens(prompt=answer.prompt_tokens, completion=answer.completion_tokens)

        Raises:
            TypeError: an unknown field.
            RecordError: a value that its field can't have.
        """
        base = {
            "operation_type": operation_type,
            "model_name": model_name,
            "user_id": user_id,
            "query": query,
        }
        return Call(self.record, {**base, **optional})

    def cache_hit(
        self,
        *,
        operation_type: str,
        model_name: str,
        level: str = "session",
        user_id: int | str | None = None,
        query: str | None = None,
        response_time: float | None = None,
        **optional: Unpack[OptionalFields],
    ) -> Record | None:
        """Record that the application's own cache has answered: no call, 0 tokens, cost 0.

        `level` says which of its caches: "session", "persistent", "search_results"
        or a word of its own. `model_name` is the model that would have been called.

        Raises:
            RecordError: a value that its field can't have.
            TypeError: an unknown field.
        """
        return self.record(
            operation_type=operation_type,
            model_name=model_name,
            user_id=user_id,
            query=query,
            response_time=response_time,
            **hit_fields(level, optional),
        )

    def record_response(
        self,
        response: Any,
        *,
        request: Mapping[str, Any] | None = None,
        **fields: Unpack[CallFields],
    ) -> Record | None:
        """Record one call by its response: an SDK's object, its body as a dict, or a list.

        A list holds the events of one stream. What `fields` leave unset is read from it, the
        `operation_type` too; `request` is the request's body, for tokens that go unreported.

        Raises:
            RecordError: a value that its field can't have, or what is no response.
            TypeError: an unknown field.
        """
        check_fields(fields)
        # The second door out of this room: who never captures never loads what reads payloads.
        from tokenusage.capture.by_hand import read_response  # noqa: PLC0415

        try:
            call = read_response(response, request, fields)
        except RecordError:
            raise
        except Exception as error:
            self.count_drop(error)
            return None
        return self.record(**call)

    def count_drop(self, cause: Exception) -> None:
        """Count a call that could not be recorded; the next record announces it.

        The logger warns of each kind of `cause` at most once a minute.
        """
        self._drops.add(1, cause)

    def get_usage_stats(
        self,
        days: int = 7,
        user_id: int | str | None = None,
        operation_type: str | None = None,
        model_name: str | None = None,
    ) -> dict[str, Any]:
        """Return the figures of the last `days` calendar days (UTC, today included).

        See `tokenusage.analyse.stats.usage_stats` for the keys.
        """
        # The one door to the reading half: pandas is loaded when it is opened.
        from tokenusage.analyse.stats import usage_stats  # noqa: PLC0415

        return usage_stats(
            self.logs,
            days=days,
            user_id=user_id,
            operation_type=operation_type,
            model_name=model_name,
            now=self._clock(),
            naive_zone=self._naive_timezone,
        )

    def close(self) -> None:
        """Close the files; a record after this opens them again."""
        self._appender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        self.close()

    def _write(self, record: Record, at: datetime) -> Record | None:
        written: Record | None = None
        drops = self._drops
        try:
            if drops.pending:
                drops.announce(record)
            self._appender.append(at.date(), to_line(record))
            written = record
        except NotSyncedError as error:
            drops.add(1, error)  # what it announces stands in the file
        except Exception as error:
            # Whatever it is, the application's own work goes on.
            drops.add(1 + record.get("dropped", 0), error)
        except BaseException:
            # The application hears of this record, but not of those before it.
            drops.give_back(record.get("dropped", 0))
            raise
        announce(record)
        return written
