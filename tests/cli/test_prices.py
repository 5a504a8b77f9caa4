import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tokenusage.cli.command import Command
from tokenusage.cli.prices import prices

app = typer.Typer(rich_markup_mode=None)
app.command("prices", cls=Command)(prices)


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOKENUSAGE_CONFIG", raising=False)


def prices_of(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_known_price_exits_with_0() -> None:
    """The price and its arithmetic go to stdout."""
    result = prices_of("gpt-4o-mini", "--prompt-tokens", "1250", "--completion-tokens", "150")
    assert result.exit_code == 0
    assert "$0.0002775\n" in result.stdout


def test_no_price_is_an_answer_that_exits_with_1() -> None:
    """Scripts can tell, people read what to do."""
    result = prices_of("nobody-sells-this", "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["cost_source"] is None


def test_every_option_decides() -> None:
    """Provider, day, tier, batch and each kind of token end up in the figure."""
    result = prices_of(
        *("claude-sonnet-4-5", "--provider", "anthropic", "--at", "2026-11-01", "--batch"),
        *("--prompt-tokens", "3000", "--completion-tokens", "1000", "--reasoning-tokens", "500"),
        *("--cache-read-tokens", "1000", "--cache-write-tokens", "1000", "--format", "json"),
    )
    document = json.loads(result.stdout)
    assert document["cost"] == (1.5 * 1000 + 0.15 * 1000 + 1.875 * 1000 + 7.5 * 1000) / 10**6
    assert document["at"] == "2026-11-01T00:00:00+00:00"
    tier = prices_of("gpt-5.2", "--service-tier", "flex", "--format", "json")
    assert json.loads(tier.stdout)["bands"][0]["prompt"] == 0.875


def test_own_prices_come_from_the_configuration(tmp_path: Path) -> None:
    """tokenusage.toml in the working directory is the user's own list."""
    text = '[[prices]]\nmodel = "ours"\nprompt = 2\ncompletion = 3\n'
    (tmp_path / "tokenusage.toml").write_text(text, encoding="utf-8")
    result = prices_of("ours")
    assert result.exit_code == 0
    assert "prices entry 1, ours" in result.stdout


@pytest.mark.parametrize(
    "at",
    [
        "20260131",
        "2026-W05-6",
        "2026-02-30",
        "2026-01-31Tx",
        "\u0662\u0660\u0662\u0666-01-31",
        "x",
        "",
    ],
)
def test_only_canonical_dates_are_taken(at: str) -> None:
    """Anything else is wrong use, named by its option."""
    result = prices_of("gpt-4o", "--at", at)
    assert "--at takes a date" in str(result.exception)


def test_a_time_with_an_offset_is_converted() -> None:
    """A moment is printed in UTC."""
    result = prices_of("gpt-4o", "--at", "2026-01-01T00:00:00+02:00")
    assert result.stdout.startswith("gpt-4o, 2025-12-31 22:00 UTC\n")
    naive = prices_of("gpt-4o", "--at", "2026-01-01T00:00:01")
    assert naive.stdout.startswith("gpt-4o, 2026-01-01 00:00:01 UTC\n")


def test_a_wrong_word_or_count_is_wrong_use() -> None:
    """Formats and counts that can't be are named with their option."""
    assert "Did you mean json?" in str(prices_of("gpt-4o", "--format", "jsn").exception)
    assert "--prompt-tokens" in str(prices_of("gpt-4o", "--prompt-tokens", "-1").exception)


def test_help_shows_two_examples() -> None:
    """What can be typed is in the help."""
    assert prices_of("--help").stdout.count("tokenusage prices ") == 2
