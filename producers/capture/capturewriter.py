"""Writes a capture: records are kept by partition until they fill a batch, and each batch is appended whole."""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec
import pyarrow as pa

from producers.capture.captureformat import BATCH_KEY, END_KEY, PLAN_KEY, SCHEMA, BatchNote, CaptureEnd, CapturePlan
from producers.capture.columns import Records, batch_of, checksum
from streams.errors import CaptureError, reason

BATCH_RECORDS = 50_000
BATCH_BYTES = 8 << 20
WAITING_BYTES = 64 << 20
"""The most bytes of all partitions together that wait for their batch."""
FLUSH_SECONDS = 5.0
"""Longest time that records wait, so that a capture of what is still to come loses little when it is cut."""
_OPTIONS = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))
_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


def part_of(path: Path) -> Path:
    """Return where a capture is while it is not complete."""
    return path.with_name(f"{path.name}.part")


class CaptureWriter:
    """Context manager that appends to the part of a capture; ``finish`` gives it its name.

    Without ``finish`` the part stays, whole up to its last batch, and can be continued.

    Args:
        path: The capture.
        plan: What was asked for.
        size: How many bytes of the part to keep, which hold ``records`` records; 0 to begin.
        records: See ``size``.

    Raises:
        CaptureError: The file cannot be written.
    """

    def __init__(self, path: Path, plan: CapturePlan, size: int = 0, records: int = 0) -> None:
        self.path = path
        self.plan = plan
        self.records = records
        """Records written, and those that wait."""
        self._size = size
        self._schema = SCHEMA.with_metadata({PLAN_KEY: msgspec.json.encode(plan)})
        self._head = self._schema.serialize().size
        self._waiting: dict[tuple[str, int], list[Records]] = {}
        self._bytes: dict[tuple[str, int], int] = {}
        self._flushed = time.monotonic()
        self._file: IO[bytes]

    def __enter__(self) -> Self:
        part = part_of(self.path)
        try:
            self._file = part.open("r+b" if self._size else "xb")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file.truncate(self._size)
            self._file.seek(self._size)
            if not self._size:
                self._write(self._schema.serialize())
        except FileExistsError:
            raise CaptureError(f"{part}: exists: continue it with --resume, or remove it") from None
        except BlockingIOError:
            self._file.close()
            raise CaptureError(f"{part}: another capture writes it") from None
        except OSError as error:
            raise self._refused(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._file.closed:
            with contextlib.suppress(CaptureError):  # the disk is full, and the error under way says so
                self.flush()
            self._file.close()

    def append(self, topic: str, partition: int, records: Records) -> None:
        """Add records behind those of their partition."""
        if not len(records):
            return
        place = topic, partition
        self._waiting.setdefault(place, []).append(records)
        self._bytes[place] = self._bytes.get(place, 0) + records.size()
        self.records += len(records)
        if self._bytes[place] >= BATCH_BYTES or sum(map(len, self._waiting[place])) >= BATCH_RECORDS:
            self._write_batch(place)
        elif sum(self._bytes.values()) > WAITING_BYTES:
            self._write_batch(max(self._bytes, key=lambda one: self._bytes[one]))

    def flush_due(self) -> None:
        """Write all that waits if some of it may have waited for ``FLUSH_SECONDS``."""
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write all that waits."""
        self._flushed = time.monotonic()
        for place in list(self._waiting):
            self._write_batch(place)

    def finish(self) -> None:
        """Write the rest and the end, and give the file its name.

        Raises:
            CaptureError: The file cannot be written.
        """
        self.flush()
        end = CaptureEnd(self.records, time.time_ns() // 1_000_000)
        self._append(_empty(), {END_KEY: msgspec.json.encode(end)})
        self._write(_END_OF_STREAM)
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            part_of(self.path).replace(self.path)
        except OSError as error:
            raise self._refused(error) from None

    def _write_batch(self, place: tuple[str, int]) -> None:
        parts = self._waiting.pop(place)
        del self._bytes[place]
        batch = batch_of(*place, parts)
        times = batch.column("timestamp").to_numpy()
        note = BatchNote(
            *place, batch.num_rows, parts[-1].next_offset, int(times.min()), int(times.max()), checksum(batch)
        )
        self._append(batch, {BATCH_KEY: msgspec.json.encode(note)})

    def _append(self, batch: pa.RecordBatch, notes: dict[bytes, bytes]) -> None:
        """Append one message; the library writes whole streams only, so what comes before and after it is cut off."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._schema, options=_OPTIONS) as stream:
            stream.write_batch(batch.replace_schema_metadata(self._schema.metadata), custom_metadata=notes)
        self._write(memoryview(sink.getvalue())[self._head : -len(_END_OF_STREAM)])

    def _write(self, data: pa.Buffer | memoryview | bytes) -> None:
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise self._refused(error) from None

    def _refused(self, error: OSError) -> CaptureError:
        return CaptureError(f"{self.path}: cannot be written: {reason(error)}")


def _empty() -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in SCHEMA], schema=SCHEMA)
