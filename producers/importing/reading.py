"""Reading an event file: the columns asked for, by the tape's names, in one form whatever the file's format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import polars as pl

from producers.importing import values
from producers.importing.csvtable import read_csv
from producers.importing.fields import FIELDS, REQUIRED
from producers.importing.jsontable import read_json, read_jsonl
from producers.importing.parquettable import read_parquet
from producers.importing.sourcetable import FileLayout, SourceTable
from streams.errors import EventFileError

Format: TypeAlias = Literal["csv", "json", "jsonl", "parquet"]
_SUFFIXES: Final[dict[str, Format]] = {
    ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
}  # fmt: skip


@dataclass(frozen=True)
class FieldTable:
    """The fields of a file as texts, null where a row has no value.

    Args:
        frame: Columns named after the fields.
        source: The table they come from.
        missing: Words that were read as no value, with how many of each, by field.
    """

    frame: pl.DataFrame
    source: SourceTable
    missing: dict[str, dict[str, int]]


def read(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    required: Sequence[str],
    layout: FileLayout,
    missing_words: Sequence[str] = (),
) -> FieldTable:
    """Return the file's columns that are fields, one row per row of the file.

    Args:
        path: CSV, JSON, JSONL or Parquet by the end of its name; texts also with ``.gz``.
        columns: Field to column names, of which the first that has a value counts; a field that is not in it is looked
            for under its own name.
        required: Fields that must be there.
        layout: Where the table is in the file.
        missing_words: Further words that mean no value.

    Raises:
        EventFileError: The file cannot be read, has no rows, or a column is not there.
    """
    names = {field: tuple(columns.get(field, (field,))) for field in FIELDS}
    wanted = list(dict.fromkeys(name for several in names.values() for name in several))
    source = _source(path, wanted, names[REQUIRED[0]][0], layout)
    if not source.rows:
        raise EventFileError(f"{path}: there are no rows in it")
    _check(path, source.names, columns, required)
    found: dict[str, pl.Series] = {}
    missing: dict[str, dict[str, int]] = {}
    for field, several in names.items():
        series = [source.frame[name] for name in several if name in source.frame.columns]
        if series:
            found[field], missing[field] = values.normalised(path, field, series, missing_words)
    return FieldTable(pl.DataFrame(found), source, {field: words for field, words in missing.items() if words})


def format_of(path: Path) -> Format:
    """Return the format a file name stands for; raises EventFileError for any other name."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    found = _SUFFIXES.get(suffixes[-1] if suffixes else "")
    if found is None:
        raise EventFileError(
            f"{path}: expected a name that ends in {', '.join(_SUFFIXES)} (or .csv.gz, .json.gz, .jsonl.gz)"
        )
    return found


def _source(path: Path, wanted: Sequence[str], timed: str, layout: FileLayout) -> SourceTable:
    form = format_of(path)
    if form == "csv":
        return read_csv(path, wanted, timed, layout)
    if form == "json":
        return read_json(path, wanted, layout)
    if form == "jsonl":
        return read_jsonl(path, wanted, layout)
    return read_parquet(path, wanted)


def _check(path: Path, there: Sequence[str], columns: Mapping[str, Sequence[str]], required: Sequence[str]) -> None:
    for field in dict.fromkeys([*columns, *required]):
        for name in columns.get(field, (field,)):
            if name not in there:
                why = f" (for {field!r})" if name != field else ""
                raise EventFileError(
                    f"{path}: there is no column {name!r}{why}; the file has: {', '.join(there)}. "
                    f"Name it with --column {field}=NAME; if the table begins further down, --skip-lines or --section"
                )
