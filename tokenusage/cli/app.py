"""The program: its commands, and the one place where errors become exit codes."""

import codecs
import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import typer

from tokenusage.cli.calls import calls
from tokenusage.cli.command import Command, Group
from tokenusage.cli.demo import demo
from tokenusage.cli.doctor import doctor
from tokenusage.cli.export import export
from tokenusage.cli.forget import forget
from tokenusage.cli.import_ import import_
from tokenusage.cli.log import log
from tokenusage.cli.prices import prices
from tokenusage.cli.report import report
from tokenusage.cli.rotate import rotate
from tokenusage.cli.schema import schema
from tokenusage.cli.statusline import statusline
from tokenusage.cli.summary import summary
from tokenusage.cli.top import top
from tokenusage.cli.watch import watch
from tokenusage.errors import TokenUsageError
from tokenusage.show.inert import inert

DEBUG_VARIABLE: Final = "TOKENUSAGE_DEBUG"
"""When set, an unexpected error prints its traceback."""

_ESCAPE: Final = "tokenusage.escape"

_LIBRARY_SETTINGS: Final = {
    # pyarrow keeps for a moment (ms) the memory that it has freed: to touch fresh memory
    # again costs a tenth of the time of a report of a million records, and to keep it for
    # ever a quarter more memory.
    "MIMALLOC_PURGE_DELAY": "200",
    # numpy starts no threads for the linear algebra that nobody here does.
    "OPENBLAS_NUM_THREADS": "1",
}

app = typer.Typer(
    cls=Group,
    # Without markup help is plain text: no boxes in a pipe, no import of rich.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: object) -> None:
    if wanted:
        # A third of the time of --help, which has no use for it.
        from importlib.metadata import version

        typer.echo(f"tokenusage {version('tokenusage')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _program(
    context: typer.Context,
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Who spends what on which LLM, for which operation: a ledger without a server."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _add(command: Callable[..., Any], name: str, panel: str) -> None:
    app.command(name, cls=Command, rich_help_panel=panel)(command)


_add(report, "report", "Report")
_add(summary, "summary", "Report")
_add(top, "top", "Report")
_add(calls, "calls", "Report")
_add(watch, "watch", "Report")
_add(statusline, "statusline", "Report")
_add(rotate, "rotate", "Keep")
_add(export, "export", "Keep")
_add(forget, "forget", "Keep")
_add(doctor, "doctor", "Keep")
_add(log, "log", "Log")
_add(prices, "prices", "Prices and data")
_add(import_, "import", "Prices and data")
_add(schema, "schema", "Prices and data")
_add(demo, "demo", "Prices and data")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit with its code.

    Args:
        arguments: the words after the program's name; None takes them from the process.
    """
    # A command ends before its garbage matters. Measured on a report of 10 000
    # records, looking for it makes the whole process 15 % slower while it runs, and
    # as much again when it ends, which freezing what is left prevents.
    gc.disable()
    for name, value in _LIBRARY_SETTINGS.items():
        os.environ.setdefault(name, value)
    if sys.stdout is None or sys.stderr is None:
        sys.exit(1)  # closed by whoever started it: there is nowhere to say anything
    # A terminal that has no such character gets an escape, not a crash.
    codecs.register_error(_ESCAPE, _escaped)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors=_ESCAPE)  # type: ignore[union-attr]
    code = _run(sys.argv[1:] if arguments is None else arguments)
    gc.freeze()
    sys.exit(code)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Return JSON's escapes of what can't be encoded, ``\u00e9``, so that JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    escapes = (f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
    return "".join(escapes), error.end


def _run(arguments: Sequence[str]) -> int:
    """Run the program and return its exit code; errors are one sentence on stderr."""
    try:
        code = app(args=list(arguments), prog_name="tokenusage", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _fail(_sentence(error), error.exit_code)
    except typer.Abort:
        return _fail("Aborted.", 1)
    except TokenUsageError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _leave_quietly()
    except SystemExit as leaving:
        # Typer's own answer to a broken pipe is exit code 1.
        if isinstance(leaving.__context__, BrokenPipeError):
            return _leave_quietly()
        raise
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}"
        return _fail(
            f"Something unexpected went wrong ({what}); {DEBUG_VARIABLE}=1 shows where.", 1
        )
    return code if isinstance(code, int) else 0


def _sentence(error: typer.TyperException) -> str:
    """Return what is wrong with the command line, with the nearest option where one is near."""
    possible: Sequence[str] | None = getattr(error, "possibilities", None)
    if possible:
        return f"{error.message}. Did you mean {possible[0]}?"
    return error.format_message()


def _fail(sentence: str, code: int) -> int:
    typer.echo(f"tokenusage: {inert(' '.join(sentence.split()))}", err=True)
    return code


def _leave_quietly() -> int:
    # Python flushes stdout once more as it exits, and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
