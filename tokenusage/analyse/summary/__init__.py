"""`tokenusage summary`: the fixed periods of the morning's page, and what stands under them.

One scan answers all of it. Everything here works on Arrow's columns by numpy: a page that is
looked at every morning does without importing pandas.
"""
