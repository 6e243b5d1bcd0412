"""A lane: the records of one partition of one topic as columns, in the order in which they leave."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from producers.compose.insertion import inserted
from streams.kafka.headers import NONE

Ints: TypeAlias = npt.NDArray[np.int64]

MARK_ROW = -1
"""In place of the tape's row, in records that are marks."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Records of one partition; every column has one entry per record."""

    topic: str
    """Full topic name."""
    partition: int
    due: Ints
    """Event time at which the record leaves, ascending; later than ``at`` if a fault holds it back."""
    at: Ints
    """Event time: the Kafka timestamp, ms since the epoch."""
    rows: Ints
    """The tape's row the record comes from, ``MARK_ROW`` for a mark."""
    keys: pa.BinaryArray
    """Null for a mark; a key of a foreign record may be null, too, as may a value."""
    values: pa.BinaryArray
    headers: pa.BinaryArray | None = None
    """As ``streams.kafka.headers`` encodes them; None where no record has any."""

    def __len__(self) -> int:
        return len(self.due)

    def part(self, begin: int, end: int) -> "Lane":
        """Return the records from ``begin`` to before ``end``; nothing is copied."""
        length = end - begin
        return Lane(
            self.topic, self.partition, self.due[begin:end], self.at[begin:end], self.rows[begin:end],
            self.keys.slice(begin, length), self.values.slice(begin, length),
            None if self.headers is None else self.headers.slice(begin, length),
        )  # fmt: skip

    def select(self, order: Ints) -> "Lane":
        """Return the records with these indices, in this order."""
        places = pa.array(order)
        return Lane(
            self.topic, self.partition, self.due[order], self.at[order], self.rows[order],
            self.keys.take(places), self.values.take(places),
            None if self.headers is None else self.headers.take(places),
        )  # fmt: skip

    def in_order(self) -> "Lane":
        """Return the records in the order in which they leave."""
        if np.all(self.due[1:] >= self.due[:-1]):
            return self
        return self.select(np.argsort(self.due, kind="stable"))

    def merged(self, marks: "Lane") -> "Lane":
        """Return the records and marks in order; a mark comes before records due at the same moment."""
        if not len(marks):
            return self
        places = np.searchsorted(self.due, marks.due, side="left")
        headers = None
        if self.headers is not None or marks.headers is not None:
            headers = inserted(_headers(self), places, _headers(marks))
        return Lane(
            self.topic, self.partition, np.insert(self.due, places, marks.due), np.insert(self.at, places, marks.at),
            np.insert(self.rows, places, marks.rows), inserted(self.keys, places, marks.keys),
            inserted(self.values, places, marks.values), headers,
        )  # fmt: skip

    def split(self, until: int) -> tuple["Lane", "Lane"]:
        """Return the records due up to and at ``until``, and the rest."""
        cut = int(np.searchsorted(self.due, until, side="right"))
        return self.part(0, cut), self.part(cut, len(self))

    def records(self) -> int:
        """Return the number of records that are not marks."""
        return int(np.count_nonzero(self.rows != MARK_ROW))


def joined(lanes: list[Lane]) -> Lane:
    """Return lanes of one partition concatenated, under the first one's topic and partition."""
    first = lanes[0]
    lanes = [lane for lane in lanes if len(lane)]
    if len(lanes) <= 1:
        return lanes[0] if lanes else first
    return Lane(
        first.topic,
        first.partition,
        np.concatenate([lane.due for lane in lanes]),
        np.concatenate([lane.at for lane in lanes]),
        np.concatenate([lane.rows for lane in lanes]),
        pa.concat_arrays([lane.keys for lane in lanes]),
        pa.concat_arrays([lane.values for lane in lanes]),
        _joined_headers(lanes),
    )


def _joined_headers(lanes: list[Lane]) -> pa.BinaryArray | None:
    if all(lane.headers is None for lane in lanes):
        return None
    return pa.concat_arrays([_headers(lane) for lane in lanes])


def _headers(lane: Lane) -> pa.BinaryArray:
    return pa.repeat(pa.scalar(NONE), len(lane)) if lane.headers is None else lane.headers


def empty(topic: str, partition: int) -> Lane:
    """Return a lane without records."""
    none = np.empty(0, dtype=np.int64)
    return Lane(topic, partition, none, none, none, pa.array([], pa.binary()), pa.array([], pa.binary()))


def marks(topic: str, partition: int, due: Ints, at: Ints, values: pa.BinaryArray) -> Lane:
    """Return a lane of marks."""
    rows = np.full(len(at), MARK_ROW, dtype=np.int64)
    return Lane(topic, partition, due, at, rows, pa.nulls(len(at), pa.binary()), values)
