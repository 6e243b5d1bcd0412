"""JSON and Kafka keys of results, and JSON of anything else that is made of pieces and numbers."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import compiled, inner
from streams.kernels.record import Ints
from streams.kernels.words import Bytes

MOST_DIGITS = 20
_ZERO, _MINUS, _COMMA = b"0-,"
_ONE, _TWO, _TEN, _HUNDRED = np.uint64(1), np.uint64(2), np.uint64(10), np.uint64(100)
_PAIRS = np.frombuffer(b"".join(b"%02d" % number for number in range(100)), np.uint8)
"""The digits of 0 to 99, so that one division writes two digits."""


class Pieces(NamedTuple):
    """Pieces of text, by number."""

    bytes: Bytes
    begins: Ints
    """Where each piece begins in ``bytes``; one more for the end of the last."""


def pieces(texts: Iterable[bytes]) -> Pieces:
    """Return pieces of text as kernels take them."""
    texts = list(texts)
    begins = np.zeros(len(texts) + 1, np.int64)
    begins[1:] = np.cumsum([len(text) for text in texts])
    return Pieces(np.frombuffer(b"".join(texts), np.uint8), begins)


def longest(some: Pieces) -> int:
    """Return the length of the longest piece."""
    return int(np.diff(some.begins).max(initial=0))


@inner
def put_bytes(out: Bytes, at: int, data: Bytes, begin: int, end: int) -> int:
    """Copy bytes and return the place after them."""
    into, start = np.uint64(at), np.uint64(begin)  # unsigned: so many bytes are copied at once
    for place in range(np.uint64(end - begin)):
        out[into + place] = data[start + place]
    return at + end - begin


@inner
def put_piece(out: Bytes, at: int, some: Pieces, number: int) -> int:
    """Write a piece and return the place after it."""
    return put_bytes(out, at, some.bytes, some.begins[number], some.begins[number + 1])


@inner
def put_number(out: Bytes, at: int, number: int) -> int:
    """Write decimal digits and return the place after them."""
    if number < 0:
        out[at] = _MINUS
        at += 1
        number = -number
    rest, width, limit = np.uint64(number), 1, _TEN
    while rest >= limit:
        width += 1
        limit *= _TEN
    place = at + width
    while rest >= _TEN:
        above = rest // _HUNDRED
        pair = (rest - above * _HUNDRED) * _TWO
        place -= 2
        out[place], out[place + 1] = _PAIRS[pair], _PAIRS[pair + _ONE]
        rest = above
    if place > at:
        out[at] = _ZERO + rest
    return at + width


@compiled
def weave(data: Bytes, begin: int, cuts: Ints, end: int, others: Bytes, ends: Ints, out: Bytes) -> None:
    """Write the bytes from ``begin`` to ``end`` with one of the other values before each cut.

    Args:
        data: The bytes.
        begin: Where they begin.
        cuts: Places in ``data``, ascending.
        end: Where they end.
        others: The other values, one after the other.
        ends: Where each of them begins, one more for the end of the last.
        out: Room for all.
    """
    at = 0
    for number in range(len(cuts)):
        at = put_bytes(out, at, data, begin, cuts[number])
        at = put_bytes(out, at, others, ends[number], ends[number + 1])
        begin = cuts[number]
    put_bytes(out, at, data, begin, end)


class ResultRows(NamedTuple):
    """Rows of results."""

    window: Ints
    """Start of the window, milliseconds since the epoch."""
    name: Ints
    """Number of the space or subject."""
    counts: NDArray[np.int64]
    """A column per label; zeros are left out."""
    estimates: NDArray[np.int64]
    tag_begins: Ints
    """Where the hashtags of each row begin, and where the last one's end."""
    tags: NDArray[np.int32]
    tag_counts: NDArray[np.int64]


class ResultPieces(NamedTuple):
    """How results are spelled."""

    frame: Pieces
    """Before the window in a value, after the version, before the estimates, at the end; before the window in a key."""
    names: Pieces
    """After the window in a value, by name, up to the version."""
    keys: Pieces
    """After the window in a key, by name."""
    labels: Pieces
    """Names of the counts, with quotes and colon; those of the estimates follow."""
    tags: Pieces
    """Names of the counts of hashtags."""


_BEFORE_WINDOW, _COUNTS, _ESTIMATES, _END, _KEY = range(5)


@inner
def _put_count(out: Bytes, at: int, begin: int, some: Pieces, label: int, count: int) -> int:
    """Write one member of an object that begins at ``begin``."""
    if at > begin:
        out[at] = _COMMA
        at += 1
    return put_number(out, put_piece(out, at, some, label), count)


@inner
def _put_counts(out: Bytes, at: int, labels: Pieces, offset: int, counts: Ints) -> int:
    begin = at
    for column in range(len(counts)):
        if counts[column]:
            at = _put_count(out, at, begin, labels, offset + column, counts[column])
    return at


@compiled
def encode_results(
    rows: ResultRows, spelled: ResultPieces, version: int, keys: Bytes, key_ends: Ints, values: Bytes, value_ends: Ints
) -> None:
    """Write keys and values of results, one after the other.

    Args:
        rows: The results.
        spelled: Their pieces.
        version: Their version.
        keys: Room for the keys.
        key_ends: Set to where each key ends.
        values: Room for the values.
        value_ends: Set to where each value ends.
    """
    key = at = 0
    for row in range(len(rows.window)):
        name = rows.name[row]
        key = put_number(keys, put_piece(keys, key, spelled.frame, _KEY), rows.window[row])
        key = key_ends[row] = put_piece(keys, key, spelled.keys, name)
        at = put_number(values, put_piece(values, at, spelled.frame, _BEFORE_WINDOW), rows.window[row])
        at = put_number(values, put_piece(values, at, spelled.names, name), version)
        begin = at = put_piece(values, at, spelled.frame, _COUNTS)
        at = _put_counts(values, at, spelled.labels, 0, rows.counts[row])
        for tag in range(rows.tag_begins[row], rows.tag_begins[row + 1]):
            at = _put_count(values, at, begin, spelled.tags, rows.tags[tag], rows.tag_counts[tag])
        at = put_piece(values, at, spelled.frame, _ESTIMATES)
        at = _put_counts(values, at, spelled.labels, rows.counts.shape[1], rows.estimates[row])
        at = value_ends[row] = put_piece(values, at, spelled.frame, _END)
