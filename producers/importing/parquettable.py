"""Reading Parquet from any writer: each type as the text that CSV would have for it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from producers.importing.jsontable import float_text, json_text
from producers.importing.sourcetable import SourceTable, refuse_twice
from streams.errors import EventFileError

_BYTES: Final = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_binary_view,
)
"""Types in which old writers keep texts."""
_BATCH: Final = 1 << 16
"""Rows held as Python objects at a time."""


def read_parquet(path: Path, wanted: Sequence[str]) -> SourceTable:
    """Return the wanted columns of a Parquet file as texts.

    Times become ISO 8601, with a Z where the file has a zone; lists and structs become JSON. A name with dots that is
    no column itself leads into structs: ``author.name``.

    Raises:
        EventFileError: The file cannot be read, or a column is of a type that is no text.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            refuse_twice(path, schema.names, wanted)
            roots = {name: name if name in schema.names else name.split(".")[0] for name in wanted}
            there = {name: root for name, root in roots.items() if root in schema.names}
            table = file.read(columns=list(dict.fromkeys(there.values())))
            rows = file.metadata.num_rows
    except FileNotFoundError:
        raise EventFileError(f"{path}: there is no such file") from None
    except (OSError, pa.ArrowException) as error:
        raise EventFileError(f"{path}: cannot be read as Parquet: {_first_line(error)}") from None
    columns: dict[str, pl.Series] = {}
    for name, root in there.items():
        column = _descend(table.column(root), name.split(".")[1:] if name != root else [])
        if column is not None:
            columns[name] = _texts(path, name, column)
    if there and table.num_rows != rows:
        raise EventFileError(f"{path}: it has {rows} rows, but {table.num_rows} were read")
    return SourceTable(pl.DataFrame(columns), tuple(dict.fromkeys([*schema.names, *columns])), rows)


def _descend(column: pa.ChunkedArray, steps: Sequence[str]) -> pa.ChunkedArray | None:
    for step in steps:
        if not pa.types.is_struct(column.type) or column.type.get_field_index(step) < 0:
            return None
        column = pc.struct_field(column, step)
    return column


def _texts(path: Path, name: str, column: pa.ChunkedArray) -> pl.Series:
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if isinstance(column.type, pa.BaseExtensionType) and not _is_uuid(column.type):
            column = column.cast(column.type.storage_type)
        return pl.Series(name, _typed(column), dtype=pl.String)
    except UnicodeDecodeError:
        raise EventFileError(f"{path}: column {name!r} holds bytes that are no UTF-8 text") from None
    except (pa.ArrowException, ValueError, OverflowError, TypeError) as error:
        raise EventFileError(f"{path}: column {name!r} ({column.type}) cannot be read: {_first_line(error)}") from None


def _typed(column: pa.ChunkedArray) -> Any:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pl.Series(pl.from_arrow(column.cast(pa.large_string())))
    if pa.types.is_timestamp(kind):
        return _times(column)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return pl.Series(pl.from_arrow(column.cast(pa.large_string())))
    if pa.types.is_duration(kind):
        per_second = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        return [None if n is None else float_text(n / per_second) for n in column.cast(pa.int64()).to_pylist()]
    return _each(column, _converter(kind))


def _converter(kind: pa.DataType) -> Callable[[Any], str | None]:
    if pa.types.is_floating(kind):
        return float_text
    if pa.types.is_decimal(kind):
        return lambda value: f"{value:f}"
    if _is_uuid(kind) or pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_string_view(kind):
        return str
    if pa.types.is_nested(kind):
        return lambda value: json_text(_plain(value))
    if any(fits(kind) for fits in _BYTES):
        return bytes.decode
    raise TypeError("a type that is neither text nor number nor time")


def _each(column: pa.ChunkedArray, convert: Callable[[Any], str | None]) -> list[str | None]:
    found: list[str | None] = []
    for begin in range(0, len(column), _BATCH):
        values = column.slice(begin, _BATCH).to_pylist()
        found += [None if value is None else convert(value) for value in values]
    return found


def _times(column: pa.ChunkedArray) -> list[str | None]:
    """Return ISO 8601 to the millisecond; what is finer is cut off."""
    kind = column.type
    numbers = column.cast(pa.int64())
    valid = numbers.is_valid().to_pylist()
    millis = _millis(numbers.fill_null(0).to_numpy(), kind.unit)
    texts = np.datetime_as_string(millis.astype("datetime64[ms]"), unit="ms").tolist()
    end = "" if kind.tz is None else "Z"
    return [f"{text}{end}" if there else None for text, there in zip(texts, valid, strict=True)]


def _millis(numbers: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    if unit != "s":
        return numbers // {"ms": 1, "us": 1_000, "ns": 1_000_000}[unit]
    if len(numbers) and int(np.abs(numbers).max()) > np.iinfo(np.int64).max // 1000:
        raise OverflowError("a time beyond all calendars")
    return numbers * 1000


def _plain(value: Any) -> Any:
    """Return lists and structs with texts in place of bytes, as old writers store texts."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _is_uuid(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.UuidType)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
