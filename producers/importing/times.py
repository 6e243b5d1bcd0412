"""Times as people write them, in whole milliseconds since the epoch: ISO 8601, a form given, a number since 1970.

A number's unit is given, or seen from its size: below 10**11 seconds, below 10**14 milliseconds, below 10**17
microseconds, else nanoseconds. One file has one unit. What is finer than a millisecond is rounded (numbers) or cut off
(all else). Times without a zone are of the zone given (``producers.importing.localclock``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

import numpy as np
import polars as pl

from producers.importing import localclock
from producers.importing.localclock import Fold
from streams.errors import EventFileError

Times: TypeAlias = Literal["auto", "iso", "s", "ms", "us", "ns"]
TIMES: Final = ("auto", "iso", "s", "ms", "us", "ns")
DurationUnit: TypeAlias = Literal["s", "m", "h"]
DURATION_UNITS: Final = ("s", "m", "h")

_BOUNDS: Final = (1e11, 1e14, 1e17)
"""Sizes from which a number is of the next finer unit."""
_UNITS: Final = ("s", "ms", "us", "ns")
_NUMBER: Final = r"^\d+(?:\.\d+)?$"
_ISO: Final = (
    r"^(?<day>\d{4}-\d{2}-\d{2})[Tt ](?<clock>\d{2}:\d{2})(?<second>:\d{2})?(?:[.,](?<part>\d+))?"
    r" ?(?<zone>Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?$"
)
_ALLOWED: Final = (
    "expected ISO 8601 (2023-05-24T22:00:00Z) or a number of seconds or milliseconds since 1970, or name the form with "
    "--time-format"
)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a clock without a zone
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True)
class TimeReading:
    """How times are to be read.

    Args:
        times: What they are; ``auto`` sees it from the values.
        zone: IANA name of the zone of times without one, None where each must have its own.
        time_format: Their form, as Python's ``strptime`` takes it; before ``times``.
        doubled_hour: Which of two equal hours is meant if the order of rows leaves it open.
    """

    times: Times = "auto"
    zone: str | None = None
    time_format: str | None = None
    doubled_hour: Fold | None = None


@dataclass(frozen=True)
class ClockTimes:
    """Times as read: ``utc`` (ms) where the text has a zone or is a number, ``local`` (ms) where it has none.

    Both are null where the text is no time, and where there is no text.
    """

    utc: pl.Series
    local: pl.Series


def read_clock(texts: pl.Series, reading: TimeReading, source: str) -> ClockTimes:
    """Read texts as times, in the order of the file's rows.

    Raises:
        EventFileError: A text is no time, has no zone where none is given, or units are mixed; the message has its row.
    """
    texts = texts.str.replace_all("[\u00a0\u202f]", " ").str.strip_chars()
    clock = _clock(texts, reading, source)
    wrong = (texts.is_not_null() & clock.utc.is_null() & clock.local.is_null()) | (clock.utc < 0) | (clock.local < 0)
    if reading.zone is None:
        wrong |= clock.local.is_not_null()
    places = wrong.fill_null(value=False).arg_true()
    if len(places):
        row = int(places[0])
        more = f" ({len(places)} such rows)" if len(places) > 1 else ""
        raise EventFileError(f"{source}, row {row + 1}: {_complaint(texts[row], reading)}{more}")
    return clock


def millis(texts: pl.Series, reading: TimeReading, source: str) -> pl.Series:
    """Return times as Int64 milliseconds since the epoch.

    Args:
        texts: In the order of the file's rows.
        reading: How they are to be read.
        source: The file, for messages.

    Raises:
        EventFileError: A row has no time, or one that cannot be decided; the text has its row and the value.
    """
    empty = texts.is_null().arg_true()
    if len(empty):
        raise EventFileError(f"{source}, row {int(empty[0]) + 1}: there is no time; {_ALLOWED}")
    clock = read_clock(texts, reading, source)
    if reading.zone is None or not clock.local.is_not_null().any():
        return clock.utc
    return clock.utc.fill_null(localclock.by_order(clock.local, reading.zone, source, reading.doubled_hour))


def moment(value: str | float, reading: TimeReading, field: str) -> int:
    """Return one time of the settings in ms since the epoch; raises EventFileError naming ``field`` if it is none."""
    text = pl.Series([str(value)])
    clock = _clock(text, TimeReading(zone=reading.zone), field)
    local = clock.local[0]
    if local is not None and local >= 0 and reading.zone is not None:
        return localclock.one(local, reading.zone, f"{field}: {value}", reading.doubled_hour)
    found = clock.utc[0]
    if found is None or found < 0:
        raise EventFileError(f"{field}: {_complaint(value, TimeReading(zone=reading.zone))}")
    return int(found)


def mapped(texts: pl.Series, different: pl.Series, numbers: Sequence[int | None]) -> pl.Series:
    """Return for each text the number of its equal among ``different``; null stays null."""
    if not len(different):
        return texts.cast(pl.Int64)
    return texts.replace_strict(different, pl.Series(numbers, dtype=pl.Int64), return_dtype=pl.Int64)


def _clock(texts: pl.Series, reading: TimeReading, source: str) -> ClockTimes:
    if reading.time_format is not None:
        return _formed(texts, reading.time_format)
    if reading.times == "iso" or (reading.times == "auto" and not _numeric(texts)):
        return _iso(texts)
    utc = _numbers(texts, reading.times, source)
    return ClockTimes(utc, pl.Series([None], dtype=pl.Int64).new_from_index(0, len(texts)))


def _numeric(texts: pl.Series) -> bool:
    first = texts.drop_nulls().head(1)
    return bool(len(first) and first.str.contains(_NUMBER)[0])


def _formed(texts: pl.Series, form: str) -> ClockTimes:
    different = texts.drop_nulls().unique()
    utc: list[int | None] = []
    local: list[int | None] = []
    for text in different:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is that of the file
        except ValueError:
            found = None
        aware = found is not None and found.tzinfo is not None
        plain = found.astimezone(UTC).replace(tzinfo=None) if found is not None and aware else found
        at = None if plain is None else (plain - _EPOCH) // _MILLISECOND
        utc.append(at if aware else None)
        local.append(None if aware else at)
    return ClockTimes(mapped(texts, different, utc), mapped(texts, different, local))


def _iso(texts: pl.Series) -> ClockTimes:
    """Take the text apart by hand: what libraries accept as ISO 8601 differs, and a wrong guess would pass unseen."""
    parts = texts.str.extract_groups(_ISO).struct.unnest()
    text = pl.concat_str("day", pl.lit("T"), "clock", pl.col("second").fill_null(":00"))
    clock = text.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="ms", strict=False).dt.timestamp("ms")
    part = (pl.col("part").fill_null("") + "000").str.slice(0, 3).cast(pl.Int64)
    digits = pl.col("zone").str.replace_all("[^0-9+-]", "")
    hours = digits.str.slice(0, 3).cast(pl.Int64, strict=False).fill_null(0)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    sign = pl.when(digits.str.starts_with("-")).then(-1).otherwise(1)
    offset = hours * 3_600_000 + sign * minutes * 60_000
    zoned = pl.col("zone").is_not_null()
    found = parts.select(utc=pl.when(zoned).then(clock + part - offset), local=pl.when(~zoned).then(clock + part))
    return ClockTimes(found["utc"], found["local"])


def _numbers(texts: pl.Series, times: Times, source: str) -> pl.Series:
    plain = texts.set(~texts.str.contains(_NUMBER).fill_null(value=False), None)
    whole = plain.str.extract(r"^(\d+)").cast(pl.Int64, strict=False)
    fraction = "0." + plain.str.extract(r"\.(\d+)$").fill_null("0")
    part = fraction.cast(pl.Float64)
    unit = _unit(whole, texts, source) if times == "auto" else times
    if unit == "s":
        return whole * 1000 + (part * 1000).round().cast(pl.Int64)
    if unit == "ms":
        return whole + part.round().cast(pl.Int64)
    per = 1_000 if unit == "us" else 1_000_000
    return (whole + per // 2) // per


def _unit(numbers: pl.Series, texts: pl.Series, source: str) -> str:
    size = np.searchsorted(_BOUNDS, numbers.fill_null(0).to_numpy(), side="right")
    rows = numbers.is_not_null().arg_true().to_numpy()
    if not len(rows):
        return "ms"
    first = size[rows[0]]
    other = rows[size[rows] != first]
    if len(other):
        row = int(other[0])
        raise EventFileError(
            f"{source}, row {row + 1}: {texts[row]!r} looks like {_UNITS[size[row]]} since 1970, the rows before it "
            f"like {_UNITS[first]}; choose with --times"
        )
    return _UNITS[int(first)]


def _complaint(value: object, reading: TimeReading) -> str:
    text = str(value).strip()
    iso = re.match(_ISO.replace("?<", "?P<"), text)
    local = reading.time_format is not None or (iso is not None and iso["zone"] is None)
    if local and reading.zone is None and (iso is not None or _clock(pl.Series([text]), reading, "").local[0]):
        return f"the time {text!r} has no zone: write one (…Z, …+02:00), or give --zone, as in --zone America/New_York"
    if reading.time_format is not None:
        return f"{text!r} is no time since 1970 of the form {reading.time_format!r}"
    return f"{text!r} is no time since 1970; {_ALLOWED}"
