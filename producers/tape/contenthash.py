"""The tape's content hash: over values, not file bytes, so it does not depend on library versions or dictionary order.

Per block of ``BLOCK_ROWS`` rows: the row count (u32), then each column in schema order: its count of nulls (u32); where
some but not all rows are null, one validity bit per row (least significant bit first); then the valid values only.
Integers are little endian at their column's width, booleans one byte, strings their byte lengths (u32 each) and then
their UTF-8 bytes, lists their lengths (u32 each) and then their strings. A dictionary column gives the distinct values
that occur, sorted, as strings, and then one byte per row: the rank of its value among them; two bytes where more than
256 values occur.
"""

import hashlib
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from producers.tape.tapeformat import BLOCK_ROWS, SCHEMA, TapeInfo

_BYTE = 256


class ContentHash:
    """SHA-256 of a tape's content, fed one block at a time."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def block(self, batch: pa.RecordBatch) -> None:
        """Add one block: ``BLOCK_ROWS`` rows of ``SCHEMA``; the last block may have fewer."""
        if batch.num_rows > BLOCK_ROWS:
            raise ValueError(f"a block holds at most {BLOCK_ROWS} rows, got {batch.num_rows}")
        self._numbers([batch.num_rows])
        for field in SCHEMA:
            self._column(batch.column(field.name))

    def hexdigest(self, info: TapeInfo) -> str:
        """Return the hash of the blocks so far and of ``info``, less what ``TapeInfo`` says is left out."""
        fields = msgspec.to_builtins(info)
        left_out = {"sha256", "generator", "capacity"} | ({"zone"} if info.zone is None else set())
        hashed = {name: fields[name] for name in fields if name not in left_out}
        sha = self._sha.copy()
        sha.update(msgspec.json.encode(hashed, order="deterministic"))
        return sha.hexdigest()

    def _column(self, column: pa.Array) -> None:
        nulls = column.null_count
        self._numbers([nulls])
        if nulls == len(column):
            return
        if nulls:
            valid = column.is_valid().to_numpy(zero_copy_only=False)
            self._sha.update(np.packbits(valid, bitorder="little").data)
            column = column.drop_null()
        if pa.types.is_dictionary(column.type):
            self._dictionary(column)
        elif pa.types.is_list(column.type):
            self._numbers(pc.list_value_length(column))
            self._strings(column.flatten())
        elif pa.types.is_string(column.type):
            self._strings(column)
        elif pa.types.is_boolean(column.type):
            self._sha.update(column.to_numpy(zero_copy_only=False).astype(np.uint8).data)
        else:
            values = column.to_numpy(zero_copy_only=False)
            self._sha.update(np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).data)

    def _dictionary(self, column: pa.DictionaryArray) -> None:
        indices = column.indices.to_numpy(zero_copy_only=False)
        values = column.dictionary.to_pylist()
        present = sorted({values[index] for index in np.flatnonzero(np.bincount(indices))})
        rank_of = {value: rank for rank, value in enumerate(present)}
        width = np.dtype(np.uint8) if len(present) <= _BYTE else np.dtype("<u2")
        ranks = np.array([rank_of.get(value, 0) for value in values], dtype=width)
        self._strings(pa.array(present, pa.string()))
        self._sha.update(ranks[indices].data)

    def _strings(self, column: pa.StringArray) -> None:
        self._numbers(pc.binary_length(column))
        offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)[column.offset : column.offset + len(column) + 1]
        data = column.buffers()[2]
        if len(column) and data is not None:
            self._sha.update(memoryview(data)[int(offsets[0]) : int(offsets[-1])])

    def _numbers(self, values: Any) -> None:
        numbers: npt.NDArray[np.uint32] = np.asarray(values).astype("<u4")
        self._sha.update(np.ascontiguousarray(numbers).data)
