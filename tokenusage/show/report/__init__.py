"""The report: its rows arranged, as a table, as Markdown, as JSON and CSV."""
