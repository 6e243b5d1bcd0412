"""Reading an event file: the columns asked for, by the tape's names, as they stand in the file."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, TypeAlias, cast

import msgspec
import polars as pl

from producers.importing.fields import FIELDS
from streams.errors import EventFileError

Format: TypeAlias = Literal["csv", "jsonl", "parquet"]
FORMATS: Final = ("csv", "jsonl", "parquet")
_SUFFIXES: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_SEPARATORS: Final = ",;\t|"
"""What a CSV file's columns may be separated with: the one its header has most of."""
_CHUNK: Final = 16 << 20
"""Bytes of JSONL that are held as Python objects at a time."""
_object = msgspec.json.Decoder(dict[str, Any])


def read(path: Path, columns: Mapping[str, str], required: Sequence[str]) -> pl.DataFrame:
    """Return the file's columns that are fields, named after the fields, one row per row of the file.

    CSV and JSONL give texts (JSON lists as JSON), Parquet gives its own types.

    Args:
        path: CSV, JSONL or Parquet, seen from its name; CSV and JSONL also with ``.gz``.
        columns: Field to column name; a field that is not in it is looked for under its own name.
        required: Fields that must be there.

    Raises:
        EventFileError: The file cannot be read, has no rows, or a column is not there.
    """
    names = {field: columns.get(field, field) for field in FIELDS}
    reader = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[format_of(path)]
    try:
        frame, there = reader(path, list(dict.fromkeys(names.values())))
    except FileNotFoundError:
        raise EventFileError(f"{path}: there is no such file") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise EventFileError(f"{path}: cannot be read as {format_of(path)}: {str(error).splitlines()[0]}") from None
    if not frame.height:
        raise EventFileError(f"{path}: there are no rows in it")
    _check(path, there, columns, required)
    return frame.select(pl.col(name).alias(field) for field, name in names.items() if name in there)


def format_of(path: Path) -> Format:
    """Return the format a file name stands for; raises EventFileError for any other name."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    found = _SUFFIXES.get(suffixes[-1] if suffixes else "")
    if found is None:
        raise EventFileError(f"{path}: expected a name that ends in {', '.join(_SUFFIXES)} (or .csv.gz, .jsonl.gz)")
    return cast("Format", found)


def _check(path: Path, there: Sequence[str], columns: Mapping[str, str], required: Sequence[str]) -> None:
    for field in dict.fromkeys([*columns, *required]):
        name = columns.get(field, field)
        if name not in there:
            why = f" (for {field!r})" if name != field else ""
            raise EventFileError(
                f"{path}: there is no column {name!r}{why}; the file has: {', '.join(there)}. "
                f"Say which one it is with --column {field}=NAME"
            )


def _csv(path: Path, wanted: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    separator = _separator(path)
    try:
        there = pl.read_csv(path, infer_schema=False, n_rows=1, separator=separator).columns
    except pl.exceptions.NoDataError:
        raise EventFileError(f"{path}: there are no rows in it") from None
    columns = [name for name in wanted if name in there]
    return pl.read_csv(path, infer_schema=False, columns=columns or None, separator=separator), there


def _separator(path: Path) -> str:
    with _open(path) as file:
        header = file.readline().decode(errors="replace")
    return max(_SEPARATORS, key=header.count)


def _parquet(path: Path, wanted: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    there = list(pl.read_parquet_schema(path))
    columns = [name for name in wanted if name in there]
    return pl.read_parquet(path, columns=columns or None), there


def _jsonl(path: Path, wanted: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    """One JSON object per line; a key that a line does not have is a value that is not there."""
    schema = dict.fromkeys(wanted, pl.String)
    parts = [pl.DataFrame(schema=schema)]
    there: dict[str, None] = {}
    for rows in _objects(path):
        there.update(dict.fromkeys(key for row in rows for key in row))
        texts = {name: [_text(row.get(name)) for row in rows] for name in wanted}
        parts.append(pl.DataFrame(texts, schema=schema))
    return pl.concat(parts), list(there)


def _objects(path: Path) -> Iterator[list[dict[str, Any]]]:
    done = 0
    with _open(path) as file:
        while lines := file.readlines(_CHUNK):
            try:
                yield _object.decode_lines(b"".join(lines))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise _first_bad_line(path, lines, done) from error
            done += len(lines)


def _first_bad_line(path: Path, lines: list[bytes], done: int) -> EventFileError:
    for number, line in enumerate(lines, start=done + 1):
        try:
            if line.strip():
                _object.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return EventFileError(f"{path}, line {number}: no JSON object: {error}")
    return EventFileError(f"{path}, lines {done + 1} to {done + len(lines)}: not one JSON object per line")


def _open(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return msgspec.json.encode(value).decode()
