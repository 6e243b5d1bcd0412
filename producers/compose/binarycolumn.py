"""The memory of a binary column as arrays; nothing is copied."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes: TypeAlias = npt.NDArray[np.uint8]
Offsets: TypeAlias = npt.NDArray[np.int32]


def offsets_of(column: pa.Array) -> Offsets:
    """Return where each value begins in ``bytes_of``, and where the last one ends."""
    if not len(column):
        return np.zeros(1, np.int32)
    return np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]


def bytes_of(column: pa.Array) -> Bytes:
    """Return the bytes that the values lie in, also those of values that were cut off."""
    data = column.buffers()[2]
    return np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
