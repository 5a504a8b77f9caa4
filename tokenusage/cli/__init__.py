"""The command line: the only room that prints, exits and reads configuration."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit with its code.

    Args:
        arguments: the words after the program's name; None takes them from the process.
    """
    try:
        # Late, so that Ctrl-C is answered from the first moment on.
        from tokenusage.cli.app import main as run

        run(arguments)
    except KeyboardInterrupt:
        sys.exit(130)
