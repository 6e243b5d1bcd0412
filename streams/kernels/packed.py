"""Values that lie in the bytes they came in: cut out one by one only where one is asked for."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


class Packed(Sequence[bytes]):
    """Values in one buffer.

    Args:
        data: The buffer.
        starts: Where each value begins.
        ends: Where each value ends.
    """

    __slots__ = ("data", "ends", "starts")

    def __init__(self, data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        self.data = data
        self.starts = starts
        self.ends = ends

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> "Packed": ...

    def __getitem__(self, index: int | slice) -> "bytes | Packed":
        if isinstance(index, slice):
            return Packed(self.data, self.starts[index], self.ends[index])
        return self.data[self.starts[index] : self.ends[index]]

    def __iter__(self) -> Iterator[bytes]:
        data = self.data
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            yield data[start:end]

    def size(self) -> int:
        """Return how many bytes the values have together."""
        return int((self.ends - self.starts).sum())

    def columns(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """Return the buffer, starts and ends, as kernels take them."""
        return self.bytes(), self.starts, self.ends

    def bytes(self) -> NDArray[np.uint8]:
        """Return the buffer as an array."""
        return np.frombuffer(self.data, np.uint8)


def packed(values: Sequence[bytes | None]) -> Packed:
    """Return values as they are, or copied into one buffer; one that is None is empty."""
    if isinstance(values, Packed):
        return values
    raws = [value or b"" for value in values]
    ends = np.cumsum([0, *map(len, raws)], dtype=np.int64)
    return Packed(b"".join(raws), ends[:-1], ends[1:])


def joined(parts: Sequence[Packed]) -> Packed:
    """Return the values of several parts one after the other; buffers are copied only where there are several."""
    buffers = {id(part.data): part.data for part in parts}
    begins = dict(zip(buffers, np.cumsum([0, *map(len, buffers.values())]).tolist(), strict=False))
    starts = np.concatenate([part.starts + begins[id(part.data)] for part in parts])
    ends = np.concatenate([part.ends + begins[id(part.data)] for part in parts])
    return Packed(b"".join(buffers.values()) if len(buffers) > 1 else parts[0].data, starts, ends)
