import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from answers import CHAT
from replaying import Replay, Reply
from writing import LinearPricer, broken_handler, records, run_python

from tokenusage.capture.call import Capture
from tokenusage.capture.instrument import (
    CLIENTS,
    Client,
    Instrumentation,
    instrument,
    litellm_callback,
)
from tokenusage.errors import WrongUseError
from tokenusage.write.tracker import Tracker


class Hooks:
    """A client of a test's own: a module in a file, and who has it hooked."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        (directory / f"{name}.py").write_text("def ask(): return 'answer'\n")
        self.on: list[tuple[Tracker, dict[str, Any]]] = []

    def hook(self, module: ModuleType, capture: Capture, **options: Any) -> Callable[[], None]:
        """Note by whom the module is hooked, until what is returned is called."""
        module.ask()  # it is whole
        entry = (capture.tracker, options)
        self.on.append(entry)
        return lambda: self.on.remove(entry)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooks]:
    monkeypatch.syspath_prepend(str(tmp_path))
    client = Hooks(tmp_path, f"client_{tmp_path.name}".replace("-", "_"))
    yield client
    sys.modules.pop(client.name, None)


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    return Tracker(tmp_path / "logs", pricer=LinearPricer())


def test_a_client_that_is_there_is_hooked_at_once(client: Hooks, tracker: Tracker) -> None:
    """Whoever imports first and instruments then loses no call."""
    __import__(client.name)
    instrumentation = Instrumentation({"c": Client(client.name, client.hook)})
    instrumentation.start(None, tracker, include_usage=True)

    assert client.on == [(tracker, {})]
    instrumentation.stop()
    assert client.on == []


def test_a_client_that_appears_later_is_hooked_then(client: Hooks, tracker: Tracker) -> None:
    """Instrumenting imports nothing; the import itself brings the hook."""
    instrumentation = Instrumentation({"c": Client(client.name, client.hook)})
    instrumentation.start(None, tracker, include_usage=True)
    assert client.name not in sys.modules
    __import__(client.name)

    assert len(client.on) == 1


def test_a_client_that_appears_after_the_end_is_left_alone(
    client: Hooks, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """An end is an end, and a new beginning hooks what has come meanwhile."""
    instrumentation = Instrumentation({"c": Client(client.name, client.hook)})
    instrumentation.start(None, tracker, include_usage=True)
    instrumentation.stop()
    __import__(client.name)
    assert (client.on, caplog.records) == ([], [])
    instrumentation.start(None, tracker, include_usage=True)

    assert len(client.on) == 1


def test_the_second_time_the_new_arguments_hold(
    client: Hooks, tracker: Tracker, tmp_path: Path
) -> None:
    """A notebook's cell that is run twice hooks once, for the tracker named last."""
    __import__(client.name)
    other = Tracker(tmp_path / "other", pricer=LinearPricer())
    instrumentation = Instrumentation(
        {"openai": Client(client.name, client.hook), "c": Client("nowhere", client.hook)}
    )
    instrumentation.start(None, tracker, include_usage=True)
    instrumentation.start(None, tracker, include_usage=True)
    assert client.on == [(tracker, {"include_usage": True})]
    instrumentation.start(["openai"], other, include_usage=True)
    assert client.on == [(other, {"include_usage": True})]
    instrumentation.start(None, other, include_usage=False)
    assert client.on == [(other, {"include_usage": False})]
    instrumentation.start(["c"], other, include_usage=False)
    assert client.on == []


@pytest.mark.parametrize(
    ("only", "words"),
    [
        (["opnai"], "Did you mean openai"),
        (["google"], "Did you mean google-genai"),
        ("openai", r"a list of names, such as \['openai'\]"),
        (5, r"a list of names, such as \['openai'\]"),
        ([["openai"]], "is no client that can be instrumented"),
    ],
)
def test_a_client_that_is_none_is_refused(only: Any, words: str, tracker: Tracker) -> None:
    """A typing error is no way to log nothing."""
    with pytest.raises(WrongUseError, match=words):
        Instrumentation(CLIENTS).start(only, tracker, include_usage=True)


def test_what_is_no_tracker_is_refused() -> None:
    """At once, and not at the first call, where nobody would hear of it."""
    for start in (instrument, litellm_callback):
        with pytest.raises(WrongUseError, match="tracker must be a Tracker, not a str"):
            start(tracker="logs")  # type: ignore[arg-type]  # what it is about


