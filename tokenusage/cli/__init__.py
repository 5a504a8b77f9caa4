"""The command line: the only room that prints, exits and reads configuration."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit with its code.

    Args:
        arguments: the words after the program's name; None takes them from the process.
    """
    try:
        # All late, so that Ctrl-C is answered from the first moment on.
        words = sys.argv[1:] if arguments is None else list(arguments)
        if words[:1] == ["statusline"]:
            from tokenusage.cli.quick import run_statusline

            if run_statusline(words[1:]):
                sys.exit(0)

        from tokenusage.cli.app import main as run

        run(arguments)
    except KeyboardInterrupt:
        sys.exit(130)
