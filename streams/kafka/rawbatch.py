"""A Kafka record batch of format 2 as it lies in the bytes of a fetch."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from crc32c import crc32c
from numpy.typing import NDArray

from streams.kernels.framing import FIELDS, frame, frame_whole
from streams.kernels.jit import COMPILED
from streams.kernels.packed import Packed
from streams.kernels.record import Ints

_MAGIC_2: Final = 2
_HEADER: Final = 61
"""Bytes of a batch's header."""
_CHECKED_FROM: Final = 21
"""The checksum is of what follows it."""
_COMPRESSION: Final = 7
"""Bits of a batch's attributes that say how it is compressed."""
_APPEND_TIME: Final = 8
"""Bit of a batch's attributes that says whose time its records have."""
_DECODERS: Final[dict[int, Callable[[bytes], bytes]]] = {
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}
_SMALLEST_RECORD: Final = 7


class RawBatch(NamedTuple):
    """Where a batch lies; offsets in it are those of the protocol's description."""

    data: bytes
    start: int
    end: int

    @classmethod
    def at(cls, data: bytes, position: int) -> "RawBatch":
        """Return the batch that begins at a position."""
        return cls(data, position, position + 12 + int.from_bytes(data[position + 8 : position + 12], "big"))

    def _number(self, at: int, width: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.data[self.start + at : self.start + at + width], "big", signed=signed)

    @property
    def known(self) -> bool:
        """Whether it is of format 2."""
        return self.end - self.start >= _HEADER and self.data[self.start + 16] == _MAGIC_2

    def checksum_fits(self) -> bool:
        """Return whether its bytes are those that were written."""
        return crc32c(memoryview(self.data)[self.start + _CHECKED_FROM : self.end]) == self._number(17, 4)

    def values(self) -> tuple[Packed, Ints] | None:
        """Return its records' values and offsets; None where no kernel finds them."""
        if (found := self._records()) is None:
            return None
        data, begin, end, records = found
        starts, ends, offsets = (np.empty(records, np.int64) for _ in range(3))
        if not frame(np.frombuffer(data, np.uint8), begin, end, starts, ends, offsets):
            return None
        return Packed(data, starts, ends), offsets + self._number(0, 8)

    def whole(self) -> tuple[bytes, NDArray[np.int64]] | None:
        """Return a buffer and the ``FIELDS`` of its records, offsets and times absolute; None where no kernel can."""
        if (found := self._records()) is None:
            return None
        data, begin, end, records = found
        fields = np.empty((len(FIELDS), records), np.int64)
        if not frame_whole(np.frombuffer(data, np.uint8), begin, end, fields):
            return None
        fields[0] += self._number(0, 8)
        if self.appended:
            fields[1] = self._number(35, 8, signed=True)
        else:
            fields[1] += self._number(27, 8, signed=True)
        return data, fields

    @property
    def appended(self) -> bool:
        """Whether the broker gave the records their times, the moment of the append."""
        return bool(self._number(21, 2) & _APPEND_TIME)

    def _records(self) -> tuple[bytes, int, int, int] | None:
        """Return a buffer, where the records lie in it and how many there are; None where no kernel can read them."""
        if not (COMPILED and self.known):
            return None
        data, begin, end = self.data, self.start + _HEADER, self.end
        compression = self._number(21, 2) & _COMPRESSION
        if compression:
            data = bytes(_DECODERS[compression](data[begin:end]))
            begin, end = 0, len(data)
        records = self._number(57, 4)
        if records > (end - begin) // _SMALLEST_RECORD:
            return None
        return data, begin, end, records
