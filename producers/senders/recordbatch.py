"""Whole Kafka record batches from lanes."""

import numpy as np
import pyarrow as pa

from producers.compose.lanes import Lane
from streams.kafka import packedbatch
from streams.kafka.packedbatch import Column, PackedBatch

PACK_FROM = 200
"""Below this many records a client's own builder is used."""


def pack(lane: Lane) -> PackedBatch:
    """Return the batch of a lane of at least one record."""
    return packedbatch.pack(np.ascontiguousarray(lane.at), _column(lane.keys), _column(lane.values))


def _column(column: pa.BinaryArray) -> Column:
    _, offsets, data = column.buffers()
    places = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    starts = places[:-1].copy()
    if column.null_count:
        starts[column.is_null().to_numpy(zero_copy_only=False)] = -1
    return np.frombuffer(data or b"", np.uint8), starts, places[1:]
