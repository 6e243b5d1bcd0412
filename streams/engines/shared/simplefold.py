"""The counts of docs/architecture.md as a small fold, one event at a time, in plain dicts: to read, teach and copy.

It rests on one observation: every count is a sum of changes that follow from **one person's** history, and all records
of one person are in one partition. So the fold keeps a small dict per person and turns an event into changes: "+1 join
in room-a, window 22:05:00". Later facts correct earlier ones: when an earlier join of a person arrives, the first join
moves, as one change of -1 and one of +1. So the result does not depend on the order of arrival.

This is a second implementation of the contract, deliberately separate from the folds of the engine ``faust``: slower
and shorter. The simple engines (kafka-python, quix, bytewax) share it and differ in what their library does: reading,
keeping state and writing results.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from streams.contract.breakdowns import breakdowns_of
from streams.contract.durations import TIME_TO_EXIT, TIME_TO_JOIN, TIME_TO_REJOIN, bin_of
from streams.contract.events import (
    GAVE_UP,
    OUT_OF_RANGE,
    REJOIN_WITHIN_MS,
    WAITED_MS,
    Mark,
    Presence,
    Tweet,
    decode_presence,
    decode_tweet,
)
from streams.contract.names import ALL, OTHER
from streams.contract.results import HASHTAG, AudienceResult, Counts, Progress, ReactionResult, Result
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE, RESULTS_AUDIENCE, RESULTS_REACTION
from streams.errors import DecodeError

Person: TypeAlias = dict[str, Any]
"""The state of one listener or author; can be encoded as JSON, so any state store can hold it.

A listener has ``attempt`` and ``leave``, the earliest times, and ``join``, the earliest time by space; an author has
``first``, the earliest time by subject. ``*`` means all spaces or subjects.
"""


NEVER: Final = 1 << 60
"""A time later than all others: of what has not happened."""
Place: TypeAlias = tuple[int, str]
"""A window, and the name of the count that a person adds one to in it."""


class CountChange(NamedTuple):
    """A change to one count of one result row: ``by`` is added to it."""

    table: str
    """``results.audience`` or ``results.reaction``."""
    window: int
    name: str
    """Space or subject."""
    measure: str
    """Name of the count, such as ``joins``."""
    by: int


def decode(topic: str, raw: bytes | None, info: RunInfo, source: str = "") -> Presence | Tweet | Mark:
    """Decode one record of an input topic, given by base name.

    Raises:
        DecodeError: It is not a record of this run.
    """
    event = decode_presence(raw, source) if topic == PRESENCE else decode_tweet(raw, source)
    wrong = _foreign(event, info)
    if wrong:
        raise DecodeError(OUT_OF_RANGE, wrong, source)
    return event


def _foreign(event: Presence | Tweet | Mark, info: RunInfo) -> str:
    """Return how an event violates the ranges of run.info; empty if it does not."""
    if isinstance(event, Mark):
        return "" if event.run == info.run else f"run: expected {info.run!r}, found {event.run!r}"
    if event.event_id >= info.events:
        return f"event_id: expected 0 to {info.events - 1}, found {event.event_id}"
    person = person_of(event)
    if person >= info.people:
        return f"person: expected 0 to {info.people - 1}, found {person}"
    if not info.start <= event.at <= info.end:
        return f"at: expected {info.start} to {info.end}, found {event.at}"
    if isinstance(event, Presence) and event.space not in info.spaces:
        return f"space: expected one of {list(info.spaces)}, found {event.space!r}"
    return ""


def person_of(event: Presence | Tweet) -> int:
    """Return the listener or author."""
    return event.listener if isinstance(event, Presence) else event.author


def changes(person: Person, event: Presence | Tweet, info: RunInfo) -> list[CountChange]:
    """Add an event that its partition meets for the first time to its person's state, and return the changes."""
    if isinstance(event, Presence):
        return list(_presence(person, event, info))
    return list(_tweet(person, event, info))


def window_of(at: int, info: RunInfo) -> int:
    """Return the start of the window that holds ``at``."""
    return at - at % info.window_ms


