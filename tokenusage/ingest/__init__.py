"""Bringing data in: rows from elsewhere become records (`importer`), samples too (`demo`)."""
