"""Chunks of records as columns: what a fold takes.

A chunk is neighbouring records of one partition. Decoding it gives columns with a row per record, the marks, and the
records that are no events of this run, each with its reason. Kernels fill the rows; what they do not take is decoded
by the codec, record by record, and means the same: ``streams.contract.events`` is the law.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np

from streams.contract.breakdowns import CAUSES, CLIENTS
from streams.contract.events import (
    GAVE_UP,
    OUT_OF_RANGE,
    REJOIN_WITHIN_MS,
    Mark,
    Presence,
    PresenceKind,
    Tweet,
    decode_presence,
)
from streams.contract.runinfo import RunInfo
from streams.errors import DecodeError
from streams.kernels import cells
from streams.kernels.jit import COMPILED
from streams.kernels.limits import limits_of
from streams.kernels.packed import Packed, packed
from streams.kernels.presence import FIELDS, PresenceOut, presence_texts
from streams.kernels.presence import decode_presence as decode_all
from streams.kernels.record import SCRATCH
from streams.kernels.table import Numbering
from streams.kernels.tweets import TweetOut

_CELLS = {
    PresenceKind.ATTEMPT: cells.ATTEMPT,
    PresenceKind.JOIN: cells.JOIN,
    PresenceKind.FAIL: cells.FAIL,
    PresenceKind.LEAVE: cells.LEAVE,
    PresenceKind.DROP: cells.DROP,
}
_CLIENTS: Final = {client: place for place, client in enumerate(CLIENTS)}
_CAUSES: Final[dict[str | None, int]] = {cause: place for place, cause in enumerate(CAUSES)}
_Out = TypeVar("_Out", PresenceOut, TweetOut)


class Bad(NamedTuple):
    """A record that is put aside."""

    row: int
    """Its place in the chunk."""
    reason: str
    """One of ``streams.contract.events.REASONS``."""
    detail: str


@dataclass(slots=True)
class Decoded(Generic[_Out]):
    """A decoded chunk."""

    columns: _Out
    """A row per record; only rows that are ``ok`` hold an event."""
    tags: Numbering = field(default_factory=Numbering)
    """The hashtags by the numbers that the columns have."""
    marks: list[Mark] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)


class Decoder(ABC, Generic[_Out]):
    """Decodes the chunks of one topic of one run.

    Args:
        info: The run.
        kernels: Whether to use the kernels; without them the codec decodes every record.
    """

    def __init__(self, info: RunInfo, *, kernels: bool) -> None:
        self._info = info
        self._kernels = kernels
        self._limits = limits_of(info)
        self._known_spaces = frozenset(info.spaces)
        self._scratch = np.zeros(SCRATCH, np.uint8)

    def decode(self, values: Sequence[bytes | None]) -> Decoded[_Out]:
        """Decode the values of a chunk; never raises for what they hold."""
        raws = packed(values)
        decoded = self._room(len(raws))
        if not self._kernels or self._fill(raws, decoded.columns):
            for row in np.flatnonzero(~decoded.columns.ok).tolist():
                self._decode_one(decoded, row, raws[row])
        return decoded

    def _decode_one(self, decoded: Decoded[_Out], row: int, raw: bytes) -> None:
        try:
            event = self._codec(raw)
        except DecodeError as error:
            decoded.bad.append(Bad(row, error.reason, error.detail))
            return
        problem = self._problem(event)
        if problem is not None:
            decoded.bad.append(Bad(row, OUT_OF_RANGE, problem))
        elif isinstance(event, Mark):
            decoded.marks.append(event)
        else:
            self._put(decoded, row, event)
            decoded.columns.ok[row] = True

    def _problem(self, event: Presence | Tweet | Mark) -> str | None:
        """Return why a record is none of this run, None if it is."""
        info = self._info
        if isinstance(event, Mark):
            return None if event.run == info.run else f"run: expected {info.run!r}, found {event.run!r}"
        person = event.listener if isinstance(event, Presence) else event.author
        if event.event_id >= info.events:
            return f"event_id: expected 0 to {info.events - 1}, found {event.event_id}"
        if person >= info.people:
            return f"person: expected 0 to {info.people - 1}, found {person}"
        if not info.start <= event.at <= info.end:
            return f"at: expected {info.start} to {info.end}, found {event.at}"
        if isinstance(event, Presence) and event.space not in self._known_spaces:
            return f"space: expected one of {list(info.spaces)}"
        return None

    @abstractmethod
    def _room(self, records: int) -> Decoded[_Out]:
        """Return columns for so many records, none of them filled."""

    @abstractmethod
    def _fill(self, raws: Packed, out: _Out) -> int:
        """Have a kernel fill the columns; return how many rows it did not fill."""

    @abstractmethod
    def _codec(self, raw: bytes) -> Presence | Tweet | Mark:
        """Decode one record by the contract."""

    @abstractmethod
    def _put(self, decoded: Decoded[_Out], row: int, event: Presence | Tweet) -> None:
        """Fill one row."""


def cell_of(event: Presence) -> int:
    """Return what one presence event counts as."""
    if event.kind is PresenceKind.ATTEMPT and event.try_ == 1:
        return cells.FIRST_ATTEMPT
    if event.kind is PresenceKind.LEAVE and event.reason == GAVE_UP:
        return cells.GIVE_UP
    if event.kind is PresenceKind.JOIN and event.since_drop_ms is not None:
        return cells.REJOIN if event.since_drop_ms <= REJOIN_WITHIN_MS else cells.JOIN
    return _CELLS[event.kind]


class PresenceDecoder(Decoder[PresenceOut]):
    """Decodes chunks of ``space.presence``."""

    def __init__(self, info: RunInfo, *, kernels: bool = COMPILED) -> None:
        super().__init__(info, kernels=kernels)
        self._spaces = {name: number for number, name in enumerate(info.spaces)}
        self._texts = presence_texts(info.spaces)
        self._found = np.zeros(FIELDS, np.int64)

    def _room(self, records: int) -> Decoded[PresenceOut]:
        out = PresenceOut(
            ok=np.zeros(records, np.bool_),
            event_id=np.empty(records, np.int64),
            at=np.empty(records, np.int64),
            person=np.empty(records, np.int64),
            space=np.empty(records, np.int32),
            cell=np.empty(records, np.uint8),
            since=np.empty(records, np.int64),
            client=np.empty(records, np.uint8),
            cause=np.empty(records, np.uint8),
        )
        return Decoded(out)

    def _fill(self, raws: Packed, out: PresenceOut) -> int:
        where = (raws.bytes(), raws.starts, raws.ends)
        return decode_all(*where, self._limits, self._texts, self._scratch, self._found, out)

    def _codec(self, raw: bytes) -> Presence | Mark:
        return decode_presence(raw)

    def _put(self, decoded: Decoded[PresenceOut], row: int, event: Presence | Tweet) -> None:
        assert isinstance(event, Presence)
        out = decoded.columns
        out.event_id[row], out.at[row], out.person[row] = event.event_id, event.at, event.listener
        out.space[row], out.cell[row] = self._spaces[event.space], cell_of(event)
        out.since[row] = -1 if event.since_drop_ms is None else event.since_drop_ms
        out.client[row] = _CLIENTS.get(event.client, len(CLIENTS))
        out.cause[row] = _CAUSES.get(event.reason, len(CAUSES))
