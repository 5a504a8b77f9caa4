import os
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tokenusage.config import Settings, load_settings
from tokenusage.errors import ConfigError


def write(directory: Path, text: str) -> Path:
    path = directory / "tokenusage.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(directory: Path, text: str) -> str:
    """Return the sentence with which a configuration is refused."""
    path = write(directory, text)
    with pytest.raises(ConfigError) as caught:
        load_settings({}, directory)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """No file and no environment give the documented defaults."""
    assert load_settings({}, tmp_path) == Settings()
    assert Settings().file_mode == 0o600


def test_every_setting_is_read(tmp_path: Path) -> None:
    """Each key of the file ends up in the settings, in its own type."""
    text = """
        logs = "usage"
        naive_timezone = "Europe/Berlin"
        query_chars = 0
        file_mode = "0640"
        directory_mode = "750"
        sync = "record"
        keep_days = 30
        seal_after = 0
        [aliases]
        deployed = "gpt-4o"
        [[prices]]
        model = "local"
        prompt = 1
        completion = 2.5
    """
    write(tmp_path, text)
    settings = load_settings({}, tmp_path)
    assert settings.logs == tmp_path / "usage"
    assert settings.naive_timezone == ZoneInfo("Europe/Berlin")
    assert (settings.query_chars, settings.sync) == (0, "record")
    assert (settings.keep_days, settings.seal_after) == (30, 0)
    assert (settings.file_mode, settings.directory_mode) == (0o640, 0o750)
    assert settings.prices.alias("deployed") == "gpt-4o"
    assert [rule.model for rule in settings.prices.rules] == ["local"]


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    """TOKENUSAGE_CONFIG is read instead, and its relative logs start at its directory."""
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    write(tmp_path, "query_chars = 1")
    path = write(elsewhere, 'logs = "here"\nquery_chars = 2')
    settings = load_settings({"TOKENUSAGE_CONFIG": str(path)}, tmp_path)
    assert (settings.query_chars, settings.logs) == (2, elsewhere / "here")


def test_the_environment_goes_over_the_logs_of_the_file(tmp_path: Path) -> None:
    """TOKENUSAGE_LOGS wins, and an empty one counts as unset."""
    write(tmp_path, 'logs = "/from/file"')
    assert load_settings({"TOKENUSAGE_LOGS": "mine"}, tmp_path).logs == Path("mine")
    assert load_settings({"TOKENUSAGE_LOGS": ""}, tmp_path).logs == Path("/from/file")


def test_a_named_file_has_to_exist(tmp_path: Path) -> None:
    """A TOKENUSAGE_CONFIG that leads nowhere is an error, not the defaults."""
    with pytest.raises(ConfigError, match="does not exist"):
        load_settings({"TOKENUSAGE_CONFIG": "gone.toml"}, tmp_path)


def test_an_unreadable_file_is_one_sentence(tmp_path: Path) -> None:
    """A directory in the file's place is refused with the system's reason."""
    (tmp_path / "tokenusage.toml").mkdir()
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        load_settings({}, tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('log = "x"', "Did you mean logs?"),
        ("logs = 1", "logs "),
        ('logs = ""', "logs "),
        ('naive_timezone = "Europe/Berln"', "Did you mean Europe/Berlin?"),
        ('naive_timezone = "../../etc/passwd"', "naive_timezone"),
        ('naive_timezone = ""', "naive_timezone"),
        ("naive_timezone = 1", "naive_timezone"),
        ("query_chars = -1", "query_chars"),
        ("query_chars = true", "query_chars"),
        ("query_chars = 1.5", "query_chars"),
        ("keep_days = 0", "from 1 on"),
        ('keep_days = "30"', "keep_days"),
        ("seal_after = -1", "from 0 on"),
        ("file_mode = 640", 'such as "0640"'),
        ('file_mode = "0840"', "file_mode"),
        ('file_mode = "0040"', "shuts out the owner"),
        ('directory_mode = "0600"', 'begin with "0700"'),
        ('sync = "all"', '"none" or "record"'),
        ("sync = []", '"none" or "record"'),
        ("logs = \n", "line 1"),
        ("a = 1\na = 2\n", "line 2"),
        (f"query_chars = {'9' * 5000}", "no valid TOML"),
        (f"query_chars = {'[' * 5000}", "no valid TOML"),
        ('[[prices]]\nmodl = "x"', "prices entry 1"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """A wrong key or value is one sentence with the file, the key and the right word."""
    assert says in refused(tmp_path, text)


def test_bad_utf8_is_refused(tmp_path: Path) -> None:
    """Bytes that are no text are no configuration."""
    (tmp_path / "tokenusage.toml").write_bytes(b'logs = "\xff"')
    with pytest.raises(ConfigError, match="no valid TOML"):
        load_settings({}, tmp_path)


@pytest.mark.parametrize("key", ["naive_timezone", "sync", "file_mode", "api_key", "query_chars"])
def test_no_message_quotes_a_value(tmp_path: Path, key: str) -> None:
    """A secret in the file, at whatever key, is in no message."""
    assert "sk-secret" not in refused(tmp_path, f'{key} = "sk-secret"')


def test_importing_the_configuration_loads_no_price_list() -> None:
    """Reading settings costs no heavy import."""
    code = "import tokenusage.config, sys; print('genai_prices' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "False"
