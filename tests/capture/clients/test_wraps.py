"""Wraps around methods, on and off."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from writing import LinearPricer

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.wraps import Method, Wraps
from tokenusage.write.tracker import Tracker


class Client:
    """A client of a test's own."""

    def ask(self) -> str:
        """Ask."""
        return "answer"


class Inherited(Client):
    """One whose method is its parent's."""


def louder(put_on: Wraps, original: Method) -> Method:
    def method(self: Any) -> str:
        answer = original(self)
        return answer.upper() if put_on.active else str(answer)

    return method


@pytest.fixture
def put_on(tmp_path: Path) -> Wraps:
    return Wraps(Capture(Tracker(tmp_path, pricer=LinearPricer())))


def test_the_very_same_function_comes_back(put_on: Wraps) -> None:
    """The wrap has its name and docstring while it is on."""
    original = vars(Client)["ask"]
    put_on.put(Client, "ask", partial(louder, put_on))
    assert (Client().ask(), Client.ask.__doc__) == ("ANSWER", "Ask.")
    put_on.take_off()
    assert vars(Client)["ask"] is original


def test_wrap_that_is_wrapped_stays_and_lets_calls_pass(
    put_on: Wraps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another library's wrap on top of ours is not torn off."""
    monkeypatch.setattr(Client, "ask", vars(Client)["ask"])  # so that it is there again afterwards
    put_on.put(Client, "ask", partial(louder, put_on))
    ours = vars(Client)["ask"]

    def theirs(client: Client) -> str:
        return f"<{ours(client)}>"

    monkeypatch.setattr(Client, "ask", theirs)
    put_on.take_off()
    assert vars(Client)["ask"] is theirs
    assert Client().ask() == "<answer>"


def test_missing_method_takes_the_other_wraps_off(put_on: Wraps) -> None:
    """An unknown version is left as it was, not hooked by half."""
    original = vars(Client)["ask"]
    put_on.put(Client, "ask", partial(louder, put_on))
    with pytest.raises(AttributeError, match="Inherited has no ask"):
        put_on.put(Inherited, "ask", partial(louder, put_on))
    assert vars(Client)["ask"] is original
