"""Whole Kafka record batches from lanes."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from producers.compose.binarycolumn import bytes_of, offsets_of
from producers.compose.lanes import Lane
from streams.kafka import packedbatch
from streams.kafka.headers import NONE, decode
from streams.kafka.packedbatch import Column, PackedBatch

PACK_FROM = 12
"""Below this many records, if none has headers, a client's own builder is used: 2 µs a record, and a kernel 24 µs."""


def pack(lane: Lane) -> PackedBatch:
    """Return the batch of a lane of at least one record."""
    headers = None if lane.headers is None else column_of(lane.headers)
    return packedbatch.pack(np.ascontiguousarray(lane.at), column_of(lane.keys), column_of(lane.values), headers)


def rows(lane: Lane) -> Iterator[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]]:
    """Yield time, key, value and headers of each record, as a client's own builder takes them."""
    headers = [NONE] * len(lane) if lane.headers is None else lane.headers.to_pylist()
    columns = zip(lane.at.tolist(), lane.keys.to_pylist(), lane.values.to_pylist(), headers, strict=True)
    for at, key, value, encoded in columns:
        yield at, key, value, decode(encoded)


def column_of(column: pa.BinaryArray) -> Column:
    """Return a column as kernels take it."""
    places = offsets_of(column).astype(np.int64)
    starts = places[:-1].copy()
    if column.null_count:
        starts[column.is_null().to_numpy(zero_copy_only=False)] = -1
    return bytes_of(column), starts, places[1:]
