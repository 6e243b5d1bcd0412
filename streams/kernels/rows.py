"""Row numbers for keys: a hash table, so that a table takes memory for the keys it has, not for those it could have."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import compiled, inner
from streams.kernels.record import Ints

_HALF: Final = 31
_LOW31: Final = (1 << _HALF) - 1
_LOW32: Final = (1 << 32) - 1
_HIGH_FACTOR: Final = 0x5BD1E995
_FACTOR: Final = 0x9E3779B1
"""Odd and below 2**31 and 2**32: no product leaves 64 bits, so a hash is the same in Python and compiled."""


class RowIndex(NamedTuple):
    """The rows of a table: rows 0, 1, 2 … in the order in which their keys came."""

    keys: Ints
    """The key of each row, 0 … 2**62; as long as there is room."""
    slots: NDArray[np.int32]
    """One more than the row a hash leads to, 0 for none; the next slots hold what did not fit. A power of two long."""
    shift: int
    """Bits of a hash that are no part of its slot."""
    used: Ints
    """One number: how many rows there are."""


def with_room(index: RowIndex | None, rows: int) -> RowIndex:
    """Return an index with room for so many rows, with the rows of a smaller one if it is given."""
    bits = max(4, (2 * rows - 1).bit_length())
    keys, used = np.empty(rows, np.int64), np.zeros(1, np.int64)
    grown = RowIndex(keys, np.zeros(1 << bits, np.int32), 32 - bits, used)
    if index is not None:
        used[0] = index.used[0]
        keys[: used[0]] = index.keys[: used[0]]
        _fill(grown)
    return grown


@inner
def slot_of(index: RowIndex, key: int) -> Any:
    """Return the first slot to look at."""
    mixed = (key & _LOW31) ^ (((key >> _HALF) * _HIGH_FACTOR) & _LOW31)
    return ((mixed * _FACTOR) & _LOW32) >> index.shift


@inner
def row_of(index: RowIndex, key: int) -> Any:
    """Return the row of a key; a key without one gets the next row, for which there must be room."""
    slot = slot_of(index, key)
    while True:
        found = index.slots[slot]
        if found == 0:
            row = index.used[0]
            index.used[0] = row + 1
            index.keys[row] = key
            index.slots[slot] = row + 1
            return row
        if index.keys[found - 1] == key:
            return np.int64(found - 1)
        slot = (slot + 1) & (len(index.slots) - 1)


@compiled
def rows_of(index: RowIndex, keys: Ints, rows: Ints) -> None:
    """Set ``rows`` to the row of each key; a key without one gets the next row, for which there must be room."""
    for place in range(len(keys)):
        rows[place] = row_of(index, keys[place])


@compiled
def _fill(index: RowIndex) -> None:
    """Fill empty slots with the rows there are."""
    for row in range(index.used[0]):
        slot = slot_of(index, index.keys[row])
        while index.slots[slot]:
            slot = (slot + 1) & (len(index.slots) - 1)
        index.slots[slot] = row + 1
