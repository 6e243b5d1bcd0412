"""Records between the bytes of a fetch, the rows of a capture, and the lanes of a replay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from crc32c import crc32c

from producers.capture.captureformat import HEADERS, SCHEMA
from producers.compose.binarycolumn import bytes_of, offsets_of
from producers.senders.recordbatch import column_of
from streams.kafka import headers
from streams.kafka.packedbatch import Column
from streams.kafka.rawbatch import RawBatch
from streams.kernels import framing, recordbatch
from streams.kernels.jit import COMPILED

Ints: TypeAlias = npt.NDArray[np.int64]
_NONE = np.empty(0, np.int64)
_OFFSET, _TIME, _KEY, _VALUE, _HEADERS = 0, 1, 2, 4, 6


@dataclass(frozen=True, slots=True)
class Records:
    """Neighbouring records of one partition as they lie in the bytes of a fetch."""

    start: int
    """The first offset that is covered."""
    next_offset: int
    """The offset after the last one that is covered."""
    data: bytes
    fields: Ints
    """A row for each of ``streams.kernels.framing.FIELDS``, a column for each record; offsets and times absolute."""
    appended: bool
    """Whether the times are the broker's."""

    def __len__(self) -> int:
        return int(self.fields.shape[1])

    def size(self) -> int:
        """Return the bytes of keys, values and headers."""
        keys = np.where(self.fields[_KEY] < 0, self.fields[_KEY + 1], self.fields[_KEY])
        return int(np.sum(self.fields[_HEADERS + 1] - keys))

    def until(self, offset: int, most: int | None = None) -> "Records":
        """Return the records before an offset, at most ``most`` of them."""
        count = int(np.searchsorted(self.fields[_OFFSET], offset))
        if most is not None and count > most:
            count = most
            offset = int(self.fields[_OFFSET, count - 1]) + 1 if count else self.start
        return Records(self.start, min(offset, self.next_offset), self.data, self.fields[:, :count], self.appended)


def records_of(batch: Any, raw: RawBatch, start: int, *, hidden: bool) -> Records:
    """Return the records of a fetched batch from an offset on.

    Args:
        batch: The batch as aiokafka reads it.
        raw: The batch as it lies in the fetch.
        start: The first offset that is wanted.
        hidden: Whether a reader must not see its records.
    """
    nothing = b"", np.empty((len(framing.FIELDS), 0), np.int64)
    appended = False
    if hidden:
        data, fields = nothing
    elif (found := raw.whole()) is not None:
        data, fields = found
        appended = raw.appended
    else:
        rows = list(batch)
        data, fields = _walked(rows)
        appended = bool(rows and rows[0].timestamp_type)
    first = int(np.searchsorted(fields[_OFFSET], start))
    return Records(start, max(start, batch.next_offset), data, fields[:, first:], appended)


def _walked(rows: Sequence[Any]) -> tuple[bytes, Ints]:
    """Return buffer and fields of records that aiokafka has read one by one."""
    fields = np.empty((len(framing.FIELDS), len(rows)), np.int64)
    pieces: list[bytes] = []
    at = 0
    for number, row in enumerate(rows):
        fields[_OFFSET, number] = row.offset
        fields[_TIME, number] = -1 if row.timestamp is None else row.timestamp
        for place, blob in ((_KEY, row.key), (_VALUE, row.value), (_HEADERS, headers.encode(row.headers or ()))):
            fields[place, number] = -1 if blob is None else at
            at += len(blob or b"")
            fields[place + 1, number] = at
            pieces.append(blob or b"")
    return b"".join(pieces), fields


def batch_of(topic: str, partition: int, parts: Sequence[Records]) -> pa.RecordBatch:
    """Return records of one partition as rows of a capture."""
    count = sum(len(part) for part in parts)
    buffers = [np.frombuffer(part.data, np.uint8) for part in parts]

    def column(place: int) -> pa.Array:
        return _packed([(data, part.fields[place], part.fields[place + 1])
                        for data, part in zip(buffers, parts, strict=True)])  # fmt: skip

    appended = np.concatenate([np.full(len(part), part.appended, np.int8) for part in parts])
    return pa.RecordBatch.from_arrays(
        [
            pa.repeat(pa.scalar(partition, pa.int32()), count),
            pa.repeat(pa.scalar(topic, pa.string()), count),
            pa.array(np.concatenate([part.fields[_OFFSET] for part in parts])),
            pa.array(np.concatenate([part.fields[_TIME] for part in parts])),
            pa.array(appended),
            column(_KEY),
            column(_VALUE),
            _listed([(data, part.fields[_HEADERS], part.fields[_HEADERS + 1])
                     for data, part in zip(buffers, parts, strict=True)]),
        ],
        schema=SCHEMA,
    )  # fmt: skip


