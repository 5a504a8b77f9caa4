"""What a shell offers when the tab key is pressed: Typer's protocol, this program's words.

A shell evaluates what it is offered, and then the line that it is put into. So of the
names in the logs only those are offered that every shell takes for plain words: none with
blanks, quotes, backslashes, dollars, globs or control characters.
"""

import re
from collections.abc import Callable
from typing import Final

import typer
from typer import _completion_shared

from tokenusage.analyse.query import DIMENSIONS
from tokenusage.config import load_settings
from tokenusage.record import FIELDS

PLAIN: Final = re.compile(r"[\w@%+:,./][\w@%+=:,./-]*")
"""A name that needs no quotes in bash, zsh and fish, and is no option."""

BASH: Final = r"""
%(complete_func)s() {
    local IFS=$'\n' line=$COMP_LINE words=() i word value option
    # Bash has cut words at = : and @: those without a blank between them are one.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $i == 0 || $line == [[:blank:]]* ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
        line=${line#*"$word"}
    done
    word=${words[${#words[@]} - 1]} value=$word option=${words[${#words[@]} - 2]}
    if [[ $word == --*=* ]]; then
        value=${word#*=} option=${word%%%%=*}
    fi
    COMPREPLY=( $( env COMP_WORDS="${words[*]}" COMP_CWORD=$((${#words[@]} - 1)) \
                   %(autocomplete_var)s=complete_bash "$1" ) )
    # Only the last of its own words ($2) is what bash replaces.
    COMPREPLY=( "${COMPREPLY[@]#"${value%%"$2"}"}" )
    if [[ ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
    case $option in
        --user|--operation|--model|--where|--mean|--by|--id)
            compopt +o default 2>/dev/null ;;  # no file has such a name
    esac
    return 0
}

complete -o default -F %(complete_func)s %(prog_name)s
"""
"""What bash runs: Typer's own takes ``ft:gpt`` and ``--model=gpt`` for several words."""

# The place where Typer keeps its scripts; where another version has none, its own is used.
getattr(_completion_shared, "_completion_scripts", {})["bash"] = BASH


def words(known: tuple[str, ...]) -> Callable[[], list[str]]:
    """Return what completes an option that takes one of the `known` words."""
    return lambda: list(known)


def complete_user(ctx: typer.Context) -> list[str]:
    """Return the users in the logs."""
    return _names(ctx, "user_id")


def complete_operation(ctx: typer.Context) -> list[str]:
    """Return the operations in the logs."""
    return _names(ctx, "operation_type")


def complete_model(ctx: typer.Context) -> list[str]:
    """Return the models in the logs."""
    return _names(ctx, "model_name")


def complete_field(incomplete: str) -> list[str]:
    """Return the fields of a record as ``--where`` takes them, each with its ``=``."""
    return [] if "=" in incomplete else [f"{field}=" for field in FIELDS]


def complete_dimensions(incomplete: str) -> list[str]:
    """Return the dimensions that ``--by`` takes, also behind a comma; each once."""
    given = incomplete.split(",")[:-1]
    start = "".join(f"{name}," for name in given)
    return [f"{start}{name}" for name in DIMENSIONS if name not in given]


def complete_schema() -> list[str]:
    """Return the names of the JSON Schemas."""
    from tokenusage.show.schema import schema_names

    return schema_names()


def _names(ctx: typer.Context, field: str) -> list[str]:
    from tokenusage.read.names import names_in

    try:
        logs = ctx.params.get("logs") or load_settings().logs
        return [name for name in names_in(logs, field) if PLAIN.fullmatch(name)]
    except Exception:
        # Whatever is wrong with the logs, a sentence in the middle of a command line that is
        # being typed would not help; the command says it when it runs.
        return []
