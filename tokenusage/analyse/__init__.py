"""Questions and their answers: from a frame of calls to the rows of a report.

Everything here is pure: DataFrames and plain values in, plain values out.
"""
