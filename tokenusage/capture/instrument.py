"""The switch: hooks the clients that are imported at once, the others when they appear."""

import threading
from collections.abc import Callable, Collection, Mapping
from functools import partial
from importlib import import_module
from logging import DEBUG, WARNING
from types import ModuleType
from typing import Any, Final, NamedTuple

from tokenusage.capture.call import Capture
from tokenusage.capture.clients import google, litellm, stainless
from tokenusage.capture.once import Once
from tokenusage.errors import WrongUseError, nearest
from tokenusage.write.announce import tell
from tokenusage.write.default import tracker as default_tracker
from tokenusage.write.forks import renew_after_fork
from tokenusage.write.tracker import Tracker

Undo = Callable[[], None]
"""Takes a hook off again."""


class Client(NamedTuple):
    """A library whose calls can be captured."""

    module: str
    """Through which its calls pass, or in which that is imported."""
    hook: Callable[..., Undo]
    """Takes that module once it is imported, and a `Capture`."""


CLIENTS: Final = {
    "openai": Client("openai", stainless.hook),
    "anthropic": Client("anthropic", stainless.hook),
    "google-genai": Client("google.genai.models", google.hook),
    "litellm": Client("litellm", litellm.hook),
}
"""By the name of the distribution."""


_once = Once()
"""One for the process: LiteLLM's calls may pass another client's hook."""


class Instrumentation:
    """Which clients are hooked, and for whom; safe for threads and forks.

    Args:
        clients: Those that there are, by name.
    """

    def __init__(self, clients: Mapping[str, Client]) -> None:
        self._clients = clients
        self._awaited: set[str] = set()
        self._modules: dict[str, ModuleType] = {}
        self._undo: dict[str, Undo] = {}
        self._wanted: frozenset[str] = frozenset()
        self._capture: Capture | None = None
        self._include_usage = True
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Let a forked child switch, even where another thread of the parent was about to."""
        self._lock = threading.RLock()

    def start(self, only: Collection[str] | None, tracker: Tracker, *, include_usage: bool) -> None:
        """Capture the calls of all clients, or of some, and of no others from now on.

        Raises:
            WrongUseError: `only` names something that is no client.
        """
        wanted = self._named(only)
        for client in wanted:
            self._await(client)
        with self._lock:
            known = self._capture
            if (
                known is None
                or known.tracker is not tracker
                or self._include_usage != include_usage
            ):
                self._unhook(frozenset(self._undo))
                self._capture = Capture(tracker, _once)
                self._include_usage = include_usage
            self._wanted = wanted
            self._unhook(self._undo.keys() - wanted)
            for client in wanted & self._modules.keys():
                self._hook(client)

    def stop(self) -> None:
        """Take every hook off again; calls that have begun are still recorded."""
        with self._lock:
            self._wanted = frozenset()
            self._capture = None
            self._unhook(frozenset(self._undo))

    def _named(self, only: Collection[str] | None) -> frozenset[str]:
        if only is None:
            return frozenset(self._clients)
        if isinstance(only, str) or not isinstance(only, Collection):
            example = only if isinstance(only, str) else next(iter(self._clients))
            raise WrongUseError(f"only must be a list of names, such as [{example!r}].")
        for name in only:
            if not isinstance(name, str) or name not in self._clients:
                known = ", ".join(self._clients)
                raise WrongUseError(
                    f"{name!r} is no client that can be instrumented ({known})."
                    f"{nearest(str(name), self._clients)}"
                )
        return frozenset(only)

    def _await(self, client: str) -> None:
        """See to it that a client's module is known once it is imported, now or later."""
        # Here, so that who logs by hand needs no wrapt.
        from wrapt import register_post_import_hook  # noqa: PLC0415 - see above

        with self._lock:
            if client in self._awaited:
                return
            self._awaited.add(client)
        # Without the lock: where the module is there, this calls `_appeared` at once, which waits.
        register_post_import_hook(partial(self._appeared, client), self._clients[client].module)

    def _appeared(self, client: str, module: ModuleType) -> None:
        """Hook a client whose module is there; never raises into the import."""
        try:
            # Imports nothing: waits where another thread is about to import it.
            import_module(module.__name__)
        except ImportError:
            return  # that import has failed, and whoever tried it hears so
        with self._lock:
            self._modules[client] = module
            if client in self._wanted:
                self._hook(client)

    def _hook(self, client: str) -> None:
        if client in self._undo:
            return
        options: dict[str, Any] = {}
        if client == "openai":
            options["include_usage"] = self._include_usage
        try:
            undo = self._clients[client].hook(self._modules[client], self._capture, **options)
            self._undo[client] = undo
        except Exception as error:
            # Another version, most likely: the application and the other hooks go on.
            tell(
                WARNING,
                "Calls of %s are not captured: its %s can't be hooked (%s: %s)",
                _with_version(client),
                self._clients[client].module,
                type(error).__name__,
                error,
            )

    def _unhook(self, clients: Collection[str]) -> None:
        for client in tuple(clients):
            undo = self._undo.pop(client)
            try:
                undo()
            except Exception as error:
                tell(WARNING, "The hook of %s stays (%s)", client, type(error).__name__)


_instrumentation = Instrumentation(CLIENTS)


def instrument(
    only: Collection[str] | None = None,
    tracker: Tracker | None = None,
    *,
    include_usage: bool = True,
) -> None:
    """Log every call of the OpenAI, Anthropic, Google Gen AI and LiteLLM clients.

    Clients that are imported already are hooked at once, the others when they
    are; none is imported by this. Called again, the new arguments hold.

    Args:
        only: The clients whose calls are logged, out of "openai", "anthropic",
            "google-genai" and "litellm"; unset, all.
        tracker: Writes the records; unset, the default tracker, which reads its
            configuration now.
        include_usage: Ask OpenAI and Azure for the usage of streams where the application
            does not, and keep the chunk that brings it from the application.

    Raises:
        WrongUseError: `only` names something that is no client, or `tracker` is none.
        ConfigError: the configuration holds something that can't be.
    """
    _instrumentation.start(only, _made(tracker), include_usage=include_usage)


def uninstrument() -> None:
    """Undo `instrument`: the clients' own functions are in their places again."""
    _instrumentation.stop()


def litellm_callback(tracker: Tracker | None = None) -> Any:
    """Return a callback that logs LiteLLM's calls: ``litellm.callbacks = [...]``.

    Only for applications that set LiteLLM's callbacks themselves; `instrument`
    adds one. `tracker` is as there.

    Raises:
        WrongUseError: `tracker` is no tracker.
        ConfigError: the configuration holds something that can't be.
    """
    return litellm.litellm_callback(Capture(_made(tracker), _once))


def _made(tracker: Tracker | None) -> Tracker:
    """Return the tracker, whose making is over: no call waits for it, or fails by it."""
    chosen = default_tracker if tracker is None else tracker
    if not isinstance(chosen, Tracker):
        raise WrongUseError(f"tracker must be a Tracker, not a {type(chosen).__name__}.")
    tell(DEBUG, "Captured calls are logged to %s", chosen.logs)  # asking makes the default one
    return chosen


def _with_version(distribution: str) -> str:
    """Return a distribution's name, with its installed version where that is known."""
    # Slow to import, and wanted only when something is wrong.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - see above

    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        return distribution
