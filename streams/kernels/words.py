"""Bytes of a record, eight at a time: the first of the eight is the lowest byte of the number."""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import inner, seldom

Bytes: TypeAlias = NDArray[np.uint8]

BAD: Final = -1
"""In place of a place: the bytes are not what was to be read."""
U64: Final = np.uint64
ONE, EIGHT = U64(1), U64(8)
_TOP = U64(56)


def each(byte: int) -> np.uint64:
    """Return eight times the same byte."""
    return U64(int.from_bytes(bytes([byte]) * 8, "little"))


HIGH, LOW = each(0x80), each(0x01)


@seldom
def _load_last(data: Bytes, at: int, end: int) -> Any:
    found = U64(0)
    for byte in range(end - at):
        found |= U64(data[at + byte]) << (EIGHT * U64(byte))
    return found


@inner
def load(data: Bytes, at: int, end: int) -> Any:
    """Return eight bytes as one number, the first one lowest; from ``end`` on they read as zero."""
    if at + 8 <= end:
        place = U64(at)  # unsigned: so the eight reads become one
        found = U64(data[place])
        found |= U64(data[place + U64(1)]) << U64(8)
        found |= U64(data[place + U64(2)]) << U64(16)
        found |= U64(data[place + U64(3)]) << U64(24)
        found |= U64(data[place + U64(4)]) << U64(32)
        found |= U64(data[place + U64(5)]) << U64(40)
        found |= U64(data[place + U64(6)]) << U64(48)
        found |= U64(data[place + U64(7)]) << U64(56)
        return found
    return _load_last(data, at, end)


@inner
def bytes_before(marks: Any) -> Any:
    """Return how many bytes lie before the lowest whose highest bit is set; there is one."""
    below = (marks & (~marks + ONE)) - ONE
    return np.int64(((below & LOW) * LOW) >> _TOP) - 1
