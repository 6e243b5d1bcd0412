"""Reads captures: an index of the batches, made without reading the records, and any batch by its number."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from producers.capture.captureformat import BATCH_KEY, END_KEY, PLAN_KEY, SCHEMA, BatchNote, CaptureEnd, CapturePlan
from producers.capture.columns import checksum
from streams.errors import CaptureError, reason

_FIRST_BYTES: Final = b"\xff\xff\xff\xff"
"""With these an Arrow stream begins."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A batch in the file."""

    at: int
    """Where it begins."""
    note: BatchNote


@dataclass(frozen=True)
class Capture:
    """A capture on disk, opened by ``open_capture``."""

    path: Path
    plan: CapturePlan
    entries: tuple[Entry, ...]
    size: int
    """Bytes up to and with the last whole batch."""
    end: CaptureEnd | None
    """None if it is not complete."""

    @cached_property
    def records(self) -> int:
        """The number of records."""
        return sum(entry.note.records for entry in self.entries)

    @cached_property
    def identity(self) -> str:
        """A digest of what is in it, from the checksums of its batches."""
        notes = msgspec.json.encode([entry.note for entry in self.entries])
        return sha256(msgspec.json.encode(self.plan) + notes).hexdigest()

    @property
    def topics(self) -> dict[str, int]:
        """The number of partitions of each topic."""
        return self.plan.topics

    @cached_property
    def by_partition(self) -> dict[tuple[str, int], list[Entry]]:
        """The batches of each partition that has records, in the order of their offsets."""
        found: dict[tuple[str, int], list[Entry]] = {}
        for entry in self.entries:
            found.setdefault((entry.note.topic, entry.note.partition), []).append(entry)
        return dict(sorted(found.items()))

    def next_offset(self, topic: str, partition: int) -> int | None:
        """Return the offset after the last one captured of a partition, None if nothing of it was."""
        held = self.by_partition.get((topic, partition))
        return held[-1].note.next if held else None

    def read(self, entry: Entry) -> pa.RecordBatch:
        """Return a batch.

        Raises:
            CaptureError: It cannot be read, or is not as it was written.
        """
        where = f"{entry.note.topic}[{entry.note.partition}]"
        try:
            with pa.memory_map(str(self.path)) as file:
                file.seek(entry.at)
                batch = pa.ipc.read_record_batch(pa.ipc.read_message(file), SCHEMA)
        except (OSError, pa.ArrowInvalid) as error:
            raise CaptureError(
                f"{self.path}: the batch of {where} at byte {entry.at} cannot be read: {error}"
            ) from None
        if checksum(batch) != entry.note.crc:
            raise CaptureError(
                f"{self.path}: altered: the batch of {where} at byte {entry.at} is not as it was written"
            )
        return batch


def is_capture(path: Path) -> bool:
    """Return whether a file begins as a capture does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_FIRST_BYTES)) == _FIRST_BYTES
    except OSError:
        return False


def open_capture(path: Path, *, whole: bool = True, progress: Callable[[int], None] | None = None) -> Capture:
    """Return a capture; its records are not read.

    Args:
        path: The file.
        whole: Whether it must be complete.
        progress: Called with the number of bytes looked at, after each batch.

    Raises:
        CaptureError: The file is missing, unreadable, not a capture, or not complete although it has to be.
    """
    try:
        with pa.memory_map(str(path)) as file:
            capture = _scanned(path, file, progress)
    except FileNotFoundError:
        raise CaptureError(f"{path}: there is no such capture") from None
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read: {reason(error)}") from None
    if whole and capture.end is None:
        raise CaptureError(f"{path}: cut off after {capture.records:,} records; continue it with --resume")
    return capture


def _scanned(path: Path, file: pa.MemoryMappedFile, progress: Callable[[int], None] | None) -> Capture:
    try:
        reader = pa.ipc.open_stream(file, options=pa.ipc.IpcReadOptions(included_fields=[0]))
        plan = msgspec.json.decode(reader.schema.metadata[PLAN_KEY], type=CapturePlan)
    except (pa.ArrowInvalid, KeyError, TypeError, msgspec.DecodeError) as error:
        raise CaptureError(f"{path}: not a capture: {str(error).splitlines()[0]}") from None
    entries: list[Entry] = []
    end = None
    at = file.tell()
    while end is None:
        try:
            _, notes = reader.read_next_batch_with_custom_metadata()
            if END_KEY in notes:
                end = msgspec.json.decode(notes[END_KEY], type=CaptureEnd)
            else:
                entries.append(Entry(at, msgspec.json.decode(notes[BATCH_KEY], type=BatchNote)))
                at = file.tell()
        except (StopIteration, OSError, pa.ArrowInvalid, KeyError, TypeError, msgspec.DecodeError):
            break  # the file was cut here, or what follows is none of ours
        if progress is not None:
            progress(at)
    capture = Capture(path, plan, tuple(entries), at, end)
    if end is not None and end.records != capture.records:
        raise CaptureError(f"{path}: {capture.records:,} records where {end.records:,} were captured")
    return capture
