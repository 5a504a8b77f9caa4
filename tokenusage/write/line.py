"""From a record to its line, whatever is in it and however long it is."""

from typing import Any

from tokenusage.record import MAX_LINE_BYTES, Record, encode


def to_line(record: Record) -> bytes:
    """Return `record` as one line of at most `MAX_LINE_BYTES`.

    What JSON or the length can't take is replaced in `record` itself, so that it
    stays what was written; fields that were cut are named in ``truncated``.
    """
    try:
        line = encode(record)
    except TypeError:  # orjson's answer to lone surrogates
        for name, value in record.items():
            record[name] = _encodable(value)
        line = encode(record)
    return line if len(line) <= MAX_LINE_BYTES else _shrink(record)


def _encodable(value: Any) -> Any:
    """Return `value` with lone surrogates replaced."""
    if isinstance(value, str):
        # Through UTF-16, because a pair of surrogates there is a character again.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


def _shrink(record: Record) -> bytes:
    """Cut texts and leave out objects until the line fits."""
    truncated: list[str] = []
    record["truncated"] = truncated
    line = encode(record)
    for name in _order_of_cuts(record):
        truncated.append(name)
        excess = len(encode(record)) - MAX_LINE_BYTES
        value = record[name]
        if isinstance(value, str):
            # A character takes at least a byte, so this is enough wherever it can be.
            record[name] = value[: max(0, len(value) - excess)]
        else:
            del record[name]
        line = encode(record)
        if len(line) <= MAX_LINE_BYTES:
            break
    return line


def _order_of_cuts(record: Record) -> list[str]:
    """Name what can be cut: the query, the error message, then the largest first."""
    sizes = {
        name: len(encode({name: value}))
        for name, value in record.items()
        if value and isinstance(value, str | dict) and name not in {"timestamp", "id"}
    }
    first = [name for name in ("query", "error_message") if sizes.pop(name, 0)]
    return first + sorted(sizes, key=sizes.__getitem__, reverse=True)
