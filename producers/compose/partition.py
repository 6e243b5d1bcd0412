"""The partition of a person's events: Kafka's default partitioner, for many people at once."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Hashes: TypeAlias = npt.NDArray[np.uint32]

_SEED = np.uint32(0x9747B28C)
_M = np.uint32(0x5BD1E995)
_WORD = 4
_MAX_DIGITS = 16
"""Ids stay below 2**53."""
_CHUNK = 1 << 16
"""People hashed at a time, to keep the working arrays small."""


def partition_table(people: int, partitions: int) -> npt.NDArray[np.int16]:
    """Return the partition of every person 0 … people-1, as the default partitioners of Java and kafka-python choose.

    The key of a person is their id in ASCII decimal digits.
    """
    table = np.empty(people, dtype=np.int16)
    for begin in range(0, people, _CHUNK):
        hashes = murmur2_of_digits(np.arange(begin, min(begin + _CHUNK, people), dtype=np.int64))
        table[begin : begin + _CHUNK] = (hashes & np.uint32(0x7FFFFFFF)) % np.uint32(partitions)
    return table


def murmur2_of_digits(ids: Ints) -> Hashes:
    """Return Kafka's murmur2 hash of each id's decimal digits, as unsigned 32-bit numbers."""
    hashes = np.empty(len(ids), dtype=np.uint32)
    below = 0
    for length in range(1, _MAX_DIGITS + 1):
        here = (ids >= below) & (ids < 10**length)
        if here.any():
            hashes[here] = _murmur2(_digits(ids[here], length))
        below = 10**length
    return hashes


def _digits(ids: Ints, length: int) -> Hashes:
    """Return a matrix of ASCII codes: one row per digit place, first digit first."""
    powers = 10 ** np.arange(length - 1, -1, -1, dtype=np.int64)
    return (ids // powers[:, None] % 10 + ord("0")).astype(np.uint32)


def _murmur2(rows: Hashes) -> Hashes:
    length = len(rows)
    result = np.full(rows.shape[1], _SEED ^ np.uint32(length), dtype=np.uint32)
    whole = length - length % _WORD
    for begin in range(0, whole, _WORD):
        word = _little_endian(rows[begin : begin + _WORD]) * _M
        result = (result * _M) ^ ((word ^ (word >> np.uint32(24))) * _M)
    if whole < length:
        result = (result ^ _little_endian(rows[whole:])) * _M
    result = (result ^ (result >> np.uint32(13))) * _M
    return result ^ (result >> np.uint32(15))


def _little_endian(rows: Hashes) -> Hashes:
    word = np.zeros(rows.shape[1], dtype=np.uint32)
    for place, row in enumerate(rows):
        word |= row << np.uint32(8 * place)
    return word
