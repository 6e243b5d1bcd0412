"""Ids of any form as the tape's integers: people dense from 0, posts as they are where they are numbers."""

from typing import Final

import polars as pl

_WHOLE: Final = r"^(0|[1-9]\d{0,17}|[1-8]\d{18})$"
"""Numbers that are written in one way only and fit 64 bits."""


def different(ids: pl.Series) -> pl.Series:
    """Return every id once: numbers in the order of numbers, else texts in the order of their characters.

    So the ids 0 … n-1 keep their values, and the order of a file's rows does not matter.
    """
    unique = ids.drop_nulls().unique()
    return unique.gather(unique.cast(pl.Int64).arg_sort()) if whole(unique) else unique.sort()


def whole(ids: pl.Series) -> bool:
    """Whether all ids are numbers that a tape can hold as they are."""
    return bool(ids.str.contains(_WHOLE).all())


def numbered(ids: pl.Series, names: pl.Series) -> pl.Series:
    """Return each id's place among ``names``; null stays null."""
    return ids.cast(pl.Enum(names)).to_physical().cast(pl.Int64)
