"""Puts each listener on a legal path (``streams.contract.events.Presence``); docs/importing.md has the rules.

A recording has less than a tape (often joins and leaves alone) and contradicts itself. What must have been is put in,
what cannot have been is left out and counted. A legal recording passes as it is.
"""

from array import array
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from producers.importing import problemlog as found
from producers.importing.fields import FILE, KIND, ORDER, PRESENCE_KINDS, ROW
from producers.importing.problemlog import ProblemLog
from streams.contract.events import GAVE_UP

ATTEMPT, JOIN, FAIL, LEAVE, DROP = range(len(PRESENCE_KINDS))
REASONS: Final = (None, GAVE_UP, "unanswered", "moved")
"""Reasons of events that were put in or set right."""
_OWN, _NONE, _GAVE_UP, _UNANSWERED, _MOVED = -1, 0, 1, 2, 3
_OUT, _ASKED, _WAITING = -1, -2, -3
"""Places of listeners in no room: not there, waiting for an answer, refused or dropped."""
NO_SPACE: Final = -1
"""The space of a leave or drop without one: from the room the listener is in."""


@dataclass
class RecordedColumns:
    """The recording in order of time, as columns of plain numbers.

    ``file`` and ``row`` are where an event stands in the recording. ``tries`` 0 and ``since_drop`` -1 stand for none;
    ``reason`` is 0 for none, 1 for ``gave_up``, 2 for another.
    """

    file: list[int]
    row: list[int]
    at: list[int]
    person: list[int]
    kind: list[int]
    space: list[int]
    tries: list[int]
    since_drop: list[int]
    reason: list[int]


def _numbers() -> "array[int]":
    return array("q")


@dataclass
class LegalColumns:
    """The legal paths as columns; ``source`` is the index of the recorded event that each one stems from."""

    source: "array[int]" = field(default_factory=_numbers)
    at: "array[int]" = field(default_factory=_numbers)
    kind: "array[int]" = field(default_factory=_numbers)
    space: "array[int]" = field(default_factory=_numbers)
    tries: "array[int]" = field(default_factory=_numbers)
    since_drop: "array[int]" = field(default_factory=_numbers)
    reason: "array[int]" = field(default_factory=_numbers)
    """Place in ``REASONS``, -1 for the recorded one."""


