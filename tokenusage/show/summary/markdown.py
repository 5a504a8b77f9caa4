"""The summary as Markdown, to be pasted or handed on."""

from tokenusage.analyse.summary.page import Summary
from tokenusage.show.inert import escape_markdown
from tokenusage.show.report.markdown import aligned, prose, table_line
from tokenusage.show.summary.facts import caption_of, facts, headline, notes
from tokenusage.show.summary.sections import ALL_TIME, Section, by_period, of_all_time
from tokenusage.show.words import empty_answer, ledger_parts


def render_markdown(summary: Summary, *, command: str) -> str:
    """Return a summary as a Markdown section: caption, headline, tables and ledger.

    Args:
        summary: the answer.
        command: how to ask for a report of the same directory, for a hint that can be typed.
    """
    title, *conditions = caption_of(summary)
    parts = [f"## {title}", prose(conditions)]
    ledger, totals = summary.ledger, summary.totals
    if totals.calls or totals.cache_hits:
        parts.append(f"**{prose(headline(summary))}**")
        parts += map(_table, by_period(summary))
        parts.append(f"### {ALL_TIME}")
        parts += map(_table, of_all_time(summary))
        said = (f"- {name.capitalize()}: {prose(words)}" for name, words in facts(summary))
        parts.append("\n".join(said))
    else:
        *sentences, last = empty_answer(ledger, summary.newest_day, summary.logs, command)
        parts += [escape_markdown(" ".join(sentences)), f"    {last.strip()}"]
    parts.append(prose(ledger_parts(ledger, totals.unpriced)))
    parts.append("\n".join(f"- {escape_markdown(note)}" for note in notes(summary)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(section: Section) -> str:
    names = [section.heading.capitalize()]
    lines = aligned(names, list(map(escape_markdown, section.headers.values())))
    for label, figures in section.rows:
        texts = (figures[name] for name in section.headers)
        lines.append(table_line(map(escape_markdown, (label, *texts))))
    return "\n".join(lines)
