"""Exported calls: each that counts once, with the figures of a report."""

from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from drawn import LINES
from exporting import NOW, calls_of, everything, report_of
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping import TODAY, add_late, ago, every_form, fill, lines, turn
from support import record, write_day

from tokenusage.analyse.period import make_period
from tokenusage.analyse.query import CostMode, Filters, Query
from tokenusage.errors import ReplacedError
from tokenusage.keep.export.calls import CALLS, export_calls
from tokenusage.keep.seal.day import seal
from tokenusage.price.table import PriceTable
from tokenusage.record import FIELDS, PICO


def check_against_report(logs: Path, query: Query) -> pa.Table:
    """Compare the sums of the exported calls with a report's totals, and both accounts."""
    calls, ledger, unpriced = calls_of(logs, query)
    report = report_of(logs, query)
    real = calls.filter(pc.equal(pc.coalesce(calls["cache"], pa.scalar("")), ""))
    totals = report.totals
    assert (len(real), len(calls) - len(real)) == (totals.calls, totals.cache_hits)
    assert (pc.sum(real["cost_estimate"]).as_py() or 0) * PICO == totals.cost_pico
    assert (pc.sum(real["total_tokens"]).as_py() or 0) == totals.total_tokens
    assert real["success"].to_pylist().count(False) == totals.failed
    assert (unpriced, real["cost_estimate"].null_count) == (totals.unpriced, totals.unpriced)
    assert ledger.as_dict() == report.ledger.as_dict()
    return calls


@settings(max_examples=25, deadline=None)
@given(st.lists(LINES, max_size=6))
def test_figures_are_those_of_a_report_sealed_or_not(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[bytes]
) -> None:
    """Whatever the lines hold."""
    logs = tmp_path_factory.mktemp("logs")
    path = logs / f"token_usage_{ago(9)}.jsonl"
    path.write_bytes(b"\n".join([*drawn, *drawn]) + b"\n")
    # Percentiles need the records, as an export does.
    query = everything(percentiles=True)
    raw = check_against_report(logs, query)
    seal(logs, ago(9), naive_zone=UTC)
    names = [name for name in FIELDS if name not in {"usage", "tags", "truncated"}]
    assert check_against_report(logs, query).select(names).equals(raw.select(names))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["a", "b", None])), max_size=5),
        min_size=4,
        max_size=4,
    )
)
def test_each_id_counts_once_a_day_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[tuple[int, str | None]]]
) -> None:
    """Records in another day's file too: the first in order of file and line is the one."""
    logs = tmp_path_factory.mktemp("logs")
    number = 0
    for back, of_file in zip((4, 3, 2, 1), files, strict=True):
        records = []
        for day, name in of_file:
            number += 1
            records.append(record(f"{ago(day)}T12:00:00Z", id=name, prompt_tokens=number))
        write_day(logs, str(ago(back)), records)
    check_against_report(logs, everything(percentiles=True))


def test_columns_are_the_fields_of_the_record(tmp_path: Path) -> None:
    """With real types; what is unknown is null, and objects are JSON."""
    write_day(
        tmp_path, str(ago(1)), [record(user_id=7, tags={"a": 1}, items=3, cost_estimate=None)]
    )
    (call,) = calls_of(tmp_path, everything())[0].to_pylist()
    assert tuple(call) == FIELDS
    assert (call["user_id"], call["tags"], call["items"]) == ("7", '{"a":1}', 3)
    assert (call["cost_estimate"], call["provider"], call["success"]) == (None, None, True)


def test_costs_are_exact(tmp_path: Path) -> None:
    """To the picodollar, which a double of a large sum would not be."""
    write_day(tmp_path, str(ago(1)), [record(cost_estimate=cost) for cost in (1e-12, 10**6, 0)])
    costs = calls_of(tmp_path, everything())[0]["cost_estimate"].to_pylist()
    assert costs == [Decimal("0.000000000001"), Decimal(10**6), Decimal(0)]


@pytest.mark.parametrize(
    "query",
    [
        Query(make_period(now=NOW, since=str(ago(4)), until=str(ago(3)), tz="Asia/Kolkata")),
        Query(make_period(now=NOW, hours=60), Filters(user=("1",))),
        everything(filters=Filters(model=("gpt-*",), where=(("tag.team", "a"),))),
    ],
    ids=["zone", "hours", "tag"],
)
def test_period_and_filters_are_those_of_a_report(tmp_path: Path, query: Query) -> None:
    """The timestamp decides the period, in whichever file it stands."""
    for number in (5, 4, 3, 2):
        late = record(f"{ago(number)}T20:00:00Z", user_id=1, tags={"team": "a"})
        write_day(tmp_path, str(ago(number)), [*lines(ago(number)), late])
    assert len(check_against_report(tmp_path, query)) > 0


