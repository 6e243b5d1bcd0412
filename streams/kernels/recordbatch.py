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
"""A record takes at most so many bytes more than its key, its value and its headers."""
HEADER_OVERHEAD = 10
"""A header takes at most so many bytes more than its name and value, and the headers of a record than these."""


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
    header_data: Bytes,
    header_starts: Ints,
    header_ends: Ints,
    out: Bytes,
) -> int:
    """Write the records that follow a batch's header, and return how many bytes they take.

    Args:
        at: Their times; the first one's stands in the header.
        key_data: The buffer of the keys.
        key_starts: Where each key begins, ``NULL`` for one that is null.
        key_ends: Where each key ends.
        value_data: The buffer of the values.
        value_starts: Where each value begins, ``NULL`` for one that is null.
        value_ends: Where each value ends.
        header_data: The buffer of the headers, as ``gather_headers`` writes them.
        header_starts: Where each record's headers begin; no entry at all where no record has any.
        header_ends: Where each record's headers end.
        out: Room for the records.
    """
    place = 0
    for record in range(len(at)):
        key_bytes = key_ends[record] - key_starts[record] if key_starts[record] >= 0 else 0
        value_bytes = value_ends[record] - value_starts[record] if value_starts[record] >= 0 else 0
        header_bytes = header_ends[record] - header_starts[record] if len(header_starts) else 1
        time, number = _zigzag(at[record] - at[0]), _zigzag(record)
        key_length = _zigzag(key_bytes if key_starts[record] >= 0 else -1)
        value_length = _zigzag(value_bytes if value_starts[record] >= 0 else -1)
        length = 1 + _width(time) + _width(number) + _width(key_length) + key_bytes + _width(value_length) + value_bytes
        length += header_bytes
        place = _put(out, place, _zigzag(length))
        out[place] = 0  # no attributes
        place = _put(out, _put(out, place + 1, time), number)
        place = put_bytes(
            out, _put(out, place, key_length), key_data, key_starts[record], key_starts[record] + key_bytes
        )
        place = put_bytes(
            out, _put(out, place, value_length), value_data, value_starts[record], value_starts[record] + value_bytes
        )
        if len(header_starts):
            place = put_bytes(out, place, header_data, header_starts[record], header_ends[record])
        else:
            out[place] = 0  # no headers
            place += 1
    return place


@compiled
def gather(data: Bytes, starts: Ints, ends: Ints, out: Bytes, place: int) -> int:
    """Copy values one behind the other from a place of ``out`` on, null ones as nothing; return the place after."""
    for value in range(len(starts)):
        if starts[value] >= 0:
            place = put_bytes(out, place, data, starts[value], ends[value])
    return place


@compiled
def gather_headers(
    counts: Ints,
    name_data: Bytes,
    name_starts: Ints,
    name_ends: Ints,
    value_data: Bytes,
    value_starts: Ints,
    value_ends: Ints,
    out: Bytes,
    ends: Ints,
) -> None:
    """Write the headers of records as they stand in a record: their count, then each name and value.

    Args:
        counts: How many headers each record has.
        name_data: The buffer of the names.
        name_starts: Where each name begins.
        name_ends: Where each name ends.
        value_data: The buffer of the values.
        value_starts: Where each value begins, ``NULL`` for one that is null.
        value_ends: Where each value ends.
        out: Room for them: the names, the values, and ``HEADER_OVERHEAD`` for each header and each record.
        ends: Set to where each record's headers end.
    """
    place, header = 0, 0
    for record in range(len(counts)):
        place = _put(out, place, _zigzag(counts[record]))
        for _ in range(counts[record]):
            size = name_ends[header] - name_starts[header]
            place = put_bytes(out, _put(out, place, _zigzag(size)), name_data, name_starts[header], name_ends[header])
            size = value_ends[header] - value_starts[header] if value_starts[header] >= 0 else -1
            place = _put(out, place, _zigzag(size))
            if size > 0:
                place = put_bytes(out, place, value_data, value_starts[header], value_ends[header])
            header += 1
        ends[record] = place
