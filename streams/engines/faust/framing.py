"""Where the values lie in an uncompressed Kafka record batch, found for all records at once.

A record batch (format 2) is a header and records one after another, each with lengths of varying width in front of its
parts; walking it makes one Python object per record. But who knows where the values begin can check everything else
for all records together: a JSON object begins with ``{"``, and from there on every length, the record's number, its
key and the beginning of the next record must fit. The check is complete: by induction from the first record on, the
values found are those a reader walking the batch finds. What does not fit (headers, other values, long keys) is left
to one.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.fold.canonical import Bools, Ints
from streams.fold.packed import Packed

HEADER: Final = 61
"""Bytes of a batch's header."""
FROM_RECORDS: Final = 256
"""Below this many records walking the batch is faster."""
_OBJECT, _QUOTE = ord("{"), ord('"')
_MORE: Final = 0x80
"""Bit of a byte of a variable-length number that says another one follows."""
_MAX_RECORDS: Final = 1 << 20
_MAX_TIME_WIDTH: Final = 10
_BYTES = NDArray[np.uint8]


class _Number(NamedTuple):
    """Variable-length numbers read at some positions."""

    value: Ints
    width: Ints
    fine: Bools


def values(data: bytes, start: int, end: int, records: int) -> Packed | None:
    """Return the values of the batch that lies at ``start`` to ``end``, None where they are not found this way.

    Args:
        data: Any buffer with the batch in it.
        start: Where its header begins.
        end: Where its last record ends.
        records: How many records its header announces.
    """
    if not FROM_RECORDS <= records <= _MAX_RECORDS:
        return None
    batch = np.frombuffer(data, np.uint8)[start:end]
    found = _objects(batch)
    if len(found) != records:
        return None
    length = _number_before(batch, found)
    ends = found + length.value
    if not length.fine.all() or ends[-1] + 1 != len(batch) or (ends >= len(batch)).any() or batch[ends].any():
        return None  # the last check: no record has headers
    begins = np.concatenate(([HEADER], ends[:-1] + 1))
    if not _frames_fit(batch, begins, found - length.width, ends + 1):
        return None
    return Packed(data, found + start, ends + start)


def _objects(batch: _BYTES) -> Ints:
    """Return where objects seem to begin, eight bytes looked at together; two in eight bytes are not told apart."""
    whole = len(batch) - len(batch) % 8
    hits = (batch[:whole] == _OBJECT).view(np.uint64)
    words = np.flatnonzero(hits != 0)
    first = hits[words]
    found = (words << 3) + (np.bitwise_count((first & (~first + np.uint64(1))) - np.uint64(1)) >> 3)
    rest = np.flatnonzero(batch[whole:-1] == _OBJECT) + whole
    found = np.concatenate((found[found < len(batch) - 1], rest))
    objects: Ints = found[(found >= HEADER) & (batch[found + 1] == _QUOTE)]
    return objects


def _number_before(batch: _BYTES, positions: Ints) -> _Number:
    """Read the number of one or two bytes that ends before each position."""
    high, low = batch[positions - 1].astype(np.int64), batch[positions - 2].astype(np.int64)
    two = low >= _MORE
    raw = np.where(two, (low & (_MORE - 1)) | (high << 7), high)
    return _Number(raw >> 1, np.where(two, 2, 1), (high < _MORE) & (raw & 1 == 0))


def _number_at(batch: _BYTES, positions: Ints) -> _Number:
    """Read the number of one or two bytes that begins at each position."""
    low, high = batch[positions].astype(np.int64), batch[positions + 1].astype(np.int64)
    two = low >= _MORE
    raw = np.where(two, (low & (_MORE - 1)) | (high << 7), low)
    return _Number(raw >> 1, np.where(two, 2, 1), ~two | (high < _MORE) & (raw & 1 == 0))


def _frames_fit(batch: _BYTES, begins: Ints, value_length_at: Ints, ends: Ints) -> bool:
    """Check that each record's length, time, number and key lead from its beginning to its value and its end."""
    length = _number_at(batch, begins)
    after = begins + length.width
    if not (length.fine.all() and (after + length.value == ends).all()):
        return False
    time_at = after + 1  # one byte of attributes, always zero in this format
    number_at = time_at + _time_width(batch, time_at)
    key_at = number_at + _numbers_fit(batch, number_at)
    inside = (key_at > number_at) & (key_at < value_length_at)
    if not inside.all():
        return False
    key = batch[key_at].astype(np.int64)
    key_bytes = np.where(key == 1, 0, key >> 1)  # 1 stands for -1: no key
    return bool(((key < _MORE) & ((key & 1 == 0) | (key == 1)) & (key_at + 1 + key_bytes == value_length_at)).all())


def _time_width(batch: _BYTES, positions: Ints) -> Ints:
    """Return how many bytes the time's difference takes; more than ten there cannot be."""
    width = np.ones(len(positions), np.int64)
    rows = np.flatnonzero(batch[positions] >= _MORE)
    while len(rows) and width[rows[0]] < _MAX_TIME_WIDTH:
        width[rows] += 1
        rows = rows[batch[np.minimum(positions[rows] + width[rows] - 1, len(batch) - 1)] >= _MORE]
    return width


def _numbers_fit(batch: _BYTES, positions: Ints) -> Ints:
    """Return how many bytes the record's number takes, 0 where it is not the number its place says."""
    expected = np.arange(len(positions), dtype=np.int64) << 1
    width = np.zeros(len(positions), np.int64)
    for bytes_ in (1, 2, 3):
        low, high = (1 << 7 * (bytes_ - 1)) if bytes_ > 1 else 0, 1 << 7 * bytes_
        rows = slice(np.searchsorted(expected, low), np.searchsorted(expected, high))
        fits = np.ones(len(positions[rows]), np.bool_)
        for place in range(bytes_):
            part = (expected[rows] >> 7 * place) & (_MORE - 1) | (_MORE if place < bytes_ - 1 else 0)
            fits &= batch[np.minimum(positions[rows] + place, len(batch) - 1)] == part
        width[rows][fits] = bytes_
    return width
