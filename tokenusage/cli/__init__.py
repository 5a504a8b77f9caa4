"""The command line: the only room that prints, exits and reads configuration."""

from tokenusage.cli.app import main

__all__ = ["main"]
