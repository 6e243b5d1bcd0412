"""Whole Kafka record batches of format 2, written from columns; the bytes are those of the clients' own builders."""

import struct
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from crc32c import crc32c
from numpy.typing import NDArray

from streams.kafka.headers import decode

Ints: TypeAlias = NDArray[np.int64]
Column: TypeAlias = tuple[NDArray[np.uint8], Ints, Ints]
"""A buffer, and where in it each value begins, -1 for a null, and ends."""

_HEADER = struct.Struct(">qiibI")
_CHECKED = struct.Struct(">hiqqqhii")
_MAGIC = 2
_UNBOUNDED = 1 << 30
_NO_HEADERS: Column = np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int64)
_AFTER_LENGTH = 12
"""The length field counts what follows it, so neither itself nor the base offset before it."""


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """The records of a batch, encoded; only the header is missing, which depends on the producer's state."""

    count: int
    first_at: int
    """Timestamp of the first record."""
    last_at: int
    """The greatest timestamp."""
    records: memoryview
    """The records one after the other, as they stand after the header."""

    def size(self) -> int:
        """Return the size of the whole batch in bytes."""
        return _HEADER.size + _CHECKED.size + len(self.records)

    def sealed(self, producer_id: int, epoch: int, base_sequence: int) -> bytes:
        """Return the whole batch.

        Args:
            producer_id: Of the idempotent producer, -1 without one.
            epoch: Likewise.
            base_sequence: Sequence number of the first record in its partition.
        """
        state = (producer_id, epoch, base_sequence)
        checked = _CHECKED.pack(0, self.count - 1, self.first_at, self.last_at, *state, self.count)
        checksum = crc32c(self.records, crc32c(checked))
        header = _HEADER.pack(0, self.size() - _AFTER_LENGTH, -1, _MAGIC, checksum)
        return b"".join((header, checked, self.records))


class ClosedBatch:
    """A batch to which nothing can be added, with the methods aiokafka's producer calls on its ``BatchBuilder``."""

    def __init__(self, packed: PackedBatch) -> None:
        self._packed = packed
        self._producer = (-1, -1, 0)
        self._buffer: bytes | None = None

    def record_count(self) -> int:
        """Return the number of records."""
        return self._packed.count

    def size(self) -> int:
        """Return the size in bytes."""
        return self._packed.size()

    def closed(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Do nothing."""

    def append(self, **record: object) -> None:
        """Return None: the batch is full."""

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytes:
        if self._buffer is None:
            self._buffer = self._packed.sealed(*self._producer)
        return self._buffer


def pack(at: Ints, keys: Column, values: Column, headers: Column | None = None) -> PackedBatch:
    """Return the batch of at least one record.

    Args:
        at: Timestamps.
        keys: Keys; a key may be null.
        values: Values; a value may be null.
        headers: Each record's headers as ``streams.kafka.headers`` encodes them; None if no record has any.
    """
    # Kernels take half a second to load: only a process that sends waits for them.
    from streams.kernels import jit, recordbatch  # noqa: PLC0415

    about = len(at), int(at[0]), int(at.max())
    if not jit.COMPILED:
        return PackedBatch(*about, _appended(at, keys, values, headers))
    columns = (keys, values, headers or _NO_HEADERS)
    size = sum(int(np.where(starts < 0, 0, ends - starts).sum()) for _, starts, ends in columns)
    out = np.empty(len(at) * recordbatch.OVERHEAD + size, np.uint8)
    return PackedBatch(*about, memoryview(out.data)[: recordbatch.pack(at, *keys, *values, *columns[2], out)])


def _appended(at: Ints, keys: Column, values: Column, headers: Column | None) -> memoryview:
    """Have aiokafka write the records one by one, where no kernels are."""
    builder = DefaultRecordBatchBuilder(_MAGIC, 0, 0, -1, -1, -1, _UNBOUNDED)
    for number, time in enumerate(at.tolist()):
        key, value, encoded = (
            None if column is None or column[1][number] < 0 else column[0][column[1][number] : column[2][number]]
            for column in (keys, values, headers)
        )
        builder.append(
            number,
            time,
            key=None if key is None else key.tobytes(),
            value=None if value is None else value.tobytes(),
            headers=[] if encoded is None else decode(encoded.tobytes()),
        )
    return memoryview(bytes(builder.build()))[_HEADER.size + _CHECKED.size :]
