from datetime import date, timedelta
from pathlib import Path

import pytest

from tokenusage.keep.outcome import Outcome, Result
from tokenusage.keep.plan import Action, Plan, Step
from tokenusage.logs import DayFile
from tokenusage.show.rotation import render_outcome, render_plan, size

DAY = date(2026, 11, 1)
OUTCOME = Outcome(
    (
        Result(DAY, Action.REMOVE, 4_301_000, 0, 10_000),
        Result(DAY + timedelta(1), Action.SEAL, 52_100_999, 4_300_000, 120_000),
        Result(DAY + timedelta(2), Action.LEAVE, 900, 900, why="it was written to meanwhile"),
        Result(DAY + timedelta(3), Action.LEAVE, 900, 900, why="No space left", failed=True),
    ),
    "Nothing is sealed or removed: 20 days lie between.",
)


def test_what_was_done_is_a_table() -> None:
    """Days, figures, reasons below, and the sum of it."""
    assert render_outcome(OUTCOME, "logs", width=80) == (
        "DAY         WHAT        RECORDS   BEFORE   AFTER\n"
        "2026-11-01  removed      10,000   4.3 MB     0 B\n"
        "2026-11-02  sealed      120,000  52.1 MB  4.3 MB\n"
        "2026-11-03  left alone             900 B   900 B\n"
        "2026-11-04  failed                 900 B   900 B\n"
        "\n"
        "2026-11-03  it was written to meanwhile\n"
        "2026-11-04  No space left\n"
        "\n"
        "logs/: 1 day sealed, 1 day removed, 56.4 MB → 4.3 MB.\n"
        "Nothing is sealed or removed: 20 days lie between.\n"
    )


def test_quiet_is_one_line() -> None:
    """With the doubt, which nobody should miss."""
    assert render_outcome(OUTCOME, "logs", width=60, quiet=True) == (
        "logs/: 1 day sealed, 1 day removed, 56.4 MB → 4.3 MB. "
        "Nothing is sealed or removed: 20 days lie between.\n"
    )
    assert render_outcome(Outcome(()), "logs", width=60, quiet=True) == "Nothing to do in logs/.\n"


def test_a_plan_says_what_would_be_done() -> None:
    """With its reasons, in lines that fit; figures are never cut."""
    file = DayFile("x", Path("x"), DAY, 1500, 1)
    why = "a writer without lock may still be at its file, until 2026-11-04"
    plan = Plan((Step(DAY, Action.SUMMARISE, (file, file), why),), (DAY + timedelta(1),))
    assert render_plan(plan, "logs/", width=60) == (
        "DAY         WHAT             FILES    SIZE\n"
        "2026-11-01  would summarise      2  3.0 kB\n"
        "\n"
        "2026-11-01  a writer without lock may still be at its file,\n"
        "            until 2026-11-04\n"
        "2026-11-02  it is not over for an hour yet, so it is left\n"
        "            alone\n"
        "\n"
        "Would be done in logs/: 1 day summarised, of 3.0 kB.\n"
    )
    assert render_plan(Plan(()), "logs", width=60) == "Nothing would be done in logs/.\n"


def test_names_and_reasons_are_inert() -> None:
    """A file name in a reason moves no cursor."""
    hostile = Outcome((Result(DAY, Action.LEAVE, 1, 1, why="x\x1b[2J\u202e", failed=True),))
    text = render_outcome(hostile, "logs\x1b[2J", width=80)
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_951, "1.0 MB"),
        (10**20, "100,000.0 PB"),
    ],
)
def test_sizes_take_the_unit_that_suits_them(count: int, text: str) -> None:
    """Of a thousand each."""
    assert size(count) == text
