"""The rows of an event file, each value read as what it must be; what cannot be read is named with its row."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from producers.importing import stays
from producers.importing.fields import (
    FIELDS,
    IGNORE,
    KIND,
    KINDS,
    LABELS,
    ORDER,
    POST_KINDS,
    REQUIRED,
    ROW,
    STAY_FIELDS,
)
from producers.importing.importspec import FileSpec, plain_word
from producers.importing.people import as_one
from producers.importing.problemlog import BACKWARDS, EXAMPLES, IGNORED, ProblemLog
from producers.importing.reading import FieldTable, read
from producers.importing.times import millis
from producers.importing.values import MISSING, doubtful, lowered
from streams.contract.results import STANCES
from streams.errors import EventFileError

SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    ROW: pl.Int64,
    ORDER: pl.Int64,
    **{name: pl.String for name in FIELDS if name not in STAY_FIELDS},
    "at": pl.Int64,
    "try": pl.Int64,
    "since_drop_ms": pl.Int64,
    "hashtags": pl.List(pl.String),
    "label_effect": pl.Boolean,
}
"""The columns of ``FileRows.frame``; ids are still as they stand in the file."""
_LABEL_WORDS: Final = {"label_stance": STANCES, "label_subject": ("launch", "announcement", "other")}
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_END: Final = "end"
_PRINTED: Final = re.compile(r"""\[((?:(?:'[^'\s,]*'|"[^"\s,]*"|[^'"\[\]\s,]+)(?:[\s,]+|(?=\])))*)\]""")
"""A list of words, in quotes or bare."""


@dataclass(frozen=True)
class FileRows:
    """The events of a file.

    Args:
        path: The file.
        frame: Events in order of time, in ``SCHEMA``; a stay is two of them.
        table: The fields as texts, and the account of the file's lines.
    """

    path: Path
    frame: pl.DataFrame
    table: FieldTable

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return self.table.source.rows

    def doubts(self) -> list[str]:
        """Return a line for each word that was read as an id and may mean no value."""
        return [
            f"{self.path}: {field} {word!r} in {count} rows is taken as an id; if it means no value: --missing {word!r}"
            for field, words in doubtful(self.table.frame).items()
            for word, count in words.items()
        ]


def read_rows(
    path: Path, spec: FileSpec, problems: ProblemLog, *, people: Mapping[str, str], file: int = 0, posts: bool = False
) -> FileRows:
    """Return a file's rows as events in order of time; events of one time keep the order of their rows.

    Args:
        path: The file.
        spec: How it is to be read.
        problems: Takes in rows that are left out and times that run backwards.
        people: The id that stands for other ids of one person.
        file: The number of the file.
        posts: It holds posts alone; rows without a kind are posts.

    Raises:
        EventFileError: A column is not there, or a value is not what it must be.
    """
    table = read(path, spec.sources(), _required(spec, posts=posts), spec.layout(), spec.missing)
    fields = table.frame
    staying = [name for name in STAY_FIELDS if name in fields.columns and not posts]
    if not (staying or posts or KIND in fields.columns):
        raise EventFileError(_no_kind(path, table))
    columns = {name: fields[name] for name in fields.columns if name not in STAY_FIELDS}
    usual = POST_KINDS[0] if posts else stays.JOIN if staying else None
    columns[KIND] = _kinds(columns.get(KIND), usual, fields.height, spec, path, POST_KINDS if posts else KINDS)
    _refuse_missing(columns["person"], path)
    columns["person"] = as_one(columns["person"], people)
    columns["at"] = millis(fields["at"], spec.clock(), str(path))
    columns |= _typed(columns, path)
    columns[ROW] = pl.Series(range(1, fields.height + 1), dtype=pl.Int64)
    if staying:
        columns[_END] = _ends(fields, columns, spec, path)
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in SCHEMA.items() if name not in columns]
    whole = pl.DataFrame(columns).with_columns(missing)
    return FileRows(path, _events(whole, path, problems, file), table)


def _required(spec: FileSpec, *, posts: bool) -> tuple[str, ...]:
    return REQUIRED if posts or KIND not in spec.columns else (*REQUIRED, KIND)


def _no_kind(path: Path, table: FieldTable) -> str:
    return (
        f"{path}: there is no column 'kind'; the file has: {', '.join(table.source.names)}. Name it with --column "
        "kind=NAME, or for one row per attendance --column leave_at=NAME or --column duration=NAME"
    )


def _kinds(
    values: pl.Series | None, usual: str | None, rows: int, spec: FileSpec, path: Path, allowed: tuple[str, ...]
) -> pl.Series:
    values = pl.Series(KIND, [None], dtype=pl.String).new_from_index(0, rows) if values is None else values
    if usual is not None:
        values = values.fill_null(usual)
    known = {kind: kind for kind in allowed} | {plain_word(word): kind for word, kind in spec.kinds.items()}
    words = lowered(values.str.strip_chars())
    kinds = words.replace_strict(known, default=None, return_dtype=pl.String)
    wrong = (kinds.is_null() | ~kinds.is_in([*allowed, IGNORE])).arg_true()
    if len(wrong):
        others = ", ".join(repr(word) for word in values.gather(wrong).unique(maintain_order=True).head(5))
        raise EventFileError(
            f"{path}, row {wrong[0] + 1}: kind {values[int(wrong[0])]!r} is not known (in this file: {others}); known: "
            f"{', '.join(known)}. Map it with --kind WORD=KIND, or leave it out with --kind WORD={IGNORE}"
        )
    return kinds


def _typed(columns: Mapping[str, pl.Series], path: Path) -> dict[str, pl.Series]:
    typed = {
        name: _whole(columns[name], path, name, least=1 if name == "try" else 0)
        for name in ("try", "since_drop_ms")
        if name in columns
    }
    if "hashtags" in columns:
        typed["hashtags"] = _hashtags(columns["hashtags"], path)
    return typed | {name: _label(columns[name], path, name) for name in LABELS if name in columns}


def _ends(fields: pl.DataFrame, columns: Mapping[str, pl.Series], spec: FileSpec, path: Path) -> pl.Series:
    kinds = columns[KIND]
    staying = kinds == stays.JOIN
    there = pl.Series([False]).new_from_index(0, fields.height)
    for name in STAY_FIELDS:
        if name in fields.columns:
            there |= fields[name].is_not_null()
    wrong = (there & ~staying & (kinds != IGNORE)).arg_true()
    if len(wrong):
        row = int(wrong[0])
        raise EventFileError(f"{path}, row {row + 1}: a row of kind {kinds[row]!r} has the end of a stay; a join may")
    return stays.ends(fields, columns["at"], spec.clock(), spec.duration_unit, path)


def _events(rows: pl.DataFrame, path: Path, problems: ProblemLog, file: int) -> pl.DataFrame:
    ignored = rows.filter(pl.col(KIND) == IGNORE)
    problems.left_out.update(((file, row), IGNORED) for row in ignored[ROW])
    kept = rows.filter(pl.col(KIND) != IGNORE)
    if not kept.height:
        raise EventFileError(f"{path}: every row is of a kind that is left out")
    if _END in rows.columns:
        ordered = stays.as_events(kept, _END, problems, file)
    else:
        _note_backwards(kept, path, problems)
        ordered = kept.sort("at", maintain_order=True)
    order = pl.int_range(ordered.height, dtype=pl.Int64, eager=True)
    return ordered.with_columns(order.alias(ORDER)).select(list(SCHEMA))


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
    words = lowered(values.str.strip_chars())
    wrong = (words.is_not_null() & ~words.is_in(allowed)).arg_true()
    if len(wrong):
        raise EventFileError(
            f"{path}, row {wrong[0] + 1}: {name} {values[int(wrong[0])]!r}: expected one of {', '.join(allowed)}"
        )
    return words if name in _LABEL_WORDS else words.replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)


