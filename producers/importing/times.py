"""Times as people write them, in whole milliseconds since the epoch: ISO 8601 with a zone, or a number since 1970.

A number's unit is given, or seen from its size: below 10**11 seconds, below 10**14 milliseconds, below 10**17
microseconds, else nanoseconds. One file has one unit. What is finer than a millisecond is rounded (numbers) or cut off
(ISO 8601).
"""

import re
from typing import Final, Literal, TypeAlias

import numpy as np
import polars as pl

from streams.errors import EventFileError

Times: TypeAlias = Literal["auto", "iso", "s", "ms", "us", "ns"]
TIMES: Final = ("auto", "iso", "s", "ms", "us", "ns")
_PER_UNIT: Final = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}
"""How many of the unit are a millisecond."""
_BOUNDS: Final = (1e11, 1e14, 1e17)
"""Sizes from which a number is of the next finer unit."""
_ISO: Final = (
    r"^(?<day>\d{4}-\d{2}-\d{2})[Tt ](?<clock>\d{2}:\d{2})(?<second>:\d{2})?(?:[.,](?<part>\d+))?"
    r" ?(?<zone>Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?$"
)
_ALLOWED: Final = "expected ISO 8601 (2023-05-24T22:00:00Z) or a number of seconds or milliseconds since 1970"


def millis(values: pl.Series, times: Times, zone: str | None, source: str) -> pl.Series:
    """Return times as Int64 milliseconds since the epoch.

    Args:
        values: Texts, numbers or (from Parquet) datetimes, in the order of the file's rows.
        times: What they are; ``auto`` sees it from the values.
        zone: IANA name of the zone of times that do not say theirs, None where each must.
        source: The file, for messages.

    Raises:
        EventFileError: A value is no time; the text has its row and the value.
    """
    found = _parsed(values, times, zone, source)
    wrong = (found.is_null() | (found < 0)).fill_null(value=True).arg_true()
    if len(wrong):
        row = int(wrong[0])
        more = f" ({len(wrong)} such rows)" if len(wrong) > 1 else ""
        raise EventFileError(f"{source}, row {row + 1}: {_complaint(values[row], zone)}{more}")
    return found


def moment(value: str | float, zone: str | None, field: str) -> int:
    """Return one time in milliseconds since the epoch; raises EventFileError naming ``field`` if it is none."""
    found = _parsed(pl.Series([str(value)]), "auto", zone, field)[0]
    if found is None or found < 0:
        raise EventFileError(f"{field}: {_complaint(value, zone)}")
    return int(found)


def _parsed(values: pl.Series, times: Times, zone: str | None, source: str) -> pl.Series:
    if values.dtype == pl.Datetime:
        return _zoned(values, zone)
    if not values.dtype.is_numeric():
        values = values.cast(pl.String)
    if times == "iso" or (times == "auto" and values.dtype == pl.String and not _numeric(values)):
        return _iso(values.cast(pl.String), zone)
    return _numbers(values, times, source)


def _numeric(values: pl.Series) -> bool:
    first = values.drop_nulls().head(1)
    return len(first) == 1 and first.cast(pl.Float64, strict=False).null_count() == 0


def _zoned(values: pl.Series, zone: str | None) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is not None:
        return values.dt.timestamp("ms")  # of the moment, whatever the zone it is shown in
    if zone is None:
        return pl.Series(values=[None] * len(values), dtype=pl.Int64)
    return values.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.timestamp("ms")


def _iso(values: pl.Series, zone: str | None) -> pl.Series:
    """Take the text apart by hand: what libraries accept as ISO 8601 differs, and a wrong guess would pass unseen."""
    parts = values.str.strip_chars().str.extract_groups(_ISO).struct.unnest()
    text = pl.concat_str("day", pl.lit("T"), "clock", pl.col("second").fill_null(":00"))
    clock = text.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="ms", strict=False)
    digits = pl.col("zone").str.replace_all("[^0-9+-]", "")
    hours = digits.str.slice(0, 3).cast(pl.Int64, strict=False).fill_null(0)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    sign = pl.when(digits.str.starts_with("-")).then(-1).otherwise(1)
    offset = hours * 3_600_000 + sign * minutes * 60_000
    part = (pl.col("part").fill_null("") + "000").str.slice(0, 3).cast(pl.Int64)
    told = clock.dt.timestamp("ms") - offset
    naive = clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null") if zone else pl.lit(None)
    at = pl.when(pl.col("zone").is_not_null()).then(told).otherwise(naive.cast(pl.Datetime("ms")).dt.timestamp("ms"))
    return parts.select(at=at + part).to_series()


def _numbers(values: pl.Series, times: Times, source: str) -> pl.Series:
    numbers = values.cast(pl.Float64, strict=False)
    numbers = numbers.set(~numbers.is_finite(), None)
    unit = _unit(numbers, values, source) if times == "auto" else times
    return (numbers / _PER_UNIT[unit]).round().cast(pl.Int64, strict=False)


def _unit(numbers: pl.Series, values: pl.Series, source: str) -> str:
    there = numbers.is_not_null()
    size = np.searchsorted(_BOUNDS, numbers.abs().fill_null(0).to_numpy(), side="right")
    rows = there.arg_true().to_numpy()
    if not len(rows):
        return "ms"
    first = size[rows[0]]
    other = rows[size[rows] != first]
    units = list(_PER_UNIT)
    if len(other):
        row = int(other[0])
        raise EventFileError(
            f"{source}, row {row + 1}: {values[row]!r} looks like {units[size[row]]} since 1970, the rows before it "
            f"like {units[first]}; say which with --times"
        )
    return units[int(first)]


def _complaint(value: object, zone: str | None) -> str:
    text = str(value).strip()
    iso = re.match(_ISO.replace("?<", "?P<"), text)
    if value is None or not text:
        return f"there is no time; {_ALLOWED}"
    if iso and iso["zone"] is None and zone is None:
        return f"the time {text!r} says no zone: write one (…Z, …+02:00), or give --zone, as in --zone America/New_York"
    place = f" in {zone}" if iso and iso["zone"] is None else ""
    return f"{text!r} is no time{place} since 1970; {_ALLOWED}"
