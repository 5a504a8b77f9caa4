"""``tokenusage statusline``: what today has cost, for a shell prompt or tmux."""

from tokenusage.cli import options
from tokenusage.cli.output import emit


def statusline(*, logs: options.Logs = None, tz: options.Tz = "UTC") -> None:
    """Print what today has cost in a few words, for a shell prompt or tmux.

    It remembers in your cache directory what it has read, and reads what was appended
    since: at once, however large the logs are. The first look of a day reads all of
    the day, in a zone other than UTC all of the two or three UTC days around it, which
    takes seconds where that is hundreds of thousands of calls.

    Examples:
      tokenusage statusline --tz local
      tokenusage statusline --logs logs/demo
    """
    from tokenusage.cli.quick import statusline_text

    emit(f"{statusline_text(logs, tz)}\n", None)