def _packed(parts: Sequence[Column]) -> pa.BinaryArray:
    """Return blobs, one behind the other, as one column."""
    starts = np.concatenate([_NONE, *(part[1] for part in parts)])
    sizes = np.where(starts < 0, 0, np.concatenate([_NONE, *(part[2] for part in parts)]) - starts)
    offsets = np.zeros(len(starts) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    out = np.empty(int(offsets[-1]), np.uint8)
    place = 0
    for data, begins, ends in parts:
        if COMPILED:
            place = recordbatch.gather(data, begins, ends, out, place)
        else:
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
                if begin >= 0:
                    out[place : place + end - begin] = data[begin:end]
                    place += end - begin
    nulls = int(np.count_nonzero(starts < 0))
    valid = pa.py_buffer(np.packbits(starts >= 0, bitorder="little")) if nulls else None
    return pa.Array.from_buffers(
        pa.binary(), len(starts), [valid, pa.py_buffer(offsets), pa.py_buffer(out)], null_count=nulls
    )


def _listed(parts: Sequence[Column]) -> pa.ListArray:
    """Return encoded headers as lists of names and values."""
    counts = np.concatenate([np.zeros(len(part[1]), np.int64) for part in parts])
    names: list[Column] = []
    values: list[Column] = []
    place = 0
    for data, starts, ends in parts:
        here = counts[place : place + len(starts)]
        place += len(starts)
        if not bool(np.any(ends - starts > 1)):  # no more than their count, which is zero
            continue
        framing.count_headers(data, starts, ends, here)
        found = np.empty((4, int(here.sum())), np.int64)
        framing.find_headers(data, starts, ends, found)
        names.append((data, found[0], found[1]))
        values.append((data, found[2], found[3]))
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    struct = pa.StructArray.from_arrays([_packed(names), _packed(values)], fields=list(HEADERS.value_type))
    return pa.ListArray.from_arrays(pa.array(offsets), struct, type=HEADERS)


def encoded_headers(column: pa.ListArray) -> pa.BinaryArray | None:
    """Return lists of names and values as they stand in records, None where all are empty."""
    places = offsets_of(column)
    counts = np.diff(places).astype(np.int64)
    total = int(counts.sum())
    if not total:
        return None
    inside = column.values.slice(int(places[0]), total)
    names, values = column_of(inside.field("name")), column_of(inside.field("value"))
    size = sum(int(np.where(starts < 0, 0, ends - starts).sum()) for _, starts, ends in (names, values))
    out = np.empty(size + recordbatch.HEADER_OVERHEAD * (total + len(counts)), np.uint8)
    ends = np.zeros(len(counts) + 1, np.int64)
    recordbatch.gather_headers(counts, *names, *values, out, ends[1:])
    return pa.Array.from_buffers(
        pa.binary(), len(counts), [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(out[: int(ends[-1])])]
    )


def pieces(batch: pa.RecordBatch) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield what a batch holds, a name and an array at a time: those of two batches joined are those of the whole."""
    for name in ("offset", "timestamp_type", "timestamp"):
        yield name, batch.column(name).to_numpy()
    yield from _blob_pieces("key", batch.column("key"))
    yield from _blob_pieces("value", batch.column("value"))
    listed = batch.column("headers")
    places = offsets_of(listed)
    yield "headers", np.diff(places)
    inside = listed.values.slice(int(places[0]), int(places[-1] - places[0]))
    for name in ("name", "value"):
        yield from _blob_pieces(f"header {name}", inside.field(name))


def _blob_pieces(name: str, column: pa.BinaryArray) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield the lengths of blobs, -1 for a null, and their bytes."""
    places = offsets_of(column)
    lengths = np.diff(places)
    if column.null_count:
        lengths[column.is_null().to_numpy(zero_copy_only=False)] = -1
    yield f"{name} lengths", lengths
    yield name, bytes_of(column)[places[0] : places[-1]]


def checksum(batch: pa.RecordBatch) -> int:
    """Return the CRC-32C of what a batch holds."""
    found = 0
    for _, piece in pieces(batch):
        found = crc32c(np.ascontiguousarray(piece).tobytes(), found)
    return found
