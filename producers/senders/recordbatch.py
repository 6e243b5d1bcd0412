"""Whole Kafka record batches from columns: the wire format (version 2) written with arrays instead of record by record.

aiokafka's own builder takes a call per record; for a batch of thousands, writing all the lengths at once and joining
the columns once is several times faster. What comes out is the same, byte for byte, and that is tested.
"""

import struct
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from crc32c import crc32c

from producers.compose.lanes import Ints, Lane

Bytes: TypeAlias = npt.NDArray[np.uint8]

_HEADER = struct.Struct(">qiibI")
_CHECKED = struct.Struct(">hiqqqhii")
_MAGIC = 2
_ZERO, _NOTHING = pa.scalar(b"\x00"), pa.scalar(b"")
_AFTER_LENGTH = 12
"""The length field counts what follows it: all but itself and the base offset before it."""


class PackedBatch:
    """A closed batch, as far as aiokafka's producer asks (``aiokafka.producer.message_accumulator.BatchBuilder``).

    Args:
        lane: At least one record.
    """

    def __init__(self, lane: Lane) -> None:
        self._count = len(lane)
        self._first, self._last = int(lane.at[0]), int(lane.at.max())
        self._records = pack(lane)
        self._producer = (-1, -1, 0)
        self._buffer: bytes | None = None

    def record_count(self) -> int:
        """Return the number of records."""
        return self._count

    def size(self) -> int:
        """Return the size in bytes."""
        return _HEADER.size + _CHECKED.size + len(self._records) if self._buffer is None else len(self._buffer)

    def closed(self) -> bool:
        """Return True: nothing can be added."""
        return True

    def close(self) -> None:
        """Nothing to do."""

    def append(self, **record: object) -> None:
        """Return None: the batch is full."""

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytes:
        if self._buffer is None:
            checked = _CHECKED.pack(0, self._count - 1, self._first, self._last, *self._producer, self._count)
            checksum = crc32c(self._records, crc32c(checked))
            header = _HEADER.pack(0, self.size() - _AFTER_LENGTH, -1, _MAGIC, checksum)
            self._buffer = b"".join((header, checked, self._records))
            self._records = memoryview(b"")
        return self._buffer


def pack(lane: Lane) -> memoryview:
    """Return the records of a batch, one after the other, as they stand on the wire after the batch's header."""
    keys, values = _lengths(lane.keys), _lengths(lane.values)
    fields = [_zigzag(lane.at - lane.at[0]), _zigzag(np.arange(len(lane))), _zigzag(keys)]
    sizes = [_varint_sizes(field) for field in fields]
    value_lengths = _zigzag(values)
    value_sizes = _varint_sizes(value_lengths)
    # Attributes before and the count of headers after are one zero byte each.
    lengths = _zigzag(2 + np.sum(sizes, axis=0) + np.maximum(keys, 0) + value_sizes + values)
    attributes = np.zeros_like(lengths), np.ones_like(lengths)
    head = _rows_of_varints([(lengths, _varint_sizes(lengths)), attributes, *zip(fields, sizes, strict=True)])
    before_value = _rows_of_varints([(value_lengths, value_sizes)])
    keys_or_nothing = lane.keys.fill_null(b"") if lane.keys.null_count else lane.keys
    return _bytes_of(pc.binary_join_element_wise(head, keys_or_nothing, before_value, lane.values, _ZERO, _NOTHING))


def _lengths(column: pa.BinaryArray) -> Ints:
    lengths: Ints = pc.binary_length(column).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return lengths


def _zigzag(numbers: Ints) -> Ints:
    return (numbers << 1) ^ (numbers >> 63)


def _varint_sizes(numbers: Ints) -> Ints:
    sizes = np.ones(len(numbers), dtype=np.int64)
    bound = 1 << 7
    while (more := numbers >= bound).any():
        sizes += more
        bound <<= 7
    return sizes


def _rows_of_varints(fields: list[tuple[Ints, Ints]]) -> pa.BinaryArray:
    """Return a column whose rows are the fields' varints, one after the other.

    Args:
        fields: Numbers, and the bytes each takes.
    """
    widths: Ints = np.sum([sizes for _, sizes in fields], axis=0)
    ends: Ints = np.cumsum(widths)
    data = np.zeros(int(ends[-1]), dtype=np.uint8)
    places = ends - widths
    for numbers, sizes in fields:
        _write_varints(data, places, numbers, sizes)
        places = places + sizes
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    return pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _write_varints(data: Bytes, places: Ints, numbers: Ints, sizes: Ints) -> None:
    """Write each number at its place, seven bits a byte, the highest bit saying that more follow."""
    data[places] = (numbers & 0x7F) | ((sizes > 1) << 7)
    for digit in range(1, int(sizes.max())):
        longer = np.flatnonzero(sizes > digit)
        low = (numbers[longer] >> (7 * digit)) & 0x7F
        data[places[longer] + digit] = low | ((sizes[longer] > digit + 1) << 7)


def _bytes_of(column: pa.BinaryArray) -> memoryview:
    """Return all rows joined: the column's own buffer."""
    _, offsets, data = column.buffers()
    first, last = np.frombuffer(offsets, dtype=np.int32)[[column.offset, column.offset + len(column)]]
    return memoryview(data)[int(first) : int(last)]
