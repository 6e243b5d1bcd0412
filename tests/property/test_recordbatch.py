"""Batches written from columns are the batches aiokafka's own builder writes."""

import numpy as np
import pyarrow as pa
import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.compose.lanes import Lane
from producers.senders.recordbatch import pack
from streams.kafka.packedbatch import ClosedBatch
from streams.kernels import jit

values = st.binary(max_size=100) | st.sampled_from([b"x" * size for size in (63, 64, 8_190, 8_191, 8_192)])
records = st.tuples(st.integers(0, 1 << 45), st.none() | st.binary(max_size=20), values)


def lane(rows: list[tuple[int, bytes | None, bytes]]) -> Lane:
    """Return a lane of these records."""
    at = np.array([row[0] for row in rows], dtype=np.int64)
    keys, values = pa.array([row[1] for row in rows], pa.binary()), pa.array([row[2] for row in rows], pa.binary())
    return Lane("t", 0, at, at, np.arange(len(rows)), keys, values)


@pytest.mark.parametrize("compiled", [True, False])
@settings(max_examples=50)
@given(st.lists(records, min_size=1, max_size=20), st.integers(-1, 1 << 40), st.integers(0, 5))
def test_packed_batches_equal_aiokafkas(
    compiled: bool, rows: list[tuple[int, bytes | None, bytes]], producer: int, begin: int
) -> None:
    """Any keys (or none), values, times in any order: the same bytes, with the idempotent producer's state in them."""
    rows = rows[begin:] or rows
    theirs = BatchBuilder(1 << 30, 0)
    for at, key, value in rows:
        theirs.append(timestamp=at, key=key, value=value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jit, "COMPILED", compiled)
        packed = pack(lane([*rows[:1], *rows]).part(1, len(rows) + 1))
    ours = ClosedBatch(packed)
    assert ours.record_count() == theirs.record_count()
    for batch in (theirs, ours):
        batch._set_producer_state(producer, 3, 17)
    assert bytes(ours._build()) == bytes(theirs._build())
    assert ours.closed()
