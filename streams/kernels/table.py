"""Numbers for byte strings: a hash table that Python fills and kernels look things up in."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import inner
from streams.kernels.words import Bytes, load

UNKNOWN: Final = -1
_U64: Final = np.uint64
_FACTOR: Final = 0x9E3779B97F4A7C15
_FACTOR64, _ALL = _U64(_FACTOR), _U64(2**64 - 1)
_EIGHT: Final = 8
_BITS: Final = 64
MOST: Final = 1 << 14
"""A table has at most so many entries: making one takes 20 ms then."""
_SPARE: Final = 4
"""Slots per entry, at least."""


class Table(NamedTuple):
    """A table as kernels take it."""

    slots: NDArray[np.int32]
    """Number of the entry that a hash leads to, ``UNKNOWN`` for none; the next slots hold what did not fit."""
    shift: int
    """A hash's bits from this one on are its slot."""
    heads: NDArray[np.uint64]
    """The first eight bytes of each entry, the first one lowest, zero beyond its end."""
    begins: NDArray[np.int64]
    """Where each entry begins in ``bytes``; one more for the end of the last."""
    bytes: Bytes


class Numbering:
    """Gives byte strings the numbers 0, 1, 2 … in the order in which they come.

    Args:
        entries: The first ones.
    """

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        self.entries: list[bytes] = []
        """The byte strings in the order of their numbers."""
        self._numbers: dict[bytes, int] = {}
        for entry in entries:
            self.number(entry)

    def __len__(self) -> int:
        return len(self.entries)

    def number(self, entry: bytes) -> int:
        """Return the number of a byte string, a new one if it has none."""
        number = self._numbers.setdefault(entry, len(self.entries))
        if number == len(self.entries):
            self.entries.append(entry)
        return number

    def table(self) -> Table:
        """Return the table for kernels: of the first ``MOST`` byte strings."""
        return _built(self.entries[:MOST])


def _built(entries: list[bytes]) -> Table:
    bits = max(3, (len(entries) * _SPARE).bit_length())
    slots = np.full(1 << bits, UNKNOWN, np.int32)
    heads = [int.from_bytes(entry[:_EIGHT], "little") for entry in entries]
    for number, (head, entry) in enumerate(zip(heads, entries, strict=True)):
        slot = (((head ^ len(entry)) * _FACTOR) % (1 << _BITS)) >> (_BITS - bits)
        while slots[slot] != UNKNOWN:
            slot = (slot + 1) % len(slots)
        slots[slot] = number
    begins = np.zeros(len(entries) + 1, np.int64)
    begins[1:] = np.cumsum([len(entry) for entry in entries])
    return Table(slots, _BITS - bits, np.array(heads, np.uint64), begins, np.frombuffer(b"".join(entries), np.uint8))


@inner
def find(table: Table, data: Bytes, start: int, stop: int, end: int) -> Any:
    """Return the number of the bytes from ``start`` to ``stop``, ``UNKNOWN`` if they have none.

    Args:
        table: The table.
        data: The buffer.
        start: Where the bytes begin.
        stop: Where they end.
        end: From where on the buffer is not read, at or after ``stop``.
    """
    length = stop - start
    head = load(data, start, end)
    if length < _EIGHT:
        head &= ~(_ALL << _U64(8 * length))
    slot = np.int64(((head ^ _U64(length)) * _FACTOR64) >> _U64(table.shift))
    while True:
        number = table.slots[slot]
        if number == UNKNOWN:
            return UNKNOWN
        if table.heads[number] == head and _same(table, number, data, start, length):
            return number
        slot = (slot + 1) & (len(table.slots) - 1)


@inner
def _same(table: Table, number: int, data: Bytes, start: int, length: int) -> bool:
    """Compare length and all bytes after the first eight."""
    begin = table.begins[number]
    if table.begins[number + 1] - begin != length:
        return False
    for place in range(_EIGHT, length):
        if table.bytes[begin + place] != data[start + place]:
            return False
    return True
