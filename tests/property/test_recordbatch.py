"""Batches written from columns are the batches aiokafka's own builder writes."""

import numpy as np
import pyarrow as pa
import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.compose.lanes import Lane
from producers.senders.recordbatch import pack
from streams.kafka.headers import encode
from streams.kafka.packedbatch import ClosedBatch
from streams.kernels import jit

values = st.binary(max_size=100) | st.sampled_from([b"x" * size for size in (63, 64, 8_190, 8_191, 8_192)])
headers = st.lists(st.tuples(st.text(max_size=70), st.none() | st.binary(max_size=70)), max_size=3)
records = st.tuples(
    st.integers(0, 1 << 45), st.none() | st.binary(max_size=20), st.none() | values, st.just([]) | headers
)
Row = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]


def lane(rows: list[Row]) -> Lane:
    """Return a lane of these records, without a column of headers if none has any."""
    at = np.array([row[0] for row in rows], dtype=np.int64)
    keys, values, encoded = (
        pa.array(column, pa.binary())
        for column in ([row[1] for row in rows], [row[2] for row in rows], [encode(row[3]) for row in rows])
    )
    return Lane("t", 0, at, at, np.arange(len(rows)), keys, values, encoded if any(row[3] for row in rows) else None)


@pytest.mark.parametrize("compiled", [True, False])
@settings(max_examples=50)
@given(st.lists(records, min_size=1, max_size=20), st.integers(-1, 1 << 40), st.integers(0, 5))
def test_packed_batches_equal_aiokafkas(compiled: bool, rows: list[Row], producer: int, begin: int) -> None:
    """Any keys, values (or none), headers, times in any order: the same bytes, with the producer's state in them."""
    rows = rows[begin:] or rows
    theirs = BatchBuilder(1 << 30, 0)
    for at, key, value, headers in rows:
        theirs.append(timestamp=at, key=key, value=value, headers=headers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jit, "COMPILED", compiled)
        packed = pack(lane([*rows[:1], *rows]).part(1, len(rows) + 1))
    ours = ClosedBatch(packed)
    assert ours.record_count() == theirs.record_count()
    for batch in (theirs, ours):
        batch._set_producer_state(producer, 3, 17)
    assert bytes(ours._build()) == bytes(theirs._build())
    assert ours.closed()
