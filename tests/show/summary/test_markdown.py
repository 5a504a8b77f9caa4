from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from reports import HOSTILE
from summaries import at, shop, summary_of, write

from tokenusage.show.summary.markdown import render_markdown

GOLDEN = Path(__file__).parent / "golden"


def test_the_document_looks_as_it_was_approved(tmp_path: Path) -> None:
    """Caption, headline, a table for each section, and the account."""
    summary = replace(summary_of(shop(tmp_path / "logs")), logs="logs")
    text = render_markdown(summary, command="tokenusage report")
    assert text == (GOLDEN / "shop.md").read_text()


def test_names_have_no_markup(tmp_path: Path) -> None:
    """Rows stay rows, whatever an operation is called."""
    call = at(timedelta(minutes=1), operation_type=HOSTILE.replace("\ud800", ""))
    text = render_markdown(summary_of(write(tmp_path / "logs", call)), command="tokenusage report")
    assert "\n| =1+1 \\\\x1b\\[31m\\[red\\]" in text


def test_nothing_to_sum_up_has_a_hint(tmp_path: Path) -> None:
    """It can be typed."""
    (tmp_path / "logs").mkdir()
    text = render_markdown(summary_of(tmp_path / "logs"), command="tokenusage report")
    assert "    Samples to look at: tokenusage demo --logs logs/demo\n" in text
