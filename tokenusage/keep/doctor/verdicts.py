"""What the records of a directory say of how they were logged."""

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from tokenusage.keep.doctor.days import Days
from tokenusage.keep.doctor.finding import MAX_PLACES, Finding, Setup, Weight
from tokenusage.keep.doctor.records import FACTOR, ModelUse, Records
from tokenusage.keep.doctor.repeats import Repeats
from tokenusage.logs import DayFile
from tokenusage.price.pricer import Pricer
from tokenusage.record import PICO

SILENCE: Final = timedelta(days=1)
"""How old the newest record may be before somebody should wonder."""

DEAD: Final = timedelta(days=7)
"""How old it may be before nothing can be logging any more: holidays end sooner."""


def check_records(
    records: Records, days: Days, repeats: Repeats, setup: Setup, pricer: Pricer
) -> list[Finding]:
    """Return what is to be said of records."""
    return [
        *_rejected(records),
        *_dropped(records),
        *_costs(records, setup),
        *_future(records, setup),
        *_strays(records, days, repeats, setup),
        *_repeats(repeats),
        *_unpriced(records, setup, pricer),
        *_no_user(records),
    ]


def movable(
    records: Records, days: Days, repeats: Repeats | None = None
) -> dict[DayFile, set[date]]:
    """Return the records that belong into another day's file and can be moved there.

    By the log file in which they stand, the days that they are of. A record without an
    id could count twice on its way, a sealed day is left as it is, and with `repeats`
    those are left out that stay because of them.
    """
    found: dict[DayFile, set[date]] = defaultdict(set)
    for (file, day, has_id), strays in records.strays.items():
        staying = repeats.staying(file, day) if repeats else 0
        if has_id and days.is_movable(file) and days.may_take(day) and staying < strays.count:
            found[file].add(day)
    return found


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
            f"{call.place.text(setup.naive_zone)} {model}: {_dollars(call.logged)} "
            f"instead of {_dollars(call.price)}, the worst of {records.wild[model]:,}"
            for model, call in worst[:MAX_PLACES]
        ],
        count=records.wild.total(),
        help_="Logged costs are never changed; `tokenusage report --cost current` shows what the "
        "prices make of them. A price that is wrong can be given in tokenusage.toml.",
    )


def _dollars(pico: int) -> str:
    """Return picodollars as dollars, with at least three digits that mean something."""
    amount = pico / PICO
    places = 2 if amount >= 1 or not amount else 2 - math.floor(math.log10(amount))
    return f"${amount:,.{places}f}"


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


def _strays(records: Records, days: Days, repeats: Repeats, setup: Setup) -> Iterator[Finding]:
    may_move = movable(records, days)
    moving, staying = [], []
    for (file, day, has_id), strays in records.strays.items():
        place = f"{strays.first.text(setup.naive_zone)} is of {day}"
        if not has_id or day not in may_move.get(file, ()):
            staying.append((place, strays.count))
        elif left := strays.count - repeats.staying(file, day):
            moving.append((place, left))
    if moving:
        yield Finding.at(
            "wrong-day",
            Weight.WRONG,
            "Records in the file of another day, where reports of their own day miss them",
            [place for place, _ in moving[:MAX_PLACES]],
            count=sum(count for _, count in moving),
            help_="Until they are moved, their days have no summary.",
            fixable=True,
        )
    if staying:
        yield Finding.at(
            "wrong-day-stays",
            Weight.NOTE,
            "Records in the file of another day that can't be moved",
            [place for place, _ in staying[:MAX_PLACES]],
            count=sum(count for _, count in staying),
            help_="They have no id, or stand in a sealed or open day, or belong to a day in "
            "the future or one of which only sums are left. They count where they are; those "
            "with an id keep the day of their file from being summed up and removed.",
        )


def _repeats(repeats: Repeats) -> Iterator[Finding]:
    if differing := repeats.differing:
        yield Finding.at(
            "wrong-day-repeats",
            Weight.NOTE,
            "Records in the file of another day whose id stands elsewhere too, with other content",
            [
                f"{name}: id {key.id} of {key.day}"
                for key, names in sorted(differing.items())[:MAX_PLACES]
                for name in names
            ],
            count=sum(map(len, differing.values())),
            help_="The first with an id counts, so that moving one could change the totals. They "
            "stay, and keep the day of their file from being summed up and removed, until "
            "somebody decides which of them is right.",
        )


def check_silence(newest: datetime | None, newest_day: date | None, setup: Setup) -> list[Finding]:
    """Return whether anything is logging at all.

    Args:
        newest: when the newest record was logged; None where no record was read.
        newest_day: the newest UTC day that has any, if that is all that is known of it.
        setup: the directory, and the clock.
    """
    said = f"{newest:%Y-%m-%d %H:%M} UTC" if newest else f"{newest_day}"
    if newest is None and newest_day is not None:
        newest = datetime.combine(newest_day, time.max, UTC)
    if newest is None:
        what = "No record was found: is anything logging here?"
    elif (age := setup.now - newest) > SILENCE:
        hours = age // timedelta(hours=1)
        what = f"The newest record is of {said}, {hours:,} hours ago: is anything logging here?"
    else:
        return []
    dead = newest is None or setup.now - newest > DEAD
    return [
        Finding(
            "silence",
            Weight.WRONG if dead else Weight.WARNING,
            what,
            help="See which directory your applications log to; `tokenusage log` writes a "
            f"record by hand, into {str(setup.logs)!r}.",
        )
    ]


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