def _hashtags(texts: pl.Series, path: Path) -> pl.Series:
    """From a JSON list, or words with blanks, commas, semicolons or bars between them."""
    different = texts.drop_nulls().unique()
    tags = [_tags(text) for text in different]
    if None in tags:
        text = different[tags.index(None)]
        row = int((texts == text).arg_true()[0])
        raise EventFileError(f"{path}, row {row + 1}: hashtags {text!r}: no JSON list of texts")
    return pl.Series(tags, dtype=pl.List(pl.String)).gather(texts.cast(pl.Enum(different)).to_physical())


def _tags(text: str) -> list[str] | None:
    words: list[Any] | None = _listed(text) if text.lstrip().startswith("[") else re.split(r"[\s,;|]+", text)
    if words is None or any(isinstance(word, list | dict | bool) for word in words):
        return None
    tags = [str(word).strip().lstrip("#").lower() for word in words if word is not None]
    return [tag for tag in tags if tag]


def _listed(text: str) -> list[Any] | None:
    """Return the elements of a JSON list, or of a list as Python (``['a', 'b']``) and DuckDB (``[a, b]``) print it."""
    try:
        return list(json.loads(text))
    except ValueError:
        printed = _PRINTED.fullmatch(text.strip())
    if printed is None:
        return None
    words = [word.strip("'\"") for word in re.split(r"[\s,]+", printed[1])]
    return [None if word in MISSING else word for word in words]


def _refuse_missing(values: pl.Series, path: Path) -> None:
    wrong = values.is_null().arg_true()
    if len(wrong):
        raise EventFileError(f"{path}, row {wrong[0] + 1}: there is no person (the column for 'person' has no value)")


def _note_backwards(frame: pl.DataFrame, path: Path, problems: ProblemLog) -> None:
    back = (frame["at"].diff() < 0).fill_null(value=False).arg_true()
    for index in back.head(EXAMPLES):
        this, before = frame.row(index, named=True), frame.row(index - 1, named=True)
        earlier = (before["at"] - this["at"]) / 1000
        problems.add(BACKWARDS, f"{path.name} row {this[ROW]}, {earlier:g} s before row {before[ROW]}")
    if len(back) > EXAMPLES:
        problems.add(BACKWARDS, "", len(back) - EXAMPLES)
