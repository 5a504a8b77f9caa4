"""What was forgotten, and what stays, as text."""

from datetime import date

from tokenusage.keep.forget.outcome import Form, Found, Left, Outcome
from tokenusage.show.forgetting import render_forgetting

DAY = date(2026, 11, 20)
FOUND = (Found(Form.LOG, DAY, 7, 1),)


def shown(outcome: Outcome, *, dry_run: bool = False, width: int = 200) -> str:
    return render_forgetting(outcome, "ann", "m", delete=False, dry_run=dry_run, width=width)


def test_what_stays_is_said_with_its_files() -> None:
    """All of them are named, and nothing is said to be forgotten."""
    left = (Left("a: No space left on device", 40, 2), Left("b: gone", 23, sums=1), Left("c: odd"))
    assert shown(Outcome((), (), left)) == (
        "63 records of user ann, 2 lines that name them and the sums of 1 day "
        "stay in 2 files that could not be changed:\n"
        "  a: No space left on device\n"
        "  b: gone\n"
        "\n"
        "1 file had to be left alone, and may name them:\n"
        "  c: odd\n"
    )


def test_nothing_is_said_only_of_what_was_read() -> None:
    """A file that could not be read may name them."""
    assert shown(Outcome((), (), ())) == "Nothing of user ann in m/.\n"
    assert shown(Outcome((), (), (Left("c: odd"),))).startswith(
        "Nothing of user ann in the files of m/ that could be read.\n"
    )


def test_part_that_stays_is_no_part_of_what_is_forgotten() -> None:
    """Each has its own count; in a dry run both are what would be."""
    text = shown(Outcome(FOUND, (DAY,), (Left("a: locked", 3),)), dry_run=True)
    assert "7 records of user ann in m/ would get a pseudonym" in text
    assert "3 records of user ann would stay in 1 file that could not be changed:" in text


def test_records_of_others_with_their_address_are_counted() -> None:
    """One is not two."""
    two, one = (shown(Outcome(FOUND, (), (), addressed=number)) for number in (2, 1))
    assert "2 records of other users carry their address and stay.\n" in two
    assert "1 record of other users carries their address and stays.\n" in one


def test_sentences_fit_the_terminal() -> None:
    """Whatever is said."""
    left = (Left("token_usage_2026-11-20.jsonl: No space left on device, as it is said", 3),)
    text = shown(Outcome(FOUND, (DAY,), left, addressed=2), width=60)
    assert max(map(len, text.splitlines())) <= 60
