"""Reports as text: tables, Markdown, JSON and CSV. Nothing here prints."""
