"""How long a night a recording makes, and the rows that make it long: a wrong year costs memory and hours."""

from pathlib import Path
from typing import Final

import polars as pl

from producers.importing.description import show
from producers.importing.fields import FILE, ROW
from streams.contract.runinfo import DEFAULT_WINDOW_MS
from streams.errors import EventFileError

LONGEST_DAYS: Final = 92
"""A longer night is refused unless the settings allow it."""
_DAY_MS: Final = 86_400_000
_FAR_MS: Final = _DAY_MS
"""A gap from which the rows beyond it are named."""
_FEW: Final = 0.01
"""Share of the rows that may lie beyond a gap and still be outliers."""
_MOST: Final = 3
"""Outliers named on each side."""
_EARLY_MS: Final = 365 * _DAY_MS


def outliers(events: pl.DataFrame, files: list[Path]) -> list[str]:
    """Return a line for each row that alone stretches the night by a day or more.

    Args:
        events: Columns ``at``, file and row.
        files: Paths by number.
    """
    ordered = events.select("at", FILE, ROW).sort("at")
    at = ordered["at"]
    most = max(1, int(_FEW * len(at)))
    far = (at.diff() >= _FAR_MS).fill_null(value=False).arg_true().to_list()
    early = max((place for place in far if place <= most), default=0)
    late = min((place for place in far if len(at) - place <= most and place > early), default=len(at))
    if early >= late - early or len(at) - late >= late - early:
        return []
    first, last = int(at[early]), int(at[late - 1])
    found = [
        (row, first - row["at"], last - row["at"]) for row in ordered.head(early).head(_MOST).iter_rows(named=True)
    ]
    found += [
        (row, row["at"] - last, row["at"] - first) for row in ordered.slice(late).tail(_MOST).iter_rows(named=True)
    ]
    return [
        f"{files[row[FILE]]}, row {row[ROW]}: {show(row['at'])} is {_days(gap)} away from the other rows; it "
        f"stretches the night to {_days(length)}, {length // DEFAULT_WINDOW_MS:,} windows"
        for row, gap, length in found
    ]


def check_length(start: int, end: int, named: list[str], *, allow_long: bool) -> list[str]:
    """Return what is likely to be wrong with a night's length.

    Args:
        start: First moment of the night (ms).
        end: Last moment of the night.
        named: What ``outliers`` found.
        allow_long: The user allows any length.

    Raises:
        EventFileError: The night is longer than ``LONGEST_DAYS``, and that is not allowed.
    """
    length = end - start
    if length > LONGEST_DAYS * _DAY_MS and not allow_long:
        why = f"; {named[0]}" if named else f", from {show(start)} to {show(end)}"
        raise EventFileError(
            f"the night takes {_days(length)}, {length // DEFAULT_WINDOW_MS:,} windows, more than {LONGEST_DAYS} days"
            f"{why}. If that is right, --allow-long"
        )
    early = end < _EARLY_MS
    hint = ["all times lie in 1970: are they seconds of a day, or a spreadsheet's days? They are taken as since 1970"]
    return [*named, *(hint if early else [])]


def _days(length: int) -> str:
    days = length / _DAY_MS
    if days >= 2 * 365:
        return f"{days / 365.25:.1f} years"
    return f"{days:.1f} days" if days >= 1 else f"{days * 24:.1f} hours"
