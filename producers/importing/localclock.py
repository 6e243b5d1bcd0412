"""From a local clock to UTC: the hour that comes twice when summer time ends, and the one that never comes in spring.

In the doubled hour the order of the rows tells: where the clock runs backwards, the second hour has begun. A step back
counts only among rows that are otherwise in order: it must be the only one in that hour between two other breaks of
the order, and larger than the small steps back (of less than an hour) elsewhere in the file.
"""

from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.errors import EventFileError

Fold: TypeAlias = Literal["first", "second"]
FOLDS: Final = ("first", "second")
_HOUR_MS: Final = 3_600_000
_NAMED: Final = 5
"""Rows named in a message."""
Ints: TypeAlias = NDArray[np.int64]


def both(local: pl.Series, zone: str, source: str) -> tuple[pl.Series, pl.Series]:
    """Return UTC (ms) for a clock in a zone, as the first and as the second hour where an hour comes twice.

    Args:
        local: The clock as ms since 1970 without regard to a zone; null stays null.
        zone: IANA name.
        source: The file, for messages.

    Raises:
        EventFileError: The clock never showed a time.
    """
    clock = local.cast(pl.Datetime("ms"))
    first, second = (
        clock.dt.replace_time_zone(zone, ambiguous=which, non_existent="null").dt.timestamp("ms")
        for which in ("earliest", "latest")
    )
    never = (first.is_null() & local.is_not_null()).arg_true()
    if len(never):
        hour = _span(int(local[int(never[0])]), _HOUR_MS)
        raise EventFileError(
            f"{source}{rows_named(never.to_numpy())}: in {zone} there was no hour from {hour}: summer time began; "
            "is the zone right?"
        )
    return first, second


def by_order(local: pl.Series, zone: str, source: str, fold: Fold | None) -> pl.Series:
    """Return UTC (ms) for a clock in a zone, doubled hours told apart by ``fold``, else by the order of the rows.

    Raises:
        EventFileError: The clock never showed a time, or nothing tells which of two hours is meant; the text names the
            hour and the rows.
    """
    first, second = both(local, zone, source)
    doubled = (first != second).fill_null(value=False).to_numpy()
    if fold is not None or not doubled.any():
        return second if fold == "second" else first
    there = np.flatnonzero(local.is_not_null().to_numpy())
    clock = local.drop_nulls().to_numpy()
    later, untold = _second_hour(clock, doubled[there])
    refuse_untold(local, there[untold], zone, source)
    chosen = np.zeros(len(local), dtype=bool)
    chosen[there[later]] = True
    return second.zip_with(pl.Series(chosen), first)


def refuse_untold(local: pl.Series, rows: Ints, zone: str, source: str) -> None:
    """Raise EventFileError if there are rows of which nobody can tell which of two hours they mean."""
    if len(rows):
        hour = _span(int(local[int(rows[0])]), _HOUR_MS)
        raise EventFileError(
            f"{source}{rows_named(rows)}: in {zone} the hour from {hour} came twice as summer time ended, and the "
            "order of the rows does not tell which one is meant; write times with an offset (-04:00), or choose with "
            "--doubled-hour first or second"
        )


def rows_named(places: Ints) -> str:
    """Return ``, row 5`` or ``, rows 5, 6, 7 …`` for places from 0."""
    numbers = ", ".join(str(place + 1) for place in places[:_NAMED].tolist())
    return f", row{'s' if len(places) > 1 else ''} {numbers}{' …' if len(places) > _NAMED else ''}"


def _second_hour(clock: Ints, doubled: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return the places in the second hour, and those that cannot be told."""
    steps = np.diff(clock)
    if np.count_nonzero(steps < 0) > np.count_nonzero(steps > 0):  # the newest first
        second, unknown = _second_hour(clock[::-1], doubled[::-1])
        return len(clock) - 1 - second, np.sort(len(clock) - 1 - unknown)
    back = steps < 0
    near = np.abs(steps) < 2 * _HOUR_MS
    inside = back & doubled[1:] & doubled[:-1] & near
    breaks = back & ~inside
    small = -steps[breaks & (-steps < _HOUR_MS)]
    least = int(small.max()) if len(small) else 0
    stretch = np.cumsum(np.concatenate([[0], breaks]))
    passed = np.cumsum(np.concatenate([[0], inside]))
    later: list[Ints] = []
    untold: list[Ints] = []
    for places in _one_night(np.flatnonzero(doubled), stretch, clock):
        count = passed[places] - passed[places[0]]
        turns = places[np.flatnonzero(np.diff(count)) + 1]
        if count[-1] == 1 and -steps[turns[0] - 1] > least:
            later.append(places[count == 1])
        else:
            untold.append(places)
    return _joined(later), _joined(untold)


def _one_night(places: Ints, stretch: Ints, clock: Ints) -> list[Ints]:
    """Return the places in doubled hours apart by night, and by the breaks of the order between them."""
    new = (np.diff(stretch[places]) > 0) | (np.abs(np.diff(clock[places])) >= 2 * _HOUR_MS)
    return np.split(places, np.flatnonzero(new) + 1)


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _span(clock: int, length: int) -> str:
    begin = clock - clock % length
    first, last = (datetime.fromtimestamp(at / 1000, UTC) for at in (begin, begin + length))
    return f"{first:%Y-%m-%d %H:%M} to {last:%H:%M}"