def test_a_client_that_cannot_be_hooked_leaves_the_others(
    client: Hooks, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """Another version's missing name is one warning that names it, and no end of an import."""

    def broken(_module: ModuleType, _capture: Capture) -> Callable[[], None]:
        raise AttributeError("no 'SyncAPIClient'")

    clients = {"pytest": Client(client.name, broken), "b": Client(client.name, client.hook)}
    Instrumentation(clients).start(None, tracker, include_usage=True)
    with caplog.at_level(logging.WARNING, "tokenusage"):
        __import__(client.name)

    assert len(client.on) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"Calls of pytest {pytest.__version__} are not captured" in caplog.text


def test_a_log_handler_that_raises_ends_no_import(client: Hooks, tracker: Tracker) -> None:
    """The application's import is none of its business."""

    def broken(_module: ModuleType, _capture: Capture) -> Callable[[], None]:
        raise KeyError("_base_client")

    instrumentation = Instrumentation({"c": Client(client.name, broken)})
    instrumentation.start(None, tracker, include_usage=True)
    with broken_handler():
        __import__(client.name)

    assert client.name in sys.modules


def test_a_module_that_another_thread_imports_is_waited_for(
    client: Hooks, tracker: Tracker, tmp_path: Path
) -> None:
    """Half a module has not the names that a hook looks for."""
    (tmp_path / f"{client.name}.py").write_text(
        f"import time; open({str(tmp_path / 'begun')!r}, 'w').close()\n"
        "time.sleep(0.3)\ndef ask(): return 'answer'\n"
    )
    importing = threading.Thread(target=__import__, args=(client.name,))
    importing.start()
    while not (tmp_path / "begun").exists():
        pass
    Instrumentation({"c": Client(client.name, client.hook)}).start(
        None, tracker, include_usage=True
    )
    importing.join()

    assert len(client.on) == 1


def test_many_threads_hook_once(client: Hooks, tracker: Tracker) -> None:
    """However often it is switched on at once, a call is logged once."""
    __import__(client.name)
    instrumentation = Instrumentation({"c": Client(client.name, client.hook)})

    def work() -> None:
        for _ in range(50):
            instrumentation.start(None, tracker, include_usage=True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(client.on) == 1


def test_the_two_lines_log_a_call(tmp_path: Path) -> None:
    """Instrumented before the import, without a word to the client."""
    pytest.importorskip("openai")
    with Replay() as replay:
        replay.answer(Reply(body=CHAT))
        run_python(
            """
            import os, sys
            os.environ["TOKENUSAGE_LOGS"] = sys.argv[2]
            import tokenusage
            tokenusage.instrument()
            assert "openai" not in sys.modules
            import openai
            client = openai.OpenAI(api_key="k", base_url=sys.argv[1])
            messages = [{"role": "user", "content": "Hello!"}]
            with tokenusage.track(user_id=123, operation_type="rag_answer"):
                client.chat.completions.create(model="gpt-4o-mini", messages=messages)
            client.chat.completions.create(model="gpt-4o-mini", messages=messages)
            tokenusage.uninstrument()
            client.chat.completions.create(model="gpt-4o-mini", messages=messages)
            """,
            replay.url,
            tmp_path,
        )

    first, second = records(tmp_path)
    assert (first["user_id"], first["operation_type"]) == (123, "rag_answer")
    assert (second["user_id"], second["operation_type"]) == (None, "chat")
    assert (first["total_tokens"], first["query"], first["success"]) == (27, "Hello!", True)


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_the_very_same_functions_come_back(name: str, tracker: Tracker) -> None:
    """Undone is as never done; what somebody put on top of ours meanwhile stays and works."""
    base = pytest.importorskip(f"{name}._base_client")
    own = vars(base.SyncAPIClient)["request"], vars(base.AsyncAPIClient)["request"]
    instrumentation = Instrumentation(CLIENTS)
    for _ in range(2):
        instrumentation.start([name], tracker, include_usage=True)
        assert vars(base.SyncAPIClient)["request"] is not own[0]
        instrumentation.stop()
        assert vars(base.SyncAPIClient)["request"] is own[0]
        assert vars(base.AsyncAPIClient)["request"] is own[1]


def test_under_a_strangers_wrap_ours_stays_and_does_nothing(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking it away would take the stranger's along; hooked again, a call counts once."""
    openai = pytest.importorskip("openai")
    base = openai._base_client.SyncAPIClient
    monkeypatch.setattr(base, "request", base.request)  # as it is now, when the test is over
    instrumentation = Instrumentation(CLIENTS)
    instrumentation.start(["openai"], tracker, include_usage=True)
    ours = base.request

    def theirs(*args: Any, **kwargs: Any) -> Any:
        return ours(*args, **kwargs)

    base.request = theirs
    instrumentation.stop()
    with Replay() as replay:
        replay.answer(Reply(body=CHAT))
        client = openai.OpenAI(api_key="k", base_url=replay.url)
        client.chat.completions.create(model="gpt-4o-mini", messages=[])
        assert records(tmp_path / "logs") == []
        instrumentation.start(["openai"], tracker, include_usage=True)
        client.chat.completions.create(model="gpt-4o-mini", messages=[])
    instrumentation.stop()

    assert len(records(tmp_path / "logs")) == 1


@pytest.mark.slow
def test_litellm_is_given_a_callback_of_its_own_kind(tracker: Tracker) -> None:
    """For applications that put LiteLLM's callbacks together themselves."""
    litellm = pytest.importorskip("litellm")
    callback = litellm_callback(tracker)

    assert isinstance(callback, litellm.integrations.custom_logger.CustomLogger)


def test_a_wrong_configuration_is_said_at_once(tmp_path: Path) -> None:
    """At start-up, where somebody looks, and not at the first call."""
    (tmp_path / "tokenusage.toml").write_text("query_chars = -1\n")
    done = subprocess.run(
        [sys.executable, "-c", "import tokenusage; tokenusage.instrument()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "ConfigError" in done.stderr
    assert "query_chars" in done.stderr
