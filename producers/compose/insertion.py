"""Values put between those of a binary column; what the column has is copied once, in long pieces."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from producers.compose.binarycolumn import Bytes, bytes_of, offsets_of

Ints: TypeAlias = npt.NDArray[np.int64]


def inserted(column: pa.BinaryArray, places: Ints, others: pa.BinaryArray) -> pa.BinaryArray:
    """Return the column with another value before each of these places.

    Args:
        column: Values, or nulls.
        places: Indices into the column, ascending; its length stands for its end.
        others: As many values, or nulls, as there are places.
    """
    begins, data = offsets_of(column), bytes_of(column)
    other_begins = offsets_of(others)
    ends = np.zeros(len(column) + len(others) + 1, np.int32)
    ends[1:] = np.cumsum(np.insert(np.diff(begins), places, np.diff(other_begins)))
    if other_begins[-1] > other_begins[0]:
        cuts = begins[places].astype(np.int64)
        data = _woven(data, cuts, bytes_of(others), other_begins.astype(np.int64), int(begins[0]), int(begins[-1]))
    else:
        data = data[begins[0] : begins[-1]]
    bits = None
    if column.null_count or others.null_count:
        valid = np.insert(_valid(column), places, _valid(others))
        bits = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.BinaryArray.from_buffers(pa.binary(), len(ends) - 1, [bits, pa.py_buffer(ends), pa.py_buffer(data)])


def _woven(data: Bytes, cuts: Ints, others: Bytes, ends: Ints, begin: int, end: int) -> Bytes:
    """Return the bytes from ``begin`` to ``end`` with the next of the other values at each cut."""
    # Kernels take half a second to load: only a process that sends waits for them.
    from streams.kernels import jit, spelling  # noqa: PLC0415

    if jit.COMPILED:
        out = np.empty(end - begin + ends[-1] - ends[0], np.uint8)
        spelling.weave(data, begin, cuts, end, others, ends, out)
        return out
    pieces = []
    for number, cut in enumerate(cuts.tolist()):
        pieces += [data[begin:cut], others[ends[number] : ends[number + 1]]]
        begin = cut
    return np.concatenate([*pieces, data[begin:end]])


def _valid(column: pa.BinaryArray) -> npt.NDArray[np.bool_]:
    valid: npt.NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return valid
