"""The rows of an event file, each value read as what it must be; what cannot be read is named with its row."""

import re
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from producers.importing.fields import FIELDS, IGNORE, KIND, KINDS, LABELS, POST_KINDS, REQUIRED, ROW
from producers.importing.importspec import FileSpec
from producers.importing.problems import BACKWARDS, EXAMPLES, Problems
from producers.importing.reading import read
from producers.importing.times import millis
from streams.contract.results import STANCES
from streams.errors import EventFileError

SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    ROW: pl.Int64,
    **dict.fromkeys(FIELDS, pl.String),
    "at": pl.Int64,
    "try": pl.Int64,
    "since_drop_ms": pl.Int64,
    "hashtags": pl.List(pl.String),
    "label_effect": pl.Boolean,
}
"""The columns of ``rows``; ids are still as they stand in the file."""
_EMPTY_IS_NOTHING: Final = set(FIELDS) - {"text"}
_LABEL_WORDS: Final = {"label_stance": STANCES, "label_subject": ("launch", "announcement", "other")}
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_json_list = msgspec.json.Decoder(list[str])


def rows(path: Path, spec: FileSpec, problems: Problems, *, posts: bool = False) -> pl.DataFrame:
    """Return a file's rows in order of time (rows of one time as in the file), in ``SCHEMA``.

    Args:
        path: The file.
        spec: How it is to be read.
        problems: Takes in times that run backwards.
        posts: It holds posts alone; rows that say no kind are posts.

    Raises:
        EventFileError: A column is not there, or a value is not what it must be.
    """
    required = REQUIRED if posts else (*REQUIRED, KIND)
    found = read(path, spec.columns, required)
    columns = {name: _plain(found[name]) for name in found.columns}
    if posts:
        columns[KIND] = columns.get(KIND, pl.Series([None] * found.height, dtype=pl.String)).fill_null(POST_KINDS[0])
    columns["at"] = millis(found["at"], spec.times, spec.zone, str(path))
    columns[KIND] = _kinds(columns[KIND], spec, path, POST_KINDS if posts else KINDS)
    for name in ("try", "since_drop_ms"):
        if name in columns:
            columns[name] = _whole(columns[name], path, name, least=1 if name == "try" else 0)
    if "hashtags" in columns:
        columns["hashtags"] = _hashtags(found["hashtags"], path)
    columns |= {name: _label(columns[name], path, name) for name in LABELS if name in columns}
    _refuse_missing(columns["person"], path)
    columns[ROW] = pl.Series(range(1, found.height + 1), dtype=pl.Int64)
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in SCHEMA.items() if name not in columns]
    frame = pl.DataFrame(columns).with_columns(missing).select(list(SCHEMA)).filter(pl.col(KIND) != IGNORE)
    if not frame.height:
        raise EventFileError(f"{path}: every row is of a kind that is left out")
    return _in_order(frame, path, problems)


def _plain(values: pl.Series) -> pl.Series:
    """As text, whatever the file's type; an empty text is no value (but for the text of a post)."""
    if values.dtype.is_float() and values.is_finite().all() and (values == values.round()).all():
        values = values.cast(pl.Int64)  # how a table with gaps in it keeps whole numbers
    if values.dtype.is_nested():
        return values
    texts = values.cast(pl.String)
    return texts if values.name not in _EMPTY_IS_NOTHING else texts.set((texts == "").fill_null(value=False), None)


def _kinds(values: pl.Series, spec: FileSpec, path: Path, allowed: tuple[str, ...]) -> pl.Series:
    known = {kind: kind for kind in allowed} | {word.strip().lower(): kind for word, kind in spec.kinds.items()}
    words = values.str.strip_chars().str.to_lowercase()
    kinds = words.replace_strict(known, default=None, return_dtype=pl.String)
    wrong = (kinds.is_null() | ~kinds.is_in([*allowed, IGNORE])).arg_true()
    if len(wrong):
        others = ", ".join(repr(word) for word in values.gather(wrong).unique(maintain_order=True).head(5))
        raise EventFileError(
            f"{path}, row {wrong[0] + 1}: kind {values[int(wrong[0])]!r} is not known (in this file: {others}); known: "
            f"{', '.join(known)}. Say what it is with --kind WORD=KIND, or leave it out with --kind WORD={IGNORE}"
        )
    return kinds


def _whole(values: pl.Series, path: Path, name: str, least: int) -> pl.Series:
    numbers = values.cast(pl.Int64, strict=False)
    wrong = ((numbers.is_null() & values.is_not_null()) | (numbers < least).fill_null(value=False)).arg_true()
    if len(wrong):
        raise EventFileError(
            f"{path}, row {wrong[0] + 1}: {name} {values[int(wrong[0])]!r}: expected a whole number from {least} on"
        )
    return numbers


def _label(values: pl.Series, path: Path, name: str) -> pl.Series:
    allowed = _LABEL_WORDS.get(name, tuple(_BOOLEANS))
    words = values.str.strip_chars().str.to_lowercase()
    wrong = (words.is_not_null() & ~words.is_in(allowed)).arg_true()
    if len(wrong):
        raise EventFileError(
            f"{path}, row {wrong[0] + 1}: {name} {values[int(wrong[0])]!r}: expected one of {', '.join(allowed)}"
        )
    return words if name in _LABEL_WORDS else words.replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)


def _hashtags(values: pl.Series, path: Path) -> pl.Series:
    """From a list, a JSON list, or words with blanks, commas, semicolons or bars between them."""
    if values.dtype.is_nested():
        return values.cast(pl.List(pl.String)).list.eval(pl.element().str.strip_chars_start("#").str.to_lowercase())
    texts = values.cast(pl.String)
    different = texts.drop_nulls().unique()
    tags = [_tags(text) for text in different]
    if None in tags:
        text = different[tags.index(None)]
        row = int((texts == text).arg_true()[0])
        raise EventFileError(f"{path}, row {row + 1}: hashtags {text!r}: no JSON list of texts")
    return pl.Series(tags, dtype=pl.List(pl.String)).gather(texts.cast(pl.Enum(different)).to_physical())


def _tags(text: str) -> list[str] | None:
    try:
        words = _json_list.decode(text) if text.startswith("[") else re.split(r"[\s,;|]+", text)
    except msgspec.DecodeError:
        return None
    return [word.lstrip("#").lower() for word in words if word]


def _refuse_missing(values: pl.Series, path: Path) -> None:
    wrong = values.is_null().arg_true()
    if len(wrong):
        raise EventFileError(f"{path}, row {wrong[0] + 1}: it does not say who (column for 'person' is empty)")


def _in_order(frame: pl.DataFrame, path: Path, problems: Problems) -> pl.DataFrame:
    back = (frame["at"].diff() < 0).fill_null(value=False).arg_true()
    for index in back.head(EXAMPLES):
        this, before = frame.row(index, named=True), frame.row(index - 1, named=True)
        earlier = (before["at"] - this["at"]) / 1000
        problems.add(BACKWARDS, f"{path.name} row {this[ROW]}, {earlier:g} s before row {before[ROW]}")
    if len(back) > EXAMPLES:
        problems.add(BACKWARDS, "", len(back) - EXAMPLES)
    return frame.sort("at", maintain_order=True) if len(back) else frame