def _presence(person: Person, event: Presence, info: RunInfo) -> Iterator[CountChange]:
    window = window_of(event.at, info)
    for count in presence_counts(event):
        yield CountChange(RESULTS_AUDIENCE, window, event.space, count, 1)
    before = _waited(person, info), _end_of_wait(person, info)
    if event.kind == "join":
        joined = person.setdefault("join", {})
        for space in (event.space, ALL):
            yield from _first(RESULTS_AUDIENCE, "first_joins", joined, space, event.at, info)
    if event.kind in ("attempt", "leave"):
        kind = event.kind.value  # a plain string, because JSON stores need such keys
        person[kind] = min(event.at, person.get(kind, event.at))
    for old, new in zip(before, (_waited(person, info), _end_of_wait(person, info)), strict=True):
        yield from _moved(RESULTS_AUDIENCE, ALL, old, new)


def presence_counts(event: Presence) -> Iterator[str]:
    """Yield the counts that an event increments regardless of its listener's history."""
    if event.kind == "attempt":
        yield "attempts"
        if event.try_ == 1:
            yield "arrivals"
    elif event.kind == "join":
        yield "joins"
        if event.since_drop_ms is not None and event.since_drop_ms <= REJOIN_WITHIN_MS:
            yield "rejoins_60s"
        if event.since_drop_ms is not None:
            yield f"{TIME_TO_REJOIN}{bin_of(event.since_drop_ms)}"
    elif event.kind == "leave":
        yield "give_ups" if event.reason == GAVE_UP else "leaves"
    else:
        yield {"fail": "fails", "drop": "drops"}[event.kind]
    yield from breakdowns_of(event)


def _waited(person: Person, info: RunInfo) -> Place | None:
    """Return where this listener's wait reached 20 minutes; None if it never did."""
    if "attempt" not in person:
        return None
    due: int = person["attempt"] + WAITED_MS
    if due > info.talk_start or person.get("leave", due + 1) <= due:
        return None
    return window_of(due, info), "waited_20m"


def _end_of_wait(person: Person, info: RunInfo) -> Place | None:
    joined = person.get("join", {}).get(ALL, NEVER)
    end = end_of_wait(person.get("attempt", NEVER), joined, person.get("leave", NEVER))
    return end and (window_of(end[0], info), end[1])


def end_of_wait(attempt: int, join: int, leave: int) -> tuple[int, str] | None:
    """Return when a listener's first wait ended and the count of durations that holds it; None if it has not ended.

    Args:
        attempt: The listener's earliest attempt (ms), ``NEVER`` if there is none.
        join: The earliest join into any space.
        leave: The earliest leave; at the time of the join it comes after it.
    """
    end = min(join, leave)
    if end == NEVER or attempt > end:
        return None
    return end, f"{TIME_TO_JOIN if join <= leave else TIME_TO_EXIT}{bin_of(end - attempt)}"


def _tweet(person: Person, event: Tweet, info: RunInfo) -> Iterator[CountChange]:
    subject = subject_of(event, info)
    window = window_of(event.at, info)
    for count in tweet_counts(event, info):
        yield CountChange(RESULTS_REACTION, window, subject, count, 1)
    first = person.setdefault("first", {})
    for name in (subject, ALL):
        yield from _first(RESULTS_REACTION, "first_authors", first, name, event.at, info)


def tweet_counts(event: Tweet, info: RunInfo) -> Iterator[str]:
    """Yield the counts of its subject that a tweet increments regardless of its author's history."""
    yield {"post": "posts", "reply": "replies", "quote": "quotes", "repost": "reposts"}[event.kind]
    for tag in sorted(set(event.hashtags)):
        yield HASHTAG + tag
    if event.kind == "repost" and info.thread and event.conversation == info.thread:
        yield "thread_reposts"


def subject_of(tweet: Tweet, info: RunInfo) -> str:
    """Return the subject of the first rule that holds, otherwise ``other``."""
    text = tweet.text.encode().lower()  # lower() of bytes covers ASCII only, as the contract requires
    for rule in info.subjects:
        if (
            tweet.conversation in rule.conversations
            or not set(rule.hashtags).isdisjoint(tweet.hashtags)
            or any(word.encode() in text for word in rule.words)
        ):
            return rule.subject
    return OTHER


def _first(
    table: str, count: str, earliest: dict[str, int], name: str, at: int, info: RunInfo
) -> Iterator[CountChange]:
    """Keep the earliest time under ``name``; the person counts only in the window of that time."""
    known = earliest.get(name)
    if known is not None and known <= at:
        return
    earliest[name] = at
    before = None if known is None else (window_of(known, info), count)
    yield from _moved(table, name, before, (window_of(at, info), count))


