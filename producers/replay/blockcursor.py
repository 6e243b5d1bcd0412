"""How far the records of one block have been handed over, lane by lane."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from producers.compose.composer import Block
from producers.compose.lanes import MARK_ROW, Ints, Lane

_GREATEST: Final = int(np.iinfo(np.int64).max)


class BlockCursor:
    """The place in every lane of a block before which all records have been taken.

    Args:
        block: The block; nothing of it has been taken.
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        self._places = [0] * len(block.lanes)

    def next_due(self) -> int | None:
        """Return the event time at which the next record is due, None if all have been taken."""
        lanes = zip(self.block.lanes, self._places, strict=True)
        return min((int(lane.due[place]) for lane, place in lanes if place < len(lane)), default=None)

    def take(self, horizon: float, portion: int) -> Iterator[Lane]:
        """Take the records of every lane that are due at ``horizon``, at most ``portion`` of each."""
        last = math.floor(min(horizon, _GREATEST))  # an integer: a float would have numpy convert the whole lane
        for number, lane in enumerate(self.block.lanes):
            begin = self._places[number]
            end = min(begin + int(np.searchsorted(lane.due[begin:], last, side="right")), begin + portion)
            if end > begin:
                self._places[number] = end
                yield lane.part(begin, end)

    def complete_row(self) -> int:
        """Return the row of the tape before which everything has been taken."""
        lanes = zip(self.block.lanes, self._places, strict=True)
        return min(self.block.low_row, *(_least(lane.rows[place:]) for lane, place in lanes))


def _least(rows: Ints) -> int:
    real = rows[rows != MARK_ROW]
    return int(real.min()) if len(real) else _GREATEST
