import json
from pathlib import Path
from typing import Any

import jsonschema
from support import FIELD_LINE, record, run, write_day

from tokenusage import Tracker
from tokenusage.show.schema import schema_text


def fits(document: Any, name: str, cwd: Path) -> None:
    """Hold a document against the schema that the command prints."""
    done = run("schema", name, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    jsonschema.validate(document, json.loads(done.stdout))


def printed(cwd: Path, *arguments: str) -> Any:
    """Return the JSON that a command prints."""
    return json.loads(run(*arguments, "--format", "json", cwd=cwd).stdout)


def test_without_a_name_they_are_listed(tmp_path: Path) -> None:
    """Name, schema and title, a line each."""
    text = run("schema", cwd=tmp_path).stdout
    assert text.startswith("NAME ")
    assert "doctor  " in text
    assert "  tokenusage.doctor/1  " in text


def test_a_wrong_name_is_wrong_use(tmp_path: Path) -> None:
    """One sentence with the nearest."""
    done = run("schema", "docter", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("Did you mean doctor?\n")


def test_a_diagnosis_fits_its_schema(tmp_path: Path) -> None:
    """With findings that are counted and fixable, and with what was mended."""
    logs = tmp_path / "logs"
    write_day(logs, "2026-11-20", [record(), b"torn", record(cost_estimate=None)])
    write_day(logs, "2026-11-21", [record("2026-11-20T10:00:00+00:00", id="stray")])
    answer = printed(tmp_path, "doctor")
    assert answer["findings"]
    fits(answer, "doctor", tmp_path)
    fits(printed(tmp_path, "doctor", "--fix"), "doctor", tmp_path)


def test_prices_fit_their_schema(tmp_path: Path) -> None:
    """Known and unknown, with tiers, dates and arithmetic."""
    for arguments in (
        ("gpt-4o-mini", "--prompt-tokens", "1250", "--completion-tokens", "150"),
        ("gemini-2.5-pro", "--provider", "google", "--at", "2026-01-31"),
        ("nobody-sells-this",),
    ):
        fits(printed(tmp_path, "prices", *arguments), "price", tmp_path)


def test_log_lines_fit_their_schema(tmp_path: Path) -> None:
    """A line from the field, one with everything in it, and samples."""
    fits(json.loads(FIELD_LINE), "record", tmp_path)
    written = Tracker(tmp_path / "logs").record(
        model_name="gpt-4o",
        operation_type="x",
        prompt_tokens=5,
        items=3,
        cache_read_tokens=1,
        usage={"web_searches": 2},
        usage_source="partial",
        price_context={"processing": "batch"},
        tags={"team": "a", "score": 0.5, "beta": True},
    )
    fits(written, "record", tmp_path)
    run("demo", "--logs", "samples", cwd=tmp_path)
    newest = max((tmp_path / "samples").glob("*.jsonl"))
    for line in newest.read_bytes().splitlines()[-20:]:
        jsonschema.validate(json.loads(line), json.loads(schema_text("record")))
