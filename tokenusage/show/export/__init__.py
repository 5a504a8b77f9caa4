"""Exported calls and reports in the formats that other programs open."""
