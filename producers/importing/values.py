"""What a text in a table stands for, the same for every format: no value, a number that was an id, or the text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from streams.errors import EventFileError

MISSING: Final = ("\\N", "NULL", "null", "None", "NaN", "nan", "NaT", "<NA>")
"""Words by which databases and data frames write that there is no value."""
_MISSING_TEXT: Final = ("\\N", "NULL")
"""In the text of a post other words may be what was written."""
TEXT: Final = "text"
_DOUBTFUL: Final = ("na", "n/a", "#n/a", "nil", "none", "null", "nan", "undefined", "(null)", "(none)", "-", "--", "?")
"""Words, in any case, that may mean no value and may be ids; the user is asked."""
_IDS: Final = ("person", "space", "tweet_id", "conversation", "ref")
_TIMES: Final = ("at", "leave_at", "duration")
"""Fields that may be fractions; all others are words or whole numbers."""
_FLOAT: Final = r"^-?(0|[1-9]\d*)\.0+$"
_NUMBER: Final = r"^-?(0|[1-9]\d*)(\.0+)?$"
_ROUNDED: Final = r"^-?\d+([.,]\d+)?[eE]\+\d+$"


def normalised(
    path: Path, field: str, columns: Sequence[pl.Series], missing_words: Sequence[str] = ()
) -> tuple[pl.Series, dict[str, int]]:
    """Return one field's values and the words among them that were read as no value.

    Args:
        path: The file, for messages.
        field: The field.
        columns: Texts of one or more columns; the first with a value counts.
        missing_words: Words besides ``MISSING`` that mean no value.

    Raises:
        EventFileError: A number has lost digits, or one id is written in two ways.
    """
    words = [*(_MISSING_TEXT if field == TEXT else MISSING), *missing_words]
    counts: dict[str, int] = {}
    merged: pl.Series | None = None
    for column in columns:
        found = _without(column if field == TEXT else column.set(_blank(column), None), words, counts)
        if field != TEXT:
            _refuse_rounded(path, found)
        if field not in {TEXT, *_TIMES}:
            found = _whole(path, found)
        merged = found if merged is None else merged.zip_with(merged.is_not_null(), found)
    assert merged is not None
    return merged.alias(field), counts


def lowered(texts: pl.Series) -> pl.Series:
    """Return texts in lower case; by Python, because Polars ends in a panic on some texts with a capital sigma."""
    different = texts.drop_nulls().unique()
    if not len(different):
        return texts
    return texts.replace_strict(different, pl.Series([text.lower() for text in different]), return_dtype=pl.String)


def doubtful(fields: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return words that were read as ids and may mean no value, with how many of each, by field."""
    found: dict[str, dict[str, int]] = {}
    for name in (name for name in _IDS if name in fields.columns):
        words = fields[name].filter(lowered(fields[name]).is_in(_DOUBTFUL))
        if len(words):
            found[name] = dict(words.value_counts().sort(name).iter_rows())
    return found


def _without(column: pl.Series, words: Sequence[str], counts: dict[str, int]) -> pl.Series:
    unsaid = column.is_in(words).fill_null(value=False)
    if unsaid.any():
        for word, count in column.filter(unsaid).value_counts(sort=True).iter_rows():
            counts[word] = counts.get(word, 0) + count
        column = column.set(unsaid, None)
    return column.set((column == "").fill_null(value=False), None)


def _blank(column: pl.Series) -> pl.Series:
    return (column.str.strip_chars() == "").fill_null(value=False)


def _refuse_rounded(path: Path, column: pl.Series) -> None:
    rounded = column.str.contains(_ROUNDED).fill_null(value=False).arg_true()
    if len(rounded):
        row = int(rounded[0])
        raise EventFileError(
            f"{path}, row {row + 1}: {column.name} {column[row]!r}: a number with an exponent has lost digits "
            "(a spreadsheet, a floating-point column); write whole numbers or texts"
        )


def _whole(path: Path, column: pl.Series) -> pl.Series:
    """Return whole numbers without ``.0``, which is how a column with gaps is often written."""
    floats = column.str.contains(_FLOAT).fill_null(value=False)
    if not floats.any() or not column.drop_nulls().str.contains(_NUMBER).all():
        return column
    whole = column.str.replace(r"\.0+$", "").str.replace("^-0$", "0")
    _refuse_two_ways(path, column, whole)
    return whole


def _refuse_two_ways(path: Path, column: pl.Series, whole: pl.Series) -> None:
    pairs = pl.DataFrame({"written": column, "whole": whole}).unique(maintain_order=True).drop_nulls()
    twice = pairs.filter(pairs["whole"].is_duplicated())
    if twice.height:
        first = twice.filter(pl.col("whole") == twice["whole"][0])["written"].to_list()[:2]
        rows = [int((column == text).arg_true()[0]) for text in first]
        raise EventFileError(
            f"{path}, rows {rows[0] + 1} and {rows[1] + 1}: {column.name} is written {first[0]!r} and {first[1]!r}: "
            "one id in two ways, or two ids; write them in one way"
        )