class PathWalk:
    """Walks through a recording once, in order of time, and keeps track of each listener.

    Args:
        recorded: The recording.
        names: Ids in the file, by dense id.
        problems: Takes in what does not fit.
        give_up_ms: Silence after which a waiting listener has given up; None: they wait on.
    """

    def __init__(
        self, recorded: RecordedColumns, names: pl.Series, problems: ProblemLog, give_up_ms: int | None
    ) -> None:
        self.legal = LegalColumns()
        self.put_in = [0] * len(PRESENCE_KINDS)
        """Events put in, by kind."""
        self._rec = recorded
        self._names = names
        self._problems = problems
        self._give_up_ms = give_up_ms
        self._asks = ATTEMPT in recorded.kind
        people = len(names)
        self._place = [_OUT] * people
        self._asked = [0] * people
        self._tries = [0] * people
        self._dropped = [-1] * people
        self._last = [0] * people
        """Index of the latest event kept: one that was left out is no sign of life."""

    def run(self) -> LegalColumns:
        """Return the legal paths of all listeners, in one order of time."""
        steps = (self._attempt, self._join, self._fail, self._leave, self._drop)
        for index, (person, kind) in enumerate(zip(self._rec.person, self._rec.kind, strict=True)):
            if self._give_up_ms is not None:
                self._give_up(person, self._rec.at[index])
            steps[kind](index, person)
        if self._give_up_ms is not None and self._rec.at:
            for person in range(len(self._place)):
                self._give_up(person, self._rec.at[-1])
        return self.legal

    def inside(self) -> int:
        """Return how many are in a room when the recording ends."""
        return sum(place >= 0 for place in self._place)

    def _attempt(self, index: int, person: int) -> None:
        space = self._rec.space[index]
        if self._place[person] == space:
            self._leave_out(found.KNOCKED_INSIDE, index)
            return
        self._depart(index, person)
        if self._place[person] == _ASKED:
            self._unanswered(index, person)
        self._ask(index, person, space)
        self._keep(index, person, ATTEMPT, space)

    def _join(self, index: int, person: int) -> None:
        space = self._rec.space[index]
        if self._place[person] == space:
            self._leave_out(found.JOINED_TWICE, index)
            return
        self._ensure_attempt(index, person, space)
        self._place[person] = space
        since = self._rec.at[index] - self._dropped[person] if self._dropped[person] >= 0 else -1
        if self._rec.since_drop[index] not in (-1, since):
            self._note(found.SINCE_DROP, index)
        self._keep(index, person, JOIN, space, since)

    def _fail(self, index: int, person: int) -> None:
        space = self._rec.space[index]
        if self._place[person] == space:
            self._leave_out(found.KNOCKED_INSIDE, index)
            return
        self._ensure_attempt(index, person, space)
        self._place[person] = _WAITING
        self._keep(index, person, FAIL, space)

    def _leave(self, index: int, person: int) -> None:
        place, space = self._place[person], self._rec.space[index]
        if place == _OUT:
            self._leave_out(found.LEFT_OUTSIDE, index)
            return
        if place >= 0 and space not in (NO_SPACE, place):
            self._leave_out(found.ELSEWHERE, index)
            return
        if self._rec.reason[index] == (1 if place >= 0 else 2):
            self._note(found.REASON, index)
        reason = _GAVE_UP if place < 0 else _NONE if self._rec.reason[index] == 1 else _OWN
        where = place if place >= 0 else self._asked[person] if space == NO_SPACE else space
        self._keep(index, person, LEAVE, where, reason=reason)
        self._end(person)

    def _drop(self, index: int, person: int) -> None:
        place, space = self._place[person], self._rec.space[index]
        if place < 0:
            self._leave_out(found.DROPPED_OUTSIDE, index)
            return
        if space not in (NO_SPACE, place):
            self._leave_out(found.ELSEWHERE, index)
            return
        self._place[person], self._dropped[person] = _WAITING, self._rec.at[index]
        self._keep(index, person, DROP, place)

    def _ensure_attempt(self, index: int, person: int, space: int) -> None:
        """Put in the attempt that an answer from a room must have had."""
        self._depart(index, person)
        if self._place[person] == _ASKED and self._asked[person] != space:
            self._unanswered(index, person)
        if self._place[person] != _ASKED:
            if self._asks:
                self._note(found.UNASKED, index)
            self._ask(index, person, space)
            self._put_in(index, person, ATTEMPT, space, _NONE)

    def _ask(self, index: int, person: int, space: int) -> None:
        given, before = self._rec.tries[index], self._tries[person]
        fits = given > before > 0 or (given == 1 and before == 0)
        self._tries[person] = given if fits else before + 1
        self._place[person], self._asked[person] = _ASKED, space

    def _depart(self, index: int, person: int) -> None:
        """Put in the leave of a listener who turns up in another room."""
        place = self._place[person]
        if place >= 0:
            self._note(found.MOVED, index)
            self._put_in(index, person, LEAVE, place, _MOVED)
            self._end(person)

    def _unanswered(self, index: int, person: int) -> None:
        self._note(found.UNANSWERED, index)
        self._put_in(index, person, FAIL, self._asked[person], _UNANSWERED)
        self._place[person] = _WAITING

    def _give_up(self, person: int, now: int) -> None:
        last = self._last[person]
        gone = self._rec.at[last] + (self._give_up_ms or 0)
        if self._place[person] in (_ASKED, _WAITING) and gone < now:
            self._put_in(last, person, LEAVE, self._asked[person], _GAVE_UP, gone)
            self._end(person)

    def _end(self, person: int) -> None:
        self._place[person], self._tries[person], self._dropped[person] = _OUT, 0, -1

    def _keep(self, index: int, person: int, kind: int, space: int, since: int = -1, *, reason: int = _OWN) -> None:
        if self._rec.tries[index] not in (0, self._tries[person]):
            self._note(found.TRY, index)
        self._last[person] = index
        self._emit(index, self._rec.at[index], kind, space, self._tries[person], since, reason)

    def _put_in(self, index: int, person: int, kind: int, space: int, reason: int, at: int | None = None) -> None:
        self.put_in[kind] += 1
        self._emit(index, self._rec.at[index] if at is None else at, kind, space, self._tries[person], -1, reason)

    def _emit(self, source: int, at: int, kind: int, space: int, tries: int, since: int, reason: int) -> None:
        legal = self.legal
        legal.source.append(source)
        legal.at.append(at)
        legal.kind.append(kind)
        legal.space.append(space)
        legal.tries.append(tries)
        legal.since_drop.append(since)
        legal.reason.append(reason)

    def _note(self, kind: str, index: int) -> None:
        self._problems.add(kind, self._example(index))

    def _leave_out(self, kind: str, index: int) -> None:
        self._problems.leave_out(kind, self._example(index), self._rec.file[index], self._rec.row[index])

    def _example(self, index: int) -> str:
        person = self._names[self._rec.person[index]]
        return f"row {self._rec.row[index]}, {person!r} {PRESENCE_KINDS[self._rec.kind[index]]}"


def recorded(presence: pl.DataFrame, spaces: list[str]) -> RecordedColumns:
    """Return a recording's rows as columns of numbers.

    Args:
        presence: Rows in order of time; ``person`` is the dense id, ``space`` is null where a row has none.
        spaces: Names by number.
    """
    reason = pl.when(pl.col("reason") == GAVE_UP).then(1).when(pl.col("reason").is_null()).then(0).otherwise(2)
    numbers = presence.select(
        FILE,
        ROW,
        "at",
        "person",
        kind=pl.col(KIND).cast(pl.Enum(PRESENCE_KINDS)).to_physical(),
        space=pl.col("space").cast(pl.Enum(spaces)).to_physical().cast(pl.Int64).fill_null(NO_SPACE),
        tries=pl.col("try").fill_null(0),
        since_drop=pl.col("since_drop_ms").fill_null(-1),
        reason=reason,
    )
    return RecordedColumns(*(numbers[name].to_list() for name in numbers.columns))


def events(presence: pl.DataFrame, legal: LegalColumns, spaces: list[str]) -> pl.DataFrame:
    """Return the legal paths as rows like ``presence``; what was put in has client, file and row of its source."""
    source = pl.Series(legal.source, dtype=pl.Int64)
    own = presence.select(FILE, ROW, ORDER, "person", "client", "reason")[source]
    number = pl.Series(legal.reason, dtype=pl.Int64)
    reason = pl.Series(REASONS, dtype=pl.String).gather(number.set(number < 0, 0))
    since = pl.Series(legal.since_drop, dtype=pl.Int64)
    return own.with_columns(
        pl.Series("at", legal.at, dtype=pl.Int64),
        pl.Series(KIND, PRESENCE_KINDS).gather(pl.Series(legal.kind, dtype=pl.Int64)),
        pl.Series("space", spaces).gather(pl.Series(legal.space, dtype=pl.Int64)),
        pl.Series("try", legal.tries, dtype=pl.Int64),
        since.set(since < 0, None).alias("since_drop_ms"),
        own["reason"].zip_with(number < 0, reason).alias("reason"),
    )
