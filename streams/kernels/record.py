"""One JSON object with known fields, read into a row of numbers."""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import inner, seldom
from streams.kernels.json import closed, integer, member, null, opened, skip
from streams.kernels.strings import string
from streams.kernels.table import Table, find
from streams.kernels.words import BAD, Bytes

Ints: TypeAlias = NDArray[np.int64]

NUMBER, LOOKED_UP, STRING, SPECIAL = range(4)
"""What a field holds: a whole number; a string that is looked up in the table of texts; one that is passed over; what
the record's own function reads."""
ABSENT: Final = -1
NULL: Final = -2
OTHER: Final = 1 << 40
"""A string that the table of texts does not have."""
LARGEST: Final = (1 << 53) - 1
"""The largest number the contract takes."""
SCRATCH: Final = 1 << 16
"""Room for the characters of a string with escapes; a longer one is left to the codec."""
_N: Final = ord("n")


@seldom
def _find_copied(texts: Table, scratch: Bytes, stop: int) -> Any:
    return find(texts, scratch, 0, stop, len(scratch))


@inner
def looked_up(data: Bytes, at: int, end: int, texts: Table, scratch: Bytes) -> tuple[int, int]:
    """Return the number of a string, ``OTHER`` if it has none, and the place after it."""
    escaped, start, stop, after = string(data, at, end, scratch)
    if after < 0:
        return 0, BAD
    if escaped:
        number = _find_copied(texts, scratch, stop)
    else:
        number = find(texts, data, start, stop, end)
    return number if number >= 0 else OTHER, after


@inner
def read(
    data: Bytes,
    at: int,
    end: int,
    known: NDArray[np.uint64],
    holds: Ints,
    texts: Table,
    scratch: Bytes,
    found: Ints,
    special: Any,
    context: Any,
) -> bool:
    """Read a record; return False where the codec has to, for whatever reason.

    Args:
        data: The buffer.
        at: Where the record begins.
        end: Where it ends; nothing from there on is read.
        known: The names of its fields (``streams.kernels.json.names``).
        holds: What each field holds: ``NUMBER``, ``LOOKED_UP``, ``STRING`` or ``SPECIAL``.
        texts: The table for strings that are looked up.
        scratch: ``SCRATCH`` bytes.
        found: Set to each field's value: a number, the number of a text, or 0 for a string that is passed over;
            ``ABSENT`` or ``NULL``.
        special: Called with data, place, end, field, scratch and ``context``; returns a value and the place after it.
        context: What ``special`` needs.
    """
    for field in range(len(known)):
        found[field] = ABSENT
    at = opened(data, at, end)
    field, over = -1, False
    while not over:
        if at < 0:
            return False
        field, at = member(data, at, end, known, field + 1)
        if at < 0 or at >= end:
            return False
        if field < 0:
            at = skip(data, at, end, scratch)
        elif found[field] != ABSENT:
            return False  # twice: the last one counts
        elif data[at] == _N:
            found[field], at = NULL, null(data, at, end)
        elif holds[field] == NUMBER:
            found[field], at = integer(data, at, end)
        elif holds[field] == LOOKED_UP:
            found[field], at = looked_up(data, at, end, texts, scratch)
        elif holds[field] == STRING:
            found[field], at = 0, string(data, at, end, scratch)[3]
        else:
            found[field], at = special(data, at, end, field, scratch, context)
        over, at = closed(data, at, end) if at >= 0 else (False, BAD)
    return True
