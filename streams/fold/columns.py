"""Chunks of records as columns: what a fold takes.

A chunk is what one fetch brought of one partition. Decoding it gives columns of valid events (numpy arrays of one
length, in the order of the records), the marks, and the records that are not events of this run, each with its reason.
The meaning of a record is that of ``streams.contract.events.decode_presence`` and ``decode_tweet``; the fast way
(``streams.fold.canonical``) takes only what means the same there, so one odd record costs its own time and no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from streams.contract.events import (
    GAVE_UP,
    OUT_OF_RANGE,
    REJOIN_WITHIN_MS,
    Mark,
    Presence,
    PresenceKind,
    decode_presence,
)
from streams.contract.runinfo import RunInfo
from streams.errors import DecodeError
from streams.fold import cells
from streams.fold.canonical import Bools, Ints, PresenceScanner
from streams.fold.packed import Packed

SCAN_FROM = 400
"""Below this many records decoding one by one is faster than setting up the scan (see docs/performance.md)."""


class Bad(NamedTuple):
    """A record that is put aside."""

    row: int
    """Its place in the chunk."""
    reason: str
    """One of ``streams.contract.events.REASONS``."""
    detail: str


class Columns(Protocol):
    """What the columns of both topics have in common."""

    event_id: Ints
    at: Ints
    person: Ints

    def __len__(self) -> int:
        """Return the number of events."""
        ...


@dataclass(slots=True)
class PresenceColumns:
    """Events of ``space.presence``."""

    event_id: Ints
    at: Ints
    person: Ints
    space: NDArray[np.int16]
    """Index into run.info's ``spaces``."""
    cell: NDArray[np.uint8]
    """What the event counts as (``streams.fold.cells``)."""

    def __len__(self) -> int:
        return len(self.event_id)

    def where(self, rows: Bools) -> "PresenceColumns":
        """Return some of the events."""
        return PresenceColumns(self.event_id[rows], self.at[rows], self.person[rows], self.space[rows], self.cell[rows])


_C = TypeVar("_C")


@dataclass(slots=True)
class Decoded(Generic[_C]):
    """A decoded chunk."""

    columns: _C
    marks: list[Mark] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)


_CELLS = {
    PresenceKind.ATTEMPT: cells.ATTEMPT,
    PresenceKind.JOIN: cells.JOIN,
    PresenceKind.FAIL: cells.FAIL,
    PresenceKind.LEAVE: cells.LEAVE,
    PresenceKind.DROP: cells.DROP,
}


def cell_of(event: Presence) -> int:
    """Return what one presence event counts as."""
    if event.kind is PresenceKind.ATTEMPT and event.try_ == 1:
        return cells.FIRST_ATTEMPT
    if event.kind is PresenceKind.LEAVE and event.reason == GAVE_UP:
        return cells.GIVE_UP
    if event.kind is PresenceKind.JOIN and event.since_drop_ms is not None:
        return cells.REJOIN if event.since_drop_ms <= REJOIN_WITHIN_MS else cells.JOIN
    return _CELLS[event.kind]


