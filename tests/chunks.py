"""Chunks without a broker."""

from collections.abc import Sequence

import numpy as np

from streams.engines.faust.chunks import Chunk
from streams.kernels.packed import packed


def chunk_of(start: int, next_offset: int, values: Sequence[bytes | None], offsets: Sequence[int]) -> Chunk:
    """Return a chunk of these values."""
    return Chunk(start, next_offset, packed(values), np.array(offsets, np.int64))
