"""From a local clock to UTC: the hour that comes twice when summer time ends, and the one that never comes in spring.

In the doubled hour the order of the rows decides: where the clock runs backwards, the second hour has begun. A step
back counts only among rows that are otherwise in order: it must be the only one in that hour between two other breaks
of the order, and larger than the small steps back (of less than an hour) elsewhere in the file.
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
        raise EventFileError(f"{source}{_rows(never.to_numpy())}: {_no_such_hour(int(local[int(never[0])]), zone)}")
    return first, second


def one(local: int, zone: str, source: str, fold: Fold | None) -> int:
    """Return UTC (ms) for one time of a clock in a zone; raises EventFileError like ``by_order``."""
    first, second = both(pl.Series([local]), zone, source)
    if first[0] != second[0] and fold is None:
        raise EventFileError(f"{source}: {_doubled(local, zone)}; write it with an offset to UTC (-04:00)")
    return int(second[0] if fold == "second" else first[0])


def by_order(local: pl.Series, zone: str, source: str, fold: Fold | None) -> pl.Series:
    """Return UTC (ms) for a clock in a zone, doubled hours decided by ``fold``, else by the order of the rows.

    Raises:
        EventFileError: The clock never showed a time, or nothing decides which of two hours is meant; the text names
            the hour and the rows.
    """
    first, second = both(local, zone, source)
    doubled = (first != second).fill_null(value=False).to_numpy()
    if fold is not None or not doubled.any():
        return second if fold == "second" else first
    there = np.flatnonzero(local.is_not_null().to_numpy())
    clock = local.drop_nulls().to_numpy()
    later, undecided = _second_hour(clock, doubled[there])
    refuse_undecided(local, there[undecided], zone, source)
    chosen = np.zeros(len(local), dtype=bool)
    chosen[there[later]] = True
    return second.zip_with(pl.Series(chosen), first)


def refuse_undecided(local: pl.Series, rows: Ints, zone: str, source: str) -> None:
    """Raise EventFileError if there are rows whose hour cannot be decided."""
    if len(rows):
        raise EventFileError(
            f"{source}{_rows(rows)}: {_doubled(int(local[int(rows[0])]), zone)}, and the order of the rows does not "
            "show which one is meant; write times with an offset (-04:00), or choose --doubled-hour first or second"
        )


def _no_such_hour(local: int, zone: str) -> str:
    return f"in {zone} there was no hour from {_hour(local)}: summer time began; is the zone right?"


def _doubled(local: int, zone: str) -> str:
    return f"in {zone} the hour from {_hour(local)} came twice as summer time ended"


def _rows(places: Ints) -> str:
    numbers = ", ".join(str(place + 1) for place in places[:_NAMED].tolist())
    return f", row{'s' if len(places) > 1 else ''} {numbers}{' …' if len(places) > _NAMED else ''}"


def _second_hour(clock: Ints, doubled: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return the places in the second hour, and those that cannot be decided."""
    if _breaks(clock[::-1], doubled[::-1]).sum() < _breaks(clock, doubled).sum():  # the newest first
        second, unknown = _decided(clock[::-1], doubled[::-1])
        return len(clock) - 1 - second, np.sort(len(clock) - 1 - unknown)
    return _decided(clock, doubled)


def _breaks(clock: Ints, doubled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which steps go back otherwise than inside of a doubled hour."""
    return (np.diff(clock) < 0) & ~_inside(clock, doubled)


def _inside(clock: Ints, doubled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    steps = np.diff(clock)
    return (steps < 0) & (steps > -2 * _HOUR_MS) & doubled[1:] & doubled[:-1]


def _decided(clock: Ints, doubled: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    steps, inside, breaks = np.diff(clock), _inside(clock, doubled), _breaks(clock, doubled)
    small = -steps[breaks & (-steps < _HOUR_MS)]
    least = int(small.max()) if len(small) else 0
    stretch = np.cumsum(np.concatenate([[0], breaks]))
    passed = np.cumsum(np.concatenate([[0], inside]))
    later: list[Ints] = []
    undecided: list[Ints] = []
    for places in _one_night(np.flatnonzero(doubled), stretch, clock):
        count = passed[places] - passed[places[0]]
        turns = places[np.flatnonzero(np.diff(count)) + 1]
        if count[-1] == 1 and -steps[turns[0] - 1] > least:
            later.append(places[count == 1])
        else:
            undecided.append(places)
    return _joined(later), _joined(undecided)


def _one_night(places: Ints, stretch: Ints, clock: Ints) -> list[Ints]:
    """Return the places in doubled hours apart by night, and by the breaks of the order between them."""
    new = (np.diff(stretch[places]) > 0) | (np.abs(np.diff(clock[places])) >= 2 * _HOUR_MS)
    return np.split(places, np.flatnonzero(new) + 1)


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _hour(clock: int) -> str:
    begin = clock - clock % _HOUR_MS
    first, last = (datetime.fromtimestamp(at / 1000, UTC) for at in (begin, begin + _HOUR_MS))
    return f"{first:%Y-%m-%d %H:%M} to {last:%H:%M}"
