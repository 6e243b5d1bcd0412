"""A block is taken lane by lane, no further than what is due."""

import math

import numpy as np
import pyarrow as pa

from producers.compose.composer import Block
from producers.compose.lanes import MARK_ROW, Lane
from producers.replay.blockcursor import BlockCursor


def lane(partition: int, due: list[int], rows: list[int]) -> Lane:
    """Return a lane whose records leave at these times."""
    bytes_of_each = pa.array([b"{}"] * len(due), pa.binary())
    times = np.array(due, np.int64)
    return Lane("topic", partition, times, times, np.array(rows, np.int64), bytes_of_each, bytes_of_each)


def test_records_are_taken_when_they_are_due() -> None:
    """At most a portion of each lane at a time; the next one due and the first row not taken follow."""
    cursor = BlockCursor(Block((lane(0, [1, 2, 9], [4, 6, 8]), lane(1, [2, 3], [MARK_ROW, 7])), until=9, low_row=9))
    assert (cursor.next_due(), cursor.complete_row()) == (1, 4)
    assert [(part.partition, part.due.tolist()) for part in cursor.take(2.5, 1)] == [(0, [1]), (1, [2])]
    assert (cursor.next_due(), cursor.complete_row()) == (2, 6)
    assert [(part.partition, part.due.tolist()) for part in cursor.take(8, 5)] == [(0, [2]), (1, [3])]
    assert (cursor.next_due(), cursor.complete_row()) == (9, 8)
    assert list(cursor.take(8, 5)) == []
    assert [part.due.tolist() for part in cursor.take(math.inf, 5)] == [[9]]
    assert (cursor.next_due(), cursor.complete_row()) == (None, 9)