def test_every_form_of_a_day_comes_out(tmp_path: Path) -> None:
    """Of days that were removed there is nothing but their names in the account."""
    logs = every_form(tmp_path)
    calls, ledger, _ = calls_of(logs, everything())
    assert ledger.unanswered_days == [str(ago(8))]
    assert len(calls) == ledger.records == 7 * 3 + 2


@pytest.mark.parametrize("mode", ["effective", "current"])
def test_recomputed_costs_are_those_of_a_report(tmp_path: Path, mode: CostMode) -> None:
    """Call by call as in the sums."""
    unknown = record(model_name="own", cost_estimate=0.5)
    write_day(tmp_path, str(ago(1)), [record(cost_estimate=9), unknown, record(cache="session")])
    costs = check_against_report(tmp_path, everything(cost=mode))["cost_estimate"].to_pylist()
    assert costs[1] is None
    assert costs[0] == Decimal("0.000021")


def exported_until(logs: Path, then: Callable[[], object]) -> int:
    """Export everything; call `then` at the first calls."""
    found: list[pa.Table] = []

    def take(calls: pa.Table) -> None:
        if not found:
            then()
        found.append(calls)

    export_calls(logs, everything(), take, prices=PriceTable(), naive_zone=UTC, now=NOW)
    return sum(map(len, found))


def test_files_that_are_replaced_meanwhile_are_said(tmp_path: Path) -> None:
    """Some calls were given already: only a new export can be whole."""
    logs = fill(tmp_path, ago(9), ago(8))
    with pytest.raises(ReplacedError, match="were replaced while they were being exported"):
        exported_until(logs, lambda: seal(logs, ago(8), naive_zone=UTC))


def test_last_file_that_is_replaced_is_noticed(tmp_path: Path) -> None:
    """After its calls were read, nothing else would tell."""
    logs = fill(tmp_path, ago(8))
    with pytest.raises(ReplacedError):
        exported_until(logs, lambda: seal(logs, ago(8), naive_zone=UTC))


def test_estimated_calls_are_counted(tmp_path: Path) -> None:
    """As in a report's account."""
    write_day(tmp_path, str(ago(1)), [record(), record(usage_source="estimated")])
    check_against_report(tmp_path, everything())
    assert calls_of(tmp_path, everything())[1].estimated == 1


def test_sums_that_are_made_meanwhile_are_no_matter(tmp_path: Path) -> None:
    """Nor is what is appended."""
    logs = fill(tmp_path, ago(9), ago(8), TODAY)

    def rotate_and_log() -> None:
        turn(logs)
        add_late(logs, TODAY, 50)

    assert exported_until(logs, rotate_and_log) == 9


def test_no_calls_are_an_answer(tmp_path: Path) -> None:
    """Of an empty directory."""
    calls, ledger, unpriced = calls_of(tmp_path, everything())
    assert (calls.schema, len(calls), ledger.records, unpriced) == (CALLS, 0, 0, 0)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_days(tmp_path: Path) -> None:
    """Twelve days take as much as three."""
    from writing import run_python

    code = """
        import resource, sys
        from datetime import UTC
        from pathlib import Path
        from exporting import NOW, everything
        from tokenusage.keep.export.calls import export_calls
        from tokenusage.price.table import PriceTable
        from tokenusage.show.export.parquet import ParquetCalls
        with open("/dev/null", "wb") as file, ParquetCalls(file) as calls:
            export_calls(
                Path(sys.argv[1]), everything(), calls.add,
                prices=PriceTable(), naive_zone=UTC, now=NOW,
            )
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    peaks = []
    for days in (3, 12):
        logs = tmp_path / str(days)
        for number in range(1, days + 1):
            day = ago(number)
            some = [orjson.dumps(line) for line in lines(day, 1000)]
            numbered = ((line, str(turn_).zfill(3)) for turn_ in range(20) for line in some)
            write_day(
                logs,
                str(day),
                (s.replace(f'"id":"{day}'.encode(), f'"id":"{t}'.encode()) for s, t in numbered),
            )
        peaks.append(int(run_python(code, logs)))
    assert peaks[1] < peaks[0] * 1.3
