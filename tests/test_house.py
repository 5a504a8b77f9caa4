"""The rules that keep the rooms apart, held against every import there is."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tokenusage"
SOURCES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"pandas", "numpy", "pyarrow", "rich", "genai_prices"}

ROOMS = {
    # room: the rooms that it may import; every room may import the ground floor
    "price": set(),
    "write": {"price"},
    "capture": {"write", "price"},
    "read": set(),
    "analyse": {"read", "price"},
    "ingest": {"read", "write", "price"},
    "keep": {"analyse", "read", "write", "price"},
    "show": {"keep", "analyse", "read", "price"},
    "cli": {"analyse", "read", "write", "price", "ingest", "keep", "show"},
}
GROUND = {"errors", "record", "logs", "files", "context"}
CLIENTS = {"openai", "anthropic", "google", "litellm", "httpx", "httpx2", "wrapt"}
DOORS = {
    # what `track` is given is checked as the records are
    ("context.py", "tokenusage.write.fields"),
    # a response by hand: payloads are read where the hooks read them, when it is called
    ("write/tracker.py", "tokenusage.capture.by_hand"),
    # the one way from the writing half to the reading half, opened when it is called
    ("write/tracker.py", "tokenusage.analyse.stats"),
    # only the default tracker reads configuration
    ("write/default.py", "tokenusage.config"),
    # settings hold the prices as they are parsed
    ("config.py", "tokenusage.price.table"),
}


def imports(path: Path, *, late: bool = True) -> Iterator[str]:
    """Yield the modules that a file imports, those inside of functions too if `late`."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if late else iter(tree.body)
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            package = ROOT.joinpath(*node.module.split("."))
            for alias in node.names:
                is_module = (package / f"{alias.name}.py").exists()
                yield f"{node.module}.{alias.name}" if is_module else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_only_what_lies_upstream(path: Path) -> None:
    """Data flows one way: write and read share only the ground floor, cli sees all."""
    name = str(path.relative_to(PACKAGE))
    room = path.relative_to(PACKAGE).parts[0]
    if name in {"__init__.py", "__main__.py"}:
        return
    allowed = GROUND | ROOMS.get(room, set()) | {room} | ({"config"} if room == "cli" else set())
    for module in imports(path):
        if module.split(".")[0] == "tokenusage" and (name, module) not in DOORS:
            assert module != "tokenusage", f"{name} imports from the package root"
            assert room_of(module) in allowed, f"{name} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_where_they_are_lived_on(path: Path) -> None:
    """What logs and what holds plain values loads no heavy library."""
    room = path.relative_to(PACKAGE).parts[0]
    at_once = {module.split(".")[0] for module in imports(path, late=False)} & HEAVY
    if room == "write" or path.parent == PACKAGE:
        assert not at_once, f"{path} imports {at_once} at the top"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_clients_are_never_imported_by_a_module(path: Path) -> None:
    """A hook looks at the client that the application has imported, when it is called."""
    assert not {module.split(".")[0] for module in imports(path, late=False)} & CLIENTS


def test_no_module_imports_itself_by_a_detour() -> None:
    """There is no circle of imports, late ones included."""
    modules = {}
    for path in SOURCES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name != "tokenusage":
            modules[name] = {m for m in imports(path) if m.startswith("tokenusage.")}
    tuple(TopologicalSorter(modules).static_order())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_cli_exits(path: Path) -> None:
    """Everything but cli raises; ruff's T20 sees to it that nothing else prints."""
    if "cli" not in path.parts:
        assert "sys.exit" not in path.read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_is_two(path: Path) -> None:
    """A file that passes 300 lines wants to be two."""
    assert len(path.read_text().splitlines()) <= 300


def loaded_by(code: str, cwd: Path) -> set[str]:
    """Return the top-level modules that a program has loaded when it ends."""
    script = f"{code}\nimport sys; print(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_the_standard_library_only(tmp_path: Path) -> None:
    """An application pays nothing for the import."""
    new = loaded_by("import tokenusage", tmp_path) - loaded_by("import orjson", tmp_path)
    assert {name for name in new if name not in sys.stdlib_module_names} <= {"tokenusage"}


def test_help_loads_no_heavy_library(tmp_path: Path) -> None:
    """A command imports what it lives on when it is called."""
    assert not loaded_by("import tokenusage.cli.app", tmp_path) & HEAVY


def test_application_that_only_logs_loads_no_pandas(tmp_path: Path) -> None:
    """Making a tracker loads the prices, and a record loads nothing more."""
    code = (
        "from tokenusage import Tracker\n"
        "Tracker('logs').record(model_name='gpt-4o', operation_type='x', prompt_tokens=1)"
    )
    loaded = loaded_by(code, tmp_path)
    assert not loaded & {"pandas", "numpy", "pyarrow", "rich", "typer"}
    assert "genai_prices" in loaded
