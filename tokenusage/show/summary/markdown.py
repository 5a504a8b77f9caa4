"""The summary as Markdown, to be pasted or handed on."""

from tokenusage.analyse.summary.page import Summary
from tokenusage.show.inert import escape_markdown
from tokenusage.show.markdown import account, aligned, hint, prose, section, table_line, title
from tokenusage.show.summary.facts import caption_of, facts, headline, notes
from tokenusage.show.summary.sections import ALL_TIME, Section, by_period, of_all_time
from tokenusage.show.words import empty_answer, ledger_parts


def render_markdown(summary: Summary, *, command: str) -> str:
    """Return a summary as a Markdown section: caption, headline, tables and ledger.

    Args:
        summary: the answer.
        command: how to ask for a report of the same directory, for a hint that can be typed.
    """
    parts = title(caption_of(summary))
    ledger, totals = summary.ledger, summary.totals
    if totals.calls or totals.cache_hits:
        parts.append(f"**{prose(headline(summary))}**")
        parts += map(_table, by_period(summary))
        parts.append(f"### {ALL_TIME}")
        parts += map(_table, of_all_time(summary))
        said = (f"- {name.capitalize()}: {prose(words)}" for name, words in facts(summary))
        parts.append("\n".join(said))
    else:
        parts += hint(empty_answer(ledger, summary.newest_day, summary.logs, command))
    return section([*parts, *account(ledger_parts(ledger, totals.unpriced), notes(summary))])


def _table(block: Section) -> str:
    names = [block.heading.capitalize()]
    lines = aligned(names, list(map(escape_markdown, block.headers.values())))
    for label, figures in block.rows:
        texts = (figures[name] for name in block.headers)
        lines.append(table_line(map(escape_markdown, (label, *texts))))
    return "\n".join(lines)
