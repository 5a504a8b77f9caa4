"""Arrow columns as the JSON texts that the logger writes for them."""

from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.read.arrays import from_numpy, to_numpy

_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_EPOCH: Final = date(1970, 1, 1).toordinal()
_TEMPLATE: Final = np.frombuffer(b"0000-00-00T00:00:00.000000+00:00", np.uint8)
_SPECIAL: Final = r'["\\\x00-\x1f]'
_QUOTE, _BACKSLASH = b'"\\'


def _digits(count: int) -> npt.NDArray[np.uint8]:
    """Return all numbers of `count` digits, one a row."""
    text = "".join(f"{number:0{count}d}" for number in range(10**count))
    return np.frombuffer(text.encode(), np.uint8).reshape(-1, count)


_PAIRS: Final = _digits(2)
_TRIPLES: Final = _digits(3)


def moments(timestamps: pa.Array) -> pa.Array:
    """Return timestamps in microseconds, none of them null, as ISO 8601 texts in UTC."""
    micro = to_numpy(timestamps.cast(pa.int64()))
    days, rest = np.divmod(micro, _DAY)
    seconds, fraction = np.divmod(rest, _SECOND)
    text = np.tile(_TEMPLATE, (len(micro), 1))
    distinct, place = np.unique(days, return_inverse=True)
    dates = "".join(date.fromordinal(_EPOCH + int(day)).isoformat() for day in distinct)
    text[:, :10] = np.frombuffer(dates.encode(), np.uint8).reshape(-1, 10)[place]
    text[:, 11:13] = _PAIRS[seconds // 3600]
    text[:, 14:16] = _PAIRS[seconds // 60 % 60]
    text[:, 17:19] = _PAIRS[seconds % 60]
    text[:, 20:23] = _TRIPLES[fraction // 1000]
    text[:, 23:26] = _TRIPLES[fraction % 1000]
    offsets = np.arange(len(micro) + 1, dtype=np.int32) * text.shape[1]
    return strings(offsets, pa.py_buffer(text))


def doubles(numbers: pa.Array, whole: pa.Array) -> pa.Array:
    """Return doubles as JSON numbers, each with a comma behind it, and null as ``null``.

    Args:
        numbers: the doubles.
        whole: which of them are written without a decimal point.
    """
    if not len(numbers):
        return pa.array([], pa.string())
    values = to_numpy(pc.fill_null(numbers, float("nan")))  # which orjson writes as null
    text = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] + b","
    commas = np.flatnonzero(np.frombuffer(text, np.uint8) == ord(","))
    offsets = np.concatenate(([0], commas + 1)).astype(np.int32)
    texts = strings(offsets, pa.py_buffer(text))
    if not pc.any(whole).as_py():
        return texts
    integers = pc.if_else(whole, numbers, 0.0).cast(pa.int64()).cast(pa.string())
    return pc.if_else(whole, join(integers, ",", missing=""), texts)


def quoted(texts: pa.Array) -> pa.Array:
    """Return texts as JSON strings; null stays null."""
    plain = pc.binary_join_element_wise('"', texts, '"', "")
    if not has_special(texts):
        return plain
    special = pc.fill_null(pc.match_substring_regex(texts, _SPECIAL), fill_value=False)
    escaped = [orjson.dumps(text).decode() for text in texts.filter(special).to_pylist()]
    return pc.replace_with_mask(plain, special, pa.array(escaped, pa.string()))


def join(*pieces: Any, missing: str) -> pa.Array:
    """Put pieces behind each other, row by row, with `missing` for null."""
    return pc.binary_join_element_wise(
        *pieces, "", null_handling="replace", null_replacement=missing
    )


def strings(offsets: npt.NDArray[np.int32], text: pa.Buffer) -> pa.Array:
    """Return the pieces of `text` between neighbouring offsets, without copying them."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), text)


def slices(text: bytes, starts: npt.NDArray[Any], ends: npt.NDArray[Any]) -> pa.Array:
    """Return the pieces ``text[start:end]``, which follow each other and don't overlap."""
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[:-1:2], offsets[1::2], offsets[-1] = starts, ends, len(text)
    every_other = from_numpy(np.arange(0, 2 * len(starts), 2))
    return strings(offsets, pa.py_buffer(text)).take(every_other)


def has_special(texts: pa.Array) -> bool:
    """Return whether JSON has to escape anything in these texts."""
    _, offsets, text = texts.buffers()
    if text is None or not len(texts):
        return False
    bounds = np.frombuffer(offsets, np.int32)[[texts.offset, texts.offset + len(texts)]]
    part = np.frombuffer(text, np.uint8)[bounds[0] : bounds[1]]
    return bool(((part < 0x20) | (part == _QUOTE) | (part == _BACKSLASH)).any())