def _moved(table: str, name: str, before: Place | None, after: Place | None) -> Iterator[CountChange]:
    if before == after:
        return
    for place, by in ((before, -1), (after, 1)):
        if place is not None:
            yield CountChange(table, place[0], name, place[1], by)


Row: TypeAlias = tuple[str, int, str]
"""Table, window and space or subject."""


def result(info: RunInfo, engine: str, row: Row, shard: str, version: int, counts: Counts) -> Result:
    """Return the result record for a row's current counts, without zeros."""
    table, window, name = row
    kept = {measure: value for measure, value in counts.items() if value}
    if table == RESULTS_AUDIENCE:
        return AudienceResult(1, info.run, engine, window, name, shard, version, kept)
    return ReactionResult(1, info.run, engine, window, name, shard, version, kept)


class PartitionFold:
    """The state after one partition's records before ``next_offset``, and the results that follow from it.

    The state depends only on these records. So two writers that have read equally far publish the same results, and the
    offset serves as the results' version.
    """

    def __init__(self, info: RunInfo, engine: str, topic: str, partition: int) -> None:
        self.info, self.engine, self.topic, self.partition = info, engine, topic, partition
        self.people: dict[int, Person] = {}
        self.seen: set[int] = set()
        """Event ids counted. The first record with an id counts, whatever later ones hold."""
        self.rows: dict[Row, Counts] = {}
        self.changed: set[Row] = set()
        self.next_offset = 0
        self.taken_offset = 0
        self.watermark: int | None = None
        self.ended = False
        self.events = self.duplicates = self.dead_letters = 0

    def step(self, raw: bytes | None, offset: int) -> DecodeError | None:
        """Count one record; returns the reason if it is a dead letter."""
        self.next_offset = offset + 1
        try:
            event = decode(self.topic, raw, self.info, f"{self.info.topics[self.topic]}[{self.partition}]@{offset}")
        except DecodeError as error:
            self.dead_letters += 1
            return error
        if isinstance(event, Mark):
            self.watermark = max(event.at, self.watermark or event.at)
            self.ended = self.ended or event.mark == "end"
        else:
            self._count(event)
        return None

    def _count(self, event: Presence | Tweet) -> None:
        if event.event_id in self.seen:
            self.duplicates += 1
            return
        self.seen.add(event.event_id)
        self.events += 1
        for change in changes(self.people.setdefault(person_of(event), {}), event, self.info):
            row = self.rows.setdefault(change[:3], {})
            row[change.measure] = row.get(change.measure, 0) + change.by
            self.changed.add(change[:3])

    def take(self) -> list[Result | Progress]:
        """Return every row changed since the last call, then the progress; empty if nothing was read since."""
        if self.taken_offset == self.next_offset:
            return []
        self.taken_offset = self.next_offset
        out: list[Result | Progress] = [
            result(self.info, self.engine, row, str(self.partition), self.next_offset, self.rows[row])
            for row in sorted(self.changed)
        ]
        self.changed.clear()
        return [*out, self._progress()]

    def save(self) -> bytes:
        """Return the whole state, for ``load``."""
        rows = [(row, counts) for row, counts in self.rows.items()]
        known = {name: getattr(self, name) for name in _SAVED}
        return msgspec.msgpack.encode({**known, "rows": rows, "changed": list(self.changed)})

    def load(self, saved: bytes) -> None:
        """Restore a saved state."""
        state = msgspec.msgpack.decode(saved, type=_State)
        for name in _SAVED:
            setattr(self, name, getattr(state, name))
        self.rows = dict(state.rows)
        self.changed = set(state.changed)

    def _progress(self) -> Progress:
        return replace(
            Progress.of_partition(self.info.run, self.engine, self.topic, self.partition),
            version=self.next_offset,
            watermark=self.watermark,
            ended=self.ended,
            events=self.events,
            duplicates=self.duplicates,
            dead_letters=self.dead_letters,
        )


class _State(msgspec.Struct):
    """A saved ``PartitionFold``."""

    next_offset: int
    watermark: int | None
    ended: bool
    events: int
    duplicates: int
    dead_letters: int
    people: dict[int, Person]
    seen: set[int]
    rows: list[tuple[Row, Counts]]
    changed: list[Row]


_SAVED: Final = ("next_offset", "watermark", "ended", "events", "duplicates", "dead_letters", "people", "seen")
