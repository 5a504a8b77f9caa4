import re
from datetime import UTC, datetime, timedelta

import pytest

from tokenusage.keep.doctor.finding import Diagnosis, Finding, Weight
from tokenusage.keep.doctor.mend import Mended
from tokenusage.show.doctor import render_diagnosis

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FINDINGS = (
    Finding.at(
        "rejected-lines",
        Weight.WRONG,
        "Lines that are no records",
        [f"token_usage_2026-11-20.jsonl:{line} \x1b[31m is not JSON" for line in range(150)],
        help_="Mend them where they stand, or what writes them; nothing removes them.",
        count=2000,
        fixable=True,
    ),
    Finding("silence", Weight.WARNING, "No record was found: is anything logging here?"),
)


def rendered(
    *findings: Finding, mended: Mended | None = None, width: int = 80, newest: datetime = NOW
) -> str:
    diagnosis = Diagnosis(findings, files=2, records=1, newest=newest, summary_only_days=3)
    return render_diagnosis(diagnosis, mended, "logs", now=NOW, width=width)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_lines_fit_and_lose_nothing(width: int) -> None:
    """Words wrap, behind the column of weights; nothing is cut."""
    text = rendered(*FINDINGS, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "nothing removes them. --fix mends it." in " ".join(text.split())
    assert re.findall("^(wrong|warning|note) ", text, re.MULTILINE) == ["wrong", "warning"]


def test_places_that_are_not_named_are_counted() -> None:
    """Five are enough to begin with, however many there are."""
    text = rendered(*FINDINGS)
    assert text.count("token_usage") == 5
    assert "and 1,995 more" in text
    assert "\x1b" not in text


def test_what_was_mended_stands_first() -> None:
    """Then what is left; what --fix could mend is no news by then."""
    text = rendered(*FINDINGS, mended=Mended(["Made it"], ["x: Input/output error"]))
    assert text.startswith("mended   Made it\nfailed   x: Input/output error\n\nwrong ")
    assert "--fix" not in text


def test_fix_that_can_do_nothing_does_not_reassure() -> None:
    """Nothing to mend is only said where nothing is wrong."""
    assert rendered(*FINDINGS, mended=Mended()).startswith("--fix can mend nothing of this.\n")
    assert rendered(mended=Mended()).startswith("There was nothing to mend.\n")


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=25), "1 day ago"),
        (timedelta(days=40), "40 days ago"),
        (timedelta(minutes=-4), "just now"),
    ],
)
def test_one_line_says_how_it_is(age: timedelta, words: str) -> None:
    """With the age of the newest record, which tells whether anything is logging."""
    text = rendered(newest=NOW - age, width=200)
    facts = "2 files · 1 record · sums alone of 3 days"
    assert text == f"logs/: nothing wrong · {facts} · newest {words}\n"
