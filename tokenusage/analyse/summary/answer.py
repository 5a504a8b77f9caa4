"""From a scan to the summary."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

import pyarrow as pa

from tokenusage.analyse.filters import passing
from tokenusage.analyse.query import CostMode, Query
from tokenusage.analyse.report import Figures, Row, together
from tokenusage.analyse.summary.columns import integers
from tokenusage.analyse.summary.exact import total
from tokenusage.analyse.summary.page import Items, PeriodFigures, Projection, Summary
from tokenusage.analyse.summary.spans import MONTH, RECENT, Slots, Span, moment_of, spans
from tokenusage.analyse.summary.strands import Strands
from tokenusage.analyse.summary.tallies import (
    Tally,
    days_of,
    reach_of,
    tallies_of,
    tallies_of_sums,
    within,
)
from tokenusage.analyse.summary.work import ResponseTimes, cache_use, item_sums, work_of
from tokenusage.price.table import PriceTable
from tokenusage.read.arrays import from_numpy
from tokenusage.read.gather import Gathered, gather
from tokenusage.read.ledger import Ledger
from tokenusage.read.scan import Scan


def summarise(query: Query, scan: Scan, *, prices: PriceTable, now: datetime) -> Summary:
    """Answer a query of all time with the summary.

    Args:
        query: filters, cost and means; its period is all time.
        scan: a scan of `plan_summary(query, ...)`; it is ended here.
        prices: the user's own prices, for recomputed costs.
        now: the time of asking.

    Raises:
        LogsError: a file can't be read.
        WrongUseError: a filter compares a number with something that is none.
    """
    parts = spans(now, query.period.zone_name, scan.forms.only_sums)
    slots = Slots(parts)
    found = _found(query, scan, slots)
    ledger = found.ledger
    records = _priced(passing(found.table, query.filters, ledger), query.cost, scan, prices, now)
    ledger.estimated += total(integers(records["estimated"]))
    tallies, strands = _added_up(records, found, query, slots)
    periods = _Periods(slots, tallies, strands, ledger, query).all(parts)
    recent = slots.reach(next(part.period for part in parts if part.name == RECENT))
    return Summary(
        query=query,
        logs=str(scan.logs),
        now=now.astimezone(query.period.zone),
        periods=periods,
        operations=_operations(tallies),
        sessions=work_of(strands, "session", recent),
        tasks=work_of(strands, "task", recent),
        cache=cache_use(strands, tallies),
        cache_read_tokens=sum(tally.cache_read_tokens for tally in tallies),
        projection=_projection(periods, now),
        ledger=ledger,
        newest_day=scan.newest_day,
    )


def _found(query: Query, scan: Scan, slots: Slots) -> Gathered:
    """Gather what the scan finds, by record where a bound divides what was taken by its sums."""
    found = gather(scan)
    if scan.plan.whole_days and _divides_sums(found, query, slots):
        return gather(scan.again(replace(scan.plan, whole_days=False)))
    return found


def _added_up(
    records: pa.Table, found: Gathered, query: Query, slots: Slots
) -> tuple[list[Tally], Strands]:
    """Return what records, and the sums and details beside them, come to."""
    of_record = slots.of(integers(records["time"]))
    tallies = tallies_of(records, of_record, query.means)
    if found.summary is not None:
        tallies += tallies_of_sums(found.summary, query, slots, found.ledger)
    strands = Strands.of_records(records, of_record)
    if found.details is not None:
        strands = strands.and_also(Strands.of_details(found.details, slots))
    return tallies, strands


def _divides_sums(found: Gathered, query: Query, slots: Slots) -> bool:
    """Return whether a bound divides the sums of a day that has its records.

    The days that it divides are read by record, but a record without an id may stand in the
    file of another day.
    """
    if found.summary is None:
        return False
    _, days = days_of(found.summary)
    divided = {str(day) for day in days if len(reach_of(day, query.period.zone, slots)) > 1}
    return not divided.issubset(found.ledger.summary_only_days)


def _priced(
    records: pa.Table, cost: CostMode, scan: Scan, prices: PriceTable, now: datetime
) -> pa.Table:
    """Return records at the prices that are asked for."""
    if cost == "logged":
        return records
    # Loading every list price takes longer than most summaries, and so does pandas.
    from tokenusage.price.pricer import Pricer  # noqa: PLC0415
    from tokenusage.price.reprice import reprice  # noqa: PLC0415
    from tokenusage.read.calls import frame_of  # noqa: PLC0415

    calls = frame_of(records, scan.plan.fields)
    pico, priced = reprice(calls, Pricer(prices), mode=cost, now=now)
    for name, column in (("cost_pico", pico), ("priced", priced)):
        records = records.set_column(records.column_names.index(name), name, from_numpy(column))
    return records


class _Periods:
    """Puts the periods together from what was added up by slot."""

    def __init__(
        self, slots: Slots, tallies: list[Tally], strands: Strands, ledger: Ledger, query: Query
    ) -> None:
        self._slots = slots
        self._tallies = tallies
        self._times = ResponseTimes(strands, slots.count)
        self._items = item_sums(strands, slots.count)
        self._unanswered, self._only_sums = (
            {day: reach_of(date.fromisoformat(day), query.period.zone, slots) for day in days}
            for days in (ledger.unanswered_days, ledger.summary_only_days)
        )
        self._ledger = ledger

    def all(self, parts: Sequence[Span]) -> tuple[PeriodFigures, ...]:
        """Return the figures of each period; the ledger is told of the days that lack in one."""
        periods = tuple(map(self._of, parts))
        unanswered = {*self._ledger.unanswered_days}
        for period in periods:
            unanswered.update(period.unanswered_days)
        self._ledger.unanswered_days = sorted(unanswered)
        return periods

    def _of(self, part: Span) -> PeriodFigures:
        reach = self._slots.reach(part.period)
        inside, unanswered = self._within(reach)
        figures = together(tally.figures for tally in inside)
        before, uncompared = self._within(self._slots.reach(part.before or part.period))
        has_before = part.before and not uncompared
        return PeriodFigures(
            name=part.name,
            period=part.period,
            figures=figures._replace(percentiles=self._times.percentiles(reach)),
            items=self._items_of(inside, reach),
            missing_days=tuple(
                day for day, of_day in self._only_sums.items() if _overlap(of_day, reach)
            ),
            before=part.before,
            whole_day=part.whole_day,
            previous=together(tally.figures for tally in before) if has_before else None,
            unanswered_days=tuple(sorted(unanswered)),
            uncompared_days=tuple(sorted(uncompared)) if part.before else (),
        )

    def _within(self, reach: range) -> tuple[list[Tally], set[str]]:
        inside, divided = within(self._tallies, reach)
        missing = {day for day, of_day in self._unanswered.items() if _overlap(of_day, reach)}
        return inside, divided | missing

    def _items_of(self, inside: list[Tally], reach: range) -> Items:
        known, *others = (sum(sums[reach.start : reach.stop]) for sums in self._items.values())
        return Items(sum(tally.items for tally in inside), known, *others)


def _overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def _operations(tallies: list[Tally]) -> tuple[Row, ...]:
    """Return a row for each operation, dearest first."""
    groups: defaultdict[str, list[Figures]] = defaultdict(list)
    for tally in tallies:
        groups[tally.operation].append(tally.figures)
    rows = [Row((name,), together(figures)) for name, figures in groups.items()]

    def order(row: Row) -> tuple[object, ...]:
        sums = row.figures
        return (-sums.cost_pico, -sums.total_tokens, -sums.calls, row.keys)

    return tuple(sorted(rows, key=order))


def _projection(periods: Sequence[PeriodFigures], now: datetime) -> Projection:
    """Project the cost of this month: what was spent in its part that is over, for all of it."""
    month = next(period for period in periods if period.name == MONTH)
    start, end = (moment_of(bound) for bound in (month.period.start, month.period.end) if bound)
    elapsed = Fraction(moment_of(now) - start, end - start)
    known = elapsed > 0 and month.figures.cost is not None and not month.unanswered_days
    cost = round(month.figures.cost_pico / elapsed) if known else None
    return Projection(month, float(elapsed), cost)
