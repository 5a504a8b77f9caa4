"""A diagnosis as text and as JSON."""

import textwrap
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import orjson

from tokenusage.keep.doctor.finding import Diagnosis, Finding, Weight
from tokenusage.keep.doctor.mend import Mended
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, counted

SCHEMA: Final = "tokenusage.doctor/1"

SHOWN_PLACES: Final = 5
"""Places that are named under a finding; JSON has more of them."""

_NOTHING: Final = "There was nothing to mend."

_MARGIN: Final = max(map(len, Weight)) + 2


def render_diagnosis(
    diagnosis: Diagnosis, mended: Mended | None, logs: str, *, now: datetime, width: int
) -> str:
    """Return what was found, and what was mended before, as text.

    Args:
        diagnosis: what there is to say.
        mended: what was mended; None where that was not asked for.
        logs: the directory, as it is called.
        now: the clock.
        width: columns of the terminal.
    """
    blocks = []
    if mended is not None:
        done = [_entry("mended", sentence, width) for sentence in mended.done]
        done += [_entry("failed", sentence, width) for sentence in mended.failed]
        nothing = "--fix can mend nothing of this." if diagnosis.findings else _NOTHING
        blocks += [line for entry in done for line in entry] or [nothing]
        blocks.append("")
    for finding in diagnosis.findings:
        blocks += [*_finding(finding, width, fixing=mended is not None), ""]
    blocks += _wrapped(_headline(diagnosis, logs, now), width, "")
    return "\n".join(blocks) + "\n"


def render_diagnosis_json(
    diagnosis: Diagnosis, mended: Mended | None, logs: str, *, now: datetime
) -> str:
    """Return the same as JSON; the arguments are those of `render_diagnosis`.

    Names of files may be no text at all, so they are as inert here as in a terminal.
    """
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "logs": inert(logs),
        "time": now.isoformat(),
        **{weight.value: diagnosis.count(weight) for weight in Weight},
        "files": diagnosis.files,
        "records": diagnosis.records,
        "newest": diagnosis.newest.isoformat() if diagnosis.newest else None,
        "summary_only_days": diagnosis.summary_only_days,
        "findings": [_as_json(finding) for finding in diagnosis.findings],
        "mended": [inert(sentence) for sentence in mended.done] if mended else [],
        "failed": [inert(sentence) for sentence in mended.failed] if mended else [],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "weight": finding.weight.value,
        "what": inert(finding.what),
        "count": finding.count,
        "where": [inert(place) for place in finding.where],
        "help": inert(finding.help),
        "fixable": finding.fixable,
    }


def _finding(finding: Finding, width: int, *, fixing: bool) -> Iterable[str]:
    number = "" if finding.count is None else f": {count(finding.count)}"
    end = "" if finding.count is not None or finding.what.endswith("?") else "."
    yield from _entry(finding.weight, f"{finding.what}{number}{end}", width)
    indent = " " * (_MARGIN + 2)
    for place in finding.where[:SHOWN_PLACES]:
        yield from _wrapped(inert(place), width, indent)
    more = finding.more + len(finding.where[SHOWN_PLACES:])
    if more:
        yield f"{indent}and {count(more)} more"
    advice = [finding.help] if finding.help else []
    if finding.fixable and not fixing:
        advice.append("--fix mends it.")
    if advice:
        yield from _wrapped(inert(" ".join(advice)), width, " " * _MARGIN)


def _entry(word: str, sentence: str, width: int) -> list[str]:
    first, *rest = _wrapped(inert(sentence), width, " " * _MARGIN)
    return [word.ljust(_MARGIN) + first[_MARGIN:], *rest]


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _headline(diagnosis: Diagnosis, logs: str, now: datetime) -> str:
    """Return the one line that stands under everything, or alone."""
    wrong, warnings, notes = (diagnosis.count(weight) for weight in Weight)
    parts = [f"{count(wrong)} wrong" if wrong else "nothing wrong"]
    parts += [counted(warnings, "warning")] if warnings else []
    parts += [counted(notes, "note")] if notes else []
    facts = [counted(diagnosis.files, "file"), counted(diagnosis.records, "record")]
    if diagnosis.summary_only_days:
        facts.append(f"sums alone of {counted(diagnosis.summary_only_days, 'day')}")
    if diagnosis.newest:
        facts.append(f"newest {_age(diagnosis.newest, now)}")
    return f"{inert(logs.rstrip('/') + '/')}: {', '.join(parts)} · {' · '.join(facts)}"


def _age(moment: datetime, now: datetime) -> str:
    minutes = int((now - moment).total_seconds()) // 60
    for length, noun in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= length:
            return f"{counted(minutes // length, noun)} ago"
    return "just now"
