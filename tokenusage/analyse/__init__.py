"""Questions and their answers: from the records that `read` finds to figures.

Nothing here prints, and every clock is passed in.
"""
