"""Values that still lie in the bytes they came in: cut out one by one only where somebody needs them."""

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

    def __add__(self, other: "Packed") -> "Packed":
        """Return both, which must lie in the same buffer."""
        if other.data is not self.data:
            raise ValueError("values of two buffers cannot be joined without copying them")
        return Packed(self.data, np.concatenate((self.starts, other.starts)), np.concatenate((self.ends, other.ends)))
