"""Keeping the log directory: summaries, sealed days, retention, and what looks after them."""
