"""What a fetch brings as chunks: the values stay in the bytes they came in (``streams.kernels.framing`` finds them)."""

from typing import Any

import numpy as np

from streams.engines.faust.chunks import Chunk
from streams.kafka.batchfetch import FetchedBatches
from streams.kafka.rawbatch import RawBatch
from streams.kernels.packed import Packed, packed
from streams.kernels.record import Ints


class BatchRecords(FetchedBatches):
    """What one fetch brought of one partition, a ``Chunk`` per batch."""

    def made(self, batch: Any, raw: RawBatch, start: int, *, hidden: bool) -> Chunk:
        """Return the chunk of a batch."""
        values, offsets = _NOTHING if hidden else raw.values() or _walked(batch)
        first = int(np.searchsorted(offsets, start))
        return Chunk(start, max(start, batch.next_offset), values[first:], offsets[first:])


def _walked(batch: Any) -> tuple[Packed, Ints]:
    """Return values and offsets of a batch record by record."""
    records = list(batch)
    return packed([record.value for record in records]), np.array([record.offset for record in records], np.int64)


_NOTHING = packed([]), np.empty(0, np.int64)