class PresenceDecoder:
    """Decodes chunks of ``space.presence`` of one run.

    Args:
        info: The run.
        scan_from: Chunks of fewer records are decoded one by one.
    """

    def __init__(self, info: RunInfo, *, scan_from: int = SCAN_FROM) -> None:
        self._info = info
        self._scan_from = scan_from
        self._range = Range(info)
        self._spaces = {name: code for code, name in enumerate(info.spaces)}
        self._scanner = PresenceScanner(info.spaces)

    def decode(self, values: Sequence[bytes | None]) -> Decoded[PresenceColumns]:
        """Decode the values of a chunk; never raises for what they hold."""
        raws = values if isinstance(values, Packed) else _without_none(values)
        if len(raws) < self._scan_from:
            return self._one_by_one(raws)
        if isinstance(raws, Packed):
            found = self._scanner.scan_buffer(raws.data, raws.starts, raws.ends)
        else:
            found = self._scanner.scan(raws)
        columns = PresenceColumns(found.event_id, found.at, found.person, found.space, found.cell)
        ok = found.ok
        decoded = Decoded(columns)
        if not ok.all():
            self._fill(decoded, np.flatnonzero(~ok).tolist(), raws, ok)
        return self._checked(decoded, ok)

    def _one_by_one(self, raws: Sequence[bytes]) -> Decoded[PresenceColumns]:
        size = len(raws)
        decoded = Decoded(
            PresenceColumns(
                np.zeros(size, np.int64),
                np.zeros(size, np.int64),
                np.zeros(size, np.int64),
                np.zeros(size, np.int16),
                np.zeros(size, np.uint8),
            )
        )
        ok = np.zeros(size, np.bool_)
        self._fill(decoded, range(size), raws, ok)
        return self._checked(decoded, ok)

    def _fill(self, decoded: Decoded[PresenceColumns], rows: Sequence[int], raws: Sequence[bytes], ok: Bools) -> None:
        """Decode some rows one by one into the columns."""
        read: list[tuple[int, int, int, int, int, int]] = []
        unknown = -1
        for row in rows:
            try:
                event = decode_presence(raws[row])
            except DecodeError as error:
                decoded.bad.append(Bad(row, error.reason, error.detail))
                continue
            if isinstance(event, Mark):
                take_mark(decoded, row, event, self._info)
                continue
            space = self._spaces.get(event.space, unknown)
            read.append((row, event.event_id, event.at, event.listener, space, cell_of(event)))
        if read:
            table = np.array(read, np.int64)
            into, columns = table[:, 0], decoded.columns
            columns.event_id[into], columns.at[into], columns.person[into] = table[:, 1], table[:, 2], table[:, 3]
            columns.space[into], columns.cell[into] = table[:, 4], table[:, 5]
            ok[into] = True

    def _checked(self, decoded: Decoded[PresenceColumns], ok: Bools) -> Decoded[PresenceColumns]:
        columns = decoded.columns
        inside = self._range.inside(columns) & (columns.space >= 0)
        for row in np.flatnonzero(ok & ~inside).tolist():
            known = columns.space[row] >= 0
            detail = self._range.explain(columns, row) if known else f"space: expected one of {list(self._spaces)}"
            decoded.bad.append(Bad(row, OUT_OF_RANGE, detail))
        keep = ok & inside
        if not keep.all():
            decoded.columns = columns.where(keep)
        return decoded


def _without_none(values: Sequence[bytes | None]) -> Sequence[bytes]:
    return [raw if raw is not None else b"" for raw in values]


class Range:
    """What run.info announced: an event beyond it is not an event of this run."""

    def __init__(self, info: RunInfo) -> None:
        self._info = info

    def inside(self, columns: Columns) -> Bools:
        """Return which events lie inside."""
        info = self._info
        inside: Bools = (columns.event_id < info.events) & (columns.person < info.people)
        inside &= (columns.at >= info.start) & (columns.at <= info.end)
        return inside

    def explain(self, columns: Columns, row: int) -> str:
        """Say which field of an event that is not inside is to blame."""
        info = self._info
        if columns.event_id[row] >= info.events:
            return f"event_id: expected 0 to {info.events - 1}, found {columns.event_id[row]}"
        if columns.person[row] >= info.people:
            return f"person: expected 0 to {info.people - 1}, found {columns.person[row]}"
        return f"at: expected {info.start} to {info.end}, found {columns.at[row]}"


def take_mark(decoded: Decoded[_C], row: int, mark: Mark, info: RunInfo) -> None:
    """Keep a mark of this run; one of another run is no record of ours."""
    if mark.run == info.run:
        decoded.marks.append(mark)
    else:
        decoded.bad.append(Bad(row, OUT_OF_RANGE, f"run: expected {info.run!r}, found {mark.run!r}"))
