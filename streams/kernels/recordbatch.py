"""The records of a Kafka batch of format 2, written from columns."""

import numpy as np

from streams.kernels.jit import compiled, inner
from streams.kernels.record import Ints
from streams.kernels.spelling import put_bytes
from streams.kernels.words import Bytes

_SEVEN = np.uint64(7)
_LOW = np.uint64(0x7F)
_MORE = np.uint64(0x80)
NULL = -1
"""Where a key that is null begins."""
OVERHEAD = 32
"""A record takes at most so many bytes more than its key and value."""


@inner
def _zigzag(number: int) -> np.uint64:
    return np.uint64((number << 1) ^ (number >> 63))


@inner
def _width(number: np.uint64) -> int:
    width = 1
    while number > _LOW:
        number >>= _SEVEN
        width += 1
    return width


@inner
def _put(out: Bytes, at: int, number: np.uint64) -> int:
    """Write a number of varying length."""
    while number > _LOW:
        out[at] = (number & _LOW) | _MORE
        number >>= _SEVEN
        at += 1
    out[at] = number
    return at + 1


@compiled
def pack(
    at: Ints,
    key_data: Bytes,
    key_starts: Ints,
    key_ends: Ints,
    value_data: Bytes,
    value_starts: Ints,
    value_ends: Ints,
    out: Bytes,
) -> int:
    """Write the records that follow a batch's header, and return how many bytes they take.

    Args:
        at: Their times; the first one's stands in the header.
        key_data: The buffer of the keys.
        key_starts: Where each key begins, ``NULL`` for one that is null.
        key_ends: Where each key ends.
        value_data: The buffer of the values.
        value_starts: Where each value begins.
        value_ends: Where each value ends.
        out: Room for the records.
    """
    place = 0
    for record in range(len(at)):
        key_bytes = key_ends[record] - key_starts[record] if key_starts[record] >= 0 else 0
        value_bytes = value_ends[record] - value_starts[record]
        time, number = _zigzag(at[record] - at[0]), _zigzag(record)
        key_length = _zigzag(key_bytes if key_starts[record] >= 0 else -1)
        value_length = _zigzag(value_bytes)
        length = 2 + _width(time) + _width(number) + _width(key_length) + key_bytes + _width(value_length) + value_bytes
        place = _put(out, place, _zigzag(length))
        out[place] = 0  # no attributes
        place = _put(out, _put(out, place + 1, time), number)
        place = put_bytes(
            out, _put(out, place, key_length), key_data, key_starts[record], key_starts[record] + key_bytes
        )
        place = put_bytes(out, _put(out, place, value_length), value_data, value_starts[record], value_ends[record])
        out[place] = 0  # no headers
        place += 1
    return place
