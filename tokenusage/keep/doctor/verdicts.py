"""What the records of a directory say of how they were logged."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from tokenusage.keep.doctor.days import Days
from tokenusage.keep.doctor.finding import MAX_PLACES, Finding, Setup, Weight
from tokenusage.keep.doctor.records import FACTOR, ModelUse, Records
from tokenusage.logs import DayFile
from tokenusage.price.pricer import Pricer
from tokenusage.record import PICO

SILENCE: Final = timedelta(days=1)
"""How old the newest record may be before somebody should wonder."""


def check_records(records: Records, days: Days, setup: Setup, pricer: Pricer) -> list[Finding]:
    """Return what is to be said of records."""
    return [
        *_rejected(records),
        *_dropped(records),
        *_costs(records, setup),
        *_future(records, setup),
        *_strays(records, days, setup),
        *_silence(records, setup),
        *_unpriced(records, setup, pricer),
        *_no_user(records),
    ]


def movable(records: Records, days: Days, setup: Setup) -> dict[DayFile, set[date]]:
    """Return the records that belong into another day's file and can be moved there.

    By the log file in which they stand, the days that they are of. A record without an
    id could count twice on its way; a sealed day is left as it is; a day in the future
    would look like a clock that has jumped; of a final day nobody knows the ids.
    """
    found: dict[DayFile, set[date]] = defaultdict(set)
    for file, day, has_id in records.strays:
        if has_id and is_movable(file, days) and may_go_to(day, days, setup):
            found[file].add(day)
    return found


def is_movable(file: DayFile, days: Days) -> bool:
    """Return whether records may be taken out of a file."""
    return file in days.listing.raw and days.is_at_rest(file) and not days.taken_in(file)


def may_go_to(day: date, days: Days, setup: Setup) -> bool:
    """Return whether records may be put into the log file of a day."""
    summary = days.summaries.get(day)
    return day <= setup.now.date() and (summary is None or not summary.final)


def _rejected(records: Records) -> Iterator[Finding]:
    account = records.account
    if account.rejected:
        lines = account.rejections[:MAX_PLACES]
        yield Finding.at(
            "rejected-lines",
            Weight.WRONG,
            "Lines that are no records, so that all figures are without them",
            [f"{line.file}:{line.line} {line.reason}" for line in lines],
            count=account.rejected,
            help_="Mend them where they stand, or what writes them; nothing removes them.",
        )


def _dropped(records: Records) -> Iterator[Finding]:
    if records.dropped:
        yield Finding(
            "dropped-records",
            Weight.WRONG,
            "Records that loggers could not write and dropped, "
            f"the last announced at {records.last_drop:%Y-%m-%d %H:%M} UTC",
            records.dropped,
            help="The application's log says why: a full disk, a quota, permissions.",
        )


def _costs(records: Records, setup: Setup) -> Iterator[Finding]:
    if not records.wild:
        return
    worst = sorted(records.wildest.items(), key=lambda item: -item[1].difference)
    yield Finding.at(
        "wild-costs",
        Weight.WRONG,
        f"Calls that cost more than {FACTOR} times their price, or less than a {FACTOR}th",
        [
            f"{call.place.text(setup.naive_zone)} {model}: ${call.logged / PICO:,.4f} "
            f"instead of ${call.price / PICO:,.4f}, the worst of {records.wild[model]:,}"
            for model, call in worst[:MAX_PLACES]
        ],
        count=records.wild.total(),
        help_="Logged costs are never changed; `tokenusage report --cost current` shows what the "
        "prices make of them. A price that is wrong can be given in tokenusage.toml.",
    )


def _future(records: Records, setup: Setup) -> Iterator[Finding]:
    if records.in_future:
        yield Finding.at(
            "future",
            Weight.WRONG,
            "Records of the future, in no report until then",
            [place.text(setup.naive_zone) for place in records.future[:MAX_PLACES]],
            count=records.in_future,
            help_="A clock was wrong, or naive_timezone in tokenusage.toml is.",
        )


def _strays(records: Records, days: Days, setup: Setup) -> Iterator[Finding]:
    fixable = movable(records, days, setup)
    for moves in (True, False):
        found = [
            (file, day, strays)
            for (file, day, has_id), strays in records.strays.items()
            if moves is (has_id and day in fixable.get(file, ()))
        ]
        if found:
            yield Finding.at(
                "wrong-day" if moves else "wrong-day-stays",
                Weight.WRONG if moves else Weight.NOTE,
                "Records in the file of another day, where reports of their own day miss them"
                if moves
                else "Records in the file of another day that can't be moved",
                [
                    f"{strays.first.text(setup.naive_zone)} is of {day}"
                    for _, day, strays in found[:MAX_PLACES]
                ],
                count=sum(strays.count for *_, strays in found),
                help_="Until they are moved, their days have no summary."
                if moves
                else "They have no id, or stand in a sealed or open day, or belong to a day in "
                "the future or one of which only sums are left. They count where they are; those "
                "with an id keep the day of their file from being summed up and removed.",
                fixable=moves,
            )


def _silence(records: Records, setup: Setup) -> Iterator[Finding]:
    if records.newest is None:
        yield Finding(
            "silence",
            Weight.WARNING,
            "No record was found: is anything logging here?",
            help=f"`tokenusage log` writes one by hand, into {str(setup.logs)!r}.",
        )
    elif setup.now - records.newest > SILENCE:
        age = setup.now - records.newest
        yield Finding(
            "silence",
            Weight.WARNING,
            f"The newest record is of {records.newest:%Y-%m-%d %H:%M} UTC, "
            f"{age.days * 24 + age.seconds // 3600} hours ago: is anything logging here?",
        )


def _unpriced(records: Records, setup: Setup, pricer: Pricer) -> Iterator[Finding]:
    total = sum(use.tokens for use in records.models.values())
    by_model: dict[tuple[str, bool], ModelUse] = {}
    for (model, provider), use in records.models.items():
        if use.unpriced:
            listed = pricer.quote(model, provider, None, None, setup.now).source is not None
            key = (model, listed)
            by_model[key] = by_model.get(key, ModelUse()).plus(use)
    for known in (False, True):
        found = {model: use for (model, listed), use in by_model.items() if listed is known}
        if not found:
            continue
        dearest = sorted(found.items(), key=lambda item: -item[1].unpriced_tokens)
        yield Finding.at(
            "unpriced" if known else "no-price",
            Weight.WARNING,
            "Models that were logged without a cost, though there is a price now"
            if known
            else "Models that were logged without a cost, and have no price today",
            [f"{model}: {_share(use, total)}" for model, use in dearest],
            help_="`tokenusage report --cost effective` counts them."
            if known
            else "Give them one under [[prices]] in tokenusage.toml, or say under [aliases] what "
            "they are.",
        )


def _share(use: ModelUse, total: int) -> str:
    share = use.unpriced_tokens / total if total else 0.0
    return f"{share:.1%} of all tokens, in {use.unpriced:,} of {use.calls:,} calls"


def _no_user(records: Records) -> Iterator[Finding]:
    if records.no_user:
        yield Finding(
            "no-user",
            Weight.NOTE,
            f"Records that name no user ({records.no_user / records.count:.1%} of all)",
            records.no_user,
            help="Say who it was with user_id, if anybody should be asked for it.",
        )
