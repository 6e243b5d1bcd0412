"""Where values, and everything else, lie in the records of a Kafka batch of format 2."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import compiled, inner
from streams.kernels.words import BAD, Bytes

_U64 = np.uint64
_ONE, _SEVEN = _U64(1), _U64(7)
_MORE = 0x80
"""Bit of a byte of a number of varying length: another byte follows."""
_MAX_SHIFT = 63
FIELDS = (
    "offset", "time", "key_start", "key_end", "value_start", "value_end", "headers_start", "headers_end",
)  # fmt: skip
"""What ``frame_whole`` finds of each record: offset and time from those of the batch, and where its parts lie."""


@inner
def _number(data: Bytes, at: int, end: int) -> tuple[Any, int]:
    """Return a number of varying length (zigzag), and the place after it."""
    raw, shift = _U64(0), 0
    while at < end and shift <= _MAX_SHIFT:
        byte = data[at]
        at += 1
        raw |= _U64(byte & (_MORE - 1)) << _U64(shift)
        if byte < _MORE:
            return np.int64(raw >> _ONE) ^ -np.int64(raw & _ONE), at
        shift += 7
    return 0, BAD


@inner
def _blob(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where a blob begins, -1 for one that is null, and the place after it."""
    length, at = _number(data, at, end)
    if at < 0 or length > end - at:
        return -1, BAD
    return (at, at + length) if length >= 0 else (-1, at)


@inner
def _skip_headers(data: Bytes, at: int, end: int) -> int:
    headers, at = _number(data, at, end)
    for _ in range(headers):
        begin, at = _blob(data, at, end) if at >= 0 else (-1, BAD)
        if begin < 0:  # the name of a header is never null
            return BAD
        _, at = _blob(data, at, end)
    return at if headers >= 0 else BAD


@compiled
def frame(
    data: Bytes,
    at: int,
    end: int,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    offsets: NDArray[np.int64],
) -> bool:
    """Find the values of a batch's records; nothing outside the records is read.

    Args:
        data: A buffer with the records in it.
        at: Where the first record begins, after the batch's header.
        end: Where the last record ends.
        starts: Set to where each value begins; its length is the number of records.
        ends: Set to where each value ends; a null value is empty.
        offsets: Set to each record's offset in the batch.

    Returns:
        Whether the records are well formed and as many as expected; otherwise the arrays hold nothing of use.
    """
    for record in range(len(starts)):
        length, at = _number(data, at, end)
        if at < 0 or length < 1 or length > end - at:
            return False
        stop = at + length
        if data[at]:  # attributes: none in this format
            return False
        _, at = _number(data, at + 1, stop)  # the time
        if at < 0:
            return False
        offsets[record], at = _number(data, at, stop)
        if at < 0:
            return False
        _, at = _blob(data, at, stop)
        if at < 0:
            return False
        begin, after = _blob(data, at, stop)
        if after < 0:
            return False
        starts[record] = begin if begin >= 0 else after
        ends[record] = after
        if _skip_headers(data, after, stop) != stop:
            return False
        at = stop
    return bool(at == end)


@compiled
def frame_whole(data: Bytes, at: int, end: int, fields: NDArray[np.int64]) -> bool:
    """Find everything in a batch's records; nothing outside the records is read.

    Args:
        data: A buffer with the records in it.
        at: Where the first record begins, after the batch's header.
        end: Where the last record ends.
        fields: Set to a row for each of ``FIELDS`` and a column for each record. A null key or value begins at -1; the
            headers are their count and what follows it.

    Returns:
        As ``frame``.
    """
    for record in range(fields.shape[1]):
        length, at = _number(data, at, end)
        if at < 0 or length < 1 or length > end - at:
            return False
        stop = at + length
        if data[at]:  # attributes: none in this format
            return False
        fields[1, record], at = _number(data, at + 1, stop)
        if at < 0:
            return False
        fields[0, record], at = _number(data, at, stop)
        if at < 0:
            return False
        fields[2, record], at = _blob(data, at, stop)
        if at < 0:
            return False
        fields[3, record] = at
        fields[4, record], at = _blob(data, at, stop)
        if at < 0:
            return False
        fields[5, record] = fields[6, record] = at
        if _skip_headers(data, at, stop) != stop:
            return False
        fields[7, record] = at = stop
    return bool(at == end)


@compiled
def count_headers(data: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Set ``counts`` to how many headers each record has; they are known to be well formed."""
    for record in range(len(starts)):
        counts[record], _ = _number(data, starts[record], ends[record])


@compiled
def find_headers(data: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], fields: NDArray[np.int64]) -> None:
    """Find the names and values of headers that are known to be well formed.

    Args:
        data: A buffer with the headers in it.
        starts: Where each record's headers begin.
        ends: Where they end.
        fields: Set to a column for each header: where its name begins and ends, and where its value begins, -1 for one
            that is null, and ends.
    """
    header = 0
    for record in range(len(starts)):
        count, at = _number(data, starts[record], ends[record])
        for _ in range(count):
            fields[0, header], at = _blob(data, at, ends[record])
            fields[1, header] = at
            fields[2, header], at = _blob(data, at, ends[record])
            fields[3, header] = at
            header += 1
