"""The summary for people, as tables or Markdown, and for programs."""
