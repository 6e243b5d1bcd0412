"""Rows that are whole stays, as attendance lists have them: each becomes a join and a leave."""

import re
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from producers.importing import localclock
from producers.importing.fields import DURATION, KIND, LEAVE_AT, PRESENCE_KINDS, ROW
from producers.importing.problemlog import OVERLAPPING, ProblemLog
from producers.importing.times import DurationUnit, TimeReading, mapped, read_clock
from streams.errors import EventFileError

JOIN, LEAVE = PRESENCE_KINDS[1], PRESENCE_KINDS[3]
SAME_TIME: Final = "same_time"
"""Order of a person's events at one time: a stay that ends, one that begins, the end of a stay without length."""
_PER_UNIT: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000}
_CLOCK: Final = re.compile(r"(\d+):([0-5]\d):([0-5]\d)")
_PARTS: Final = re.compile(
    r"(?:PT)?(?:(\d+)\s*h(?:(?:ou)?rs?)?)?[ ,]*"
    r"(?:(\d+)\s*m(?:in(?:ute)?s?)?)?[ ,]*"
    r"(?:(\d+(?:\.\d+)?)\s*s(?:ec(?:ond)?s?)?)?",
    re.IGNORECASE,
)


def ends(fields: pl.DataFrame, at: pl.Series, reading: TimeReading, unit: DurationUnit, path: Path) -> pl.Series:
    """Return when each row's stay ends, in ms since the epoch; null where it has no end.

    A time to leave counts before a duration. Where its hour came twice, the join or the duration decides which one is
    meant: the order of the rows is that of the joins.

    Args:
        fields: Columns ``leave_at`` and ``duration`` as texts, or one of them.
        at: When the stays begin.
        reading: How times are to be read.
        unit: What plain numbers are in durations.
        path: The file, for messages.

    Raises:
        EventFileError: A value is no time or duration, lies before the join, or its hour cannot be decided.
    """
    none = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(at))
    lengths = _durations(fields[DURATION], unit, path) if DURATION in fields.columns else none
    found = _leaves(fields[LEAVE_AT], at, lengths, reading, path) if LEAVE_AT in fields.columns else none
    found = found.fill_null(at + lengths)
    early = (found < at).fill_null(value=False).arg_true()
    if len(early):
        raise EventFileError(f"{path}, row {early[0] + 1}: the stay ends before it begins")
    return found


def as_events(rows: pl.DataFrame, end: str, problems: ProblemLog, file: int) -> pl.DataFrame:
    """Return joins and leaves in place of stays; other rows stay as they are.

    Stays of one person in one room that overlap, as with two devices, are one stay: the rows of the later ones are left
    out.

    Args:
        rows: Rows with ``person``, ``space``, ``at`` and the kind; ``end`` is null for all that are no stay.
        end: The column with the end of a stay.
        problems: Takes in the overlaps.
        file: The number of the file.
    """
    whole = rows.filter(pl.col(end).is_not_null())
    merged = _merged(whole.sort("at", ROW), end, problems, file)
    joins = merged.with_columns(pl.lit(1).alias(SAME_TIME))
    leaves = merged.with_columns(
        pl.col(end).alias("at"),
        pl.lit(LEAVE).alias(KIND),
        pl.when(pl.col(end) == pl.col("at")).then(2).otherwise(0).alias(SAME_TIME),
    )
    rest = rows.filter(pl.col(end).is_null()).with_columns(pl.lit(1).alias(SAME_TIME))
    return pl.concat([rest, joins, leaves]).sort("at", SAME_TIME, ROW, maintain_order=True)


def _merged(stays: pl.DataFrame, end: str, problems: ProblemLog, file: int) -> pl.DataFrame:
    """Return the stays in order of their begin, those that overlap an earlier one merged into it."""
    open_stays: dict[tuple[str, str | None], int] = {}
    until = stays[end].to_list()
    keep = [True] * stays.height
    people, spaces, starts, numbers = (stays[name].to_list() for name in ("person", "space", "at", ROW))
    for place, (person, space, at, row) in enumerate(zip(people, spaces, starts, numbers, strict=True)):
        first = open_stays.get((person, space))
        if first is None or (until[first] <= at and starts[first] < at):
            open_stays[person, space] = place
            continue
        until[first] = max(until[first], until[place])
        keep[place] = False
        problems.leave_out(OVERLAPPING, f"row {row}, {person!r}, with row {numbers[first]}", file, row)
    return stays.with_columns(pl.Series(end, until, dtype=pl.Int64)).filter(pl.Series(keep, dtype=pl.Boolean))


def _leaves(texts: pl.Series, at: pl.Series, lengths: pl.Series, reading: TimeReading, path: Path) -> pl.Series:
    clock = read_clock(texts, reading, str(path))
    if reading.zone is None or not clock.local.is_not_null().any():
        return clock.utc
    first, second = localclock.both(clock.local, reading.zone, str(path))
    table = pl.DataFrame({"first": first, "second": second, "at": at, "length": lengths})
    doubled = pl.col("first") != pl.col("second")
    off_first, off_second = ((pl.col(name) - pl.col("at") - pl.col("length")).abs() for name in ("first", "second"))
    is_second = (pl.col("first") < pl.col("at")) | (off_second < off_first).fill_null(value=False)
    is_first = (off_first < off_second).fill_null(value=False)
    if reading.doubled_hour is not None:
        is_second = is_second | (pl.lit(reading.doubled_hour == "second") & ~is_first)
        is_first = ~is_second
    chosen = table.select(
        at=pl.when(doubled & is_second).then("second").otherwise("first"), undecided=doubled & ~is_first & ~is_second
    )
    localclock.refuse_undecided(clock.local, np.flatnonzero(chosen["undecided"].fill_null(value=False).to_numpy()),
                             reading.zone, str(path))  # fmt: skip
    return clock.utc.fill_null(chosen["at"])


def _durations(texts: pl.Series, unit: DurationUnit, path: Path) -> pl.Series:
    different = texts.drop_nulls().unique(maintain_order=True)
    found = [_duration(text.strip(), unit) for text in different]
    if None in found:
        text = different[found.index(None)]
        row = int((texts == text).arg_true()[0])
        raise EventFileError(
            f"{path}, row {row + 1}: {text!r} is no duration; expected 1h 27m 51s, 01:27:51 or a "
            "number (of seconds, or as --duration-unit has it)"
        )
    return mapped(texts, different, found)


def _duration(text: str, unit: DurationUnit) -> int | None:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return round(float(text) * _PER_UNIT[unit])
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part) for part in clock.groups())
        return (hours * 3600 + minutes * 60 + seconds) * 1000
    parts = _PARTS.fullmatch(text)
    if parts is None or not any(parts.groups()):
        return None
    hours, minutes = (int(part or 0) for part in parts.groups()[:2])
    return round((hours * 3600 + minutes * 60 + float(parts[3] or 0)) * 1000)
