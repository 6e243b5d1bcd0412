"""Writing and reading tapes (``producers.tape.tapeformat``), a block at a time, in order of event time."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from producers.tape.contenthash import ContentHash
from producers.tape.tapeformat import BLOCK_ROWS, FORMAT, METADATA_KEY, SCHEMA, TapeInfo
from streams.errors import TapeError, reason
from streams.system.wholefile import whole_file

_EVENTS = pa.schema([field for field in SCHEMA if field.name != "event_id"])
"""The columns a writer accepts; it numbers the rows itself."""
_AT = SCHEMA.get_field_index("at")
_DICTIONARIES = [field.name for field in SCHEMA if pa.types.is_dictionary(field.type)]
_ENCODING = {"event_id": "DELTA_BINARY_PACKED", "at": "DELTA_BINARY_PACKED"}


class TapeWriter:
    """Context manager that writes one tape.

    The rows go to a hidden file in the same folder, which takes the name ``path`` in ``finish``. Without ``finish`` it
    is removed, so a half-written file never passes for a tape.

    Raises:
        TapeError: The file cannot be written, or the rows are not in time order or not of ``SCHEMA``.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.rows = 0
        """Rows appended so far."""
        self._part = self.path
        """The hidden file, once it is open."""
        self._stack = contextlib.ExitStack()
        self._hash = ContentHash()
        self._waiting: list[pa.Table] = []
        self._written = 0
        self._first_at: int | None = None
        self._last_at = 0
        self._file: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        """Open the hidden file."""
        try:
            with contextlib.ExitStack() as stack:  # an interruption inside removes the file
                self._part = stack.enter_context(whole_file(self.path))
                self._file = pq.ParquetWriter(
                    self._part, SCHEMA, compression="zstd", use_dictionary=_DICTIONARIES, column_encoding=_ENCODING
                )
                self._stack = stack.pop_all()
        except OSError as error:
            raise self._refused(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the hidden file if the tape was not finished."""
        with self._stack:
            if self._file is not None:
                with contextlib.suppress(OSError):  # the file goes anyway
                    self._file.close()
                self._file = None
                self._part.unlink(missing_ok=True)

    def append(self, rows: pa.Table | pa.RecordBatch) -> None:
        """Add rows in time order, in the columns of ``SCHEMA``; ``event_id`` is numbered here and ignored if given."""
        table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        if not table.num_rows:
            return
        table = _conform(table, _EVENTS, str(self.path))
        self._check_times(table)
        self._waiting.append(table)
        self.rows += table.num_rows
        if self.rows - self._written >= BLOCK_ROWS:
            self._write_blocks(whole_only=True)

    def finish(self, info: TapeInfo) -> TapeInfo:
        """Write the remaining rows and the metadata, and give the file its name.

        Args:
            info: The tape's metadata; its ``events`` and ``sha256`` are ignored.

        Returns:
            ``info`` with the ``events`` and ``sha256`` of this tape.
        """
        self._write_blocks(whole_only=False)
        if self._first_at is not None and not info.start <= self._first_at <= self._last_at <= info.end:
            raise TapeError(
                f"{self.path}: events from {self._first_at} to {self._last_at} lie outside the night "
                f"({info.start} to {info.end})"
            )
        whole = msgspec.structs.replace(info, events=self.rows, sha256="")
        whole = msgspec.structs.replace(whole, sha256=self._hash.hexdigest(whole))
        file = self._open_file()
        try:
            file.add_key_value_metadata({METADATA_KEY: msgspec.json.encode(whole)})
            file.close()
            self._file = None
            self._stack.close()
        except OSError as error:
            raise self._refused(error) from None
        return whole

    def _refused(self, error: OSError) -> TapeError:
        return TapeError(f"{self.path}: cannot be written: {reason(error)}")

    def _open_file(self) -> pq.ParquetWriter:
        if self._file is None:
            raise TapeError(f"{self.path}: not open for writing")
        return self._file

    def _check_times(self, table: pa.Table) -> None:
        at = table.column("at").to_numpy()
        backwards = np.flatnonzero(np.diff(at, prepend=at[0] if self._first_at is None else self._last_at) < 0)
        if len(backwards):
            row = int(backwards[0])
            raise TapeError(f"{self.path}: event {self.rows + row} at {at[row]} comes after a later one")
        if self._first_at is None:
            self._first_at = int(at[0])
        self._last_at = int(at[-1])

    def _write_blocks(self, *, whole_only: bool) -> None:
        table = pa.concat_tables(self._waiting) if self._waiting else _EVENTS.empty_table()
        begin = 0
        while table.num_rows - begin >= (BLOCK_ROWS if whole_only else 1):
            self._write_block(table.slice(begin, BLOCK_ROWS).combine_chunks())
            begin += BLOCK_ROWS
        rest = table.slice(begin)
        self._waiting = [rest] if rest.num_rows else []

    def _write_block(self, table: pa.Table) -> None:
        numbers = pa.array(np.arange(self._written, self._written + table.num_rows, dtype=np.int64))
        batch = table.add_column(0, SCHEMA.field("event_id"), numbers).to_batches()[0]
        self._hash.block(batch)
        try:
            self._open_file().write_batch(batch, row_group_size=BLOCK_ROWS)
        except OSError as error:
            raise self._refused(error) from None
        self._written += table.num_rows


class Tape:
    """A tape on disk, opened by ``Tape.open``; reading holds one block in memory at a time."""

    def __init__(self, path: Path, metadata: pq.FileMetaData, info: TapeInfo) -> None:
        self.path = path
        self.info = info
        self.rows: int = metadata.num_rows
        self._metadata = metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = np.cumsum([0, *sizes])

    @classmethod
    def open(cls, path: Path | str) -> "Tape":
        """Read the tape's metadata, not its events.

        Raises:
            TapeError: The file is missing, unreadable, not a tape, cut off, or of another format.
        """
        path = Path(path)
        if path.is_dir():
            raise TapeError(f"{path}: cannot be read: Is a directory")
        try:
            metadata = pq.read_metadata(path)
        except FileNotFoundError:
            raise TapeError(f"{path}: there is no such tape") from None
        except (OSError, pa.ArrowInvalid) as error:
            if isinstance(error, OSError) and error.errno:
                raise TapeError(f"{path}: cannot be read: {reason(error)}") from None
            raise TapeError(f"{path}: not a tape, or cut off: {_first_line(error)}") from None
        encoded = (metadata.metadata or {}).get(METADATA_KEY)
        if encoded is None:
            raise TapeError(f"{path}: a Parquet file, but not a tape: no {METADATA_KEY.decode()!r} in its metadata")
        tape = cls(path, metadata, _decode_info(path, encoded))
        if tape.rows != tape.info.events:
            raise TapeError(f"{path}: cut off: {tape.rows} events where {tape.info.events} were recorded")
        return tape

    def blocks(self, start_row: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield the rows from ``start_row`` on, a block (at most ``BLOCK_ROWS``) at a time, in ``SCHEMA``.

        Raises:
            TapeError: A block cannot be read.
        """
        group = int(np.searchsorted(self._starts, start_row, side="right")) - 1
        for number in range(group, self._metadata.num_row_groups):
            yield self._read(number).slice(max(0, start_row - int(self._starts[number])))

    def row_at(self, event_time_ms: int) -> int:
        """Return the first row at or after an event time, ``rows`` if there is none; reads one block at most."""
        groups = self._metadata.num_row_groups
        for number in range(groups):
            if self._metadata.row_group(number).column(_AT).statistics.max >= event_time_ms:
                at = self._read(number).column("at").to_numpy()
                return int(self._starts[number]) + int(np.searchsorted(at, event_time_ms, side="left"))
        return self.rows

    def verify(self, progress: Callable[[int], None] | None = None) -> None:
        """Read the whole tape and compare it with its recorded content hash.

        Args:
            progress: Called with the number of rows read so far, after each block.

        Raises:
            TapeError: The content differs from what was recorded.
        """
        content = ContentHash()
        rows = 0
        for batch in self.blocks():
            content.block(batch)
            rows += batch.num_rows
            if progress is not None:
                progress(rows)
        found = content.hexdigest(self.info)
        if found != self.info.sha256:
            raise TapeError(f"{self.path}: altered: content hash expected {self.info.sha256}, found {found}")

    def _read(self, group: int) -> pa.RecordBatch:
        try:
            with pq.ParquetFile(self.path, metadata=self._metadata) as file:
                table = file.read_row_group(group, use_threads=False)
        except (OSError, pa.ArrowInvalid, FileNotFoundError) as error:
            raise TapeError(f"{self.path}: block {group} cannot be read: {_first_line(error)}") from None
        return _conform(table, SCHEMA, str(self.path)).combine_chunks().to_batches()[0]


def _decode_info(path: Path, encoded: bytes) -> TapeInfo:
    try:
        return msgspec.json.decode(encoded, type=TapeInfo)
    except msgspec.DecodeError as error:
        raise TapeError(f"{path}: not a tape of format {FORMAT}: {error}") from None


def _conform(table: pa.Table, schema: pa.Schema, source: str) -> pa.Table:
    """Return the schema's columns in its types (readers of Parquet may widen dictionary indices)."""
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise TapeError(f"{source}: column {missing[0]!r} is missing")
    try:
        columns = [_typed(table.column(field.name), field.type) for field in schema]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise TapeError(f"{source}: {_first_line(error)}") from None
    for field, column in zip(schema, columns, strict=True):
        if not field.nullable and column.null_count:
            raise TapeError(f"{source}: column {field.name!r} has rows without a value")
    return pa.Table.from_arrays(columns, schema=schema)


def _typed(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if column.type == wanted:
        return column
    if not pa.types.is_dictionary(wanted):
        return column.cast(wanted)
    encoded = column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()
    chunks = [
        pa.DictionaryArray.from_arrays(chunk.indices.cast(wanted.index_type), chunk.dictionary.cast(wanted.value_type))
        for chunk in encoded.chunks
    ]
    return pa.chunked_array(chunks, wanted)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
