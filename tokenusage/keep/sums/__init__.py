"""Summaries: the sums of a day's records, and the files of months that hold them."""
