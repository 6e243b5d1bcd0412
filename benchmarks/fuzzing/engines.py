"""A fetch counted by the engines' own code, in this process, and by the words of docs/architecture.md."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.memory_records import MemoryRecords

from benchmarks.fuzzing.fetches import Fetch
from streams.contract.events import OUT_OF_RANGE, Mark, Presence, Tweet, decode_presence, decode_tweet
from streams.contract.names import ALL
from streams.contract.results import AudienceResult, Counts, Progress, ReactionResult, Result, summed
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE
from streams.engines.faust.batches import BatchRecords
from streams.engines.faust.chunks import merged
from streams.engines.faust.partitions import Partitions
from streams.engines.pathway.rows import NONE, Fact, row_of, wait_end, waited_window
from streams.engines.quix.fold import Fold
from streams.engines.shared.simplefold import PartitionFold
from streams.errors import DecodeError
from streams.fold.state import PartitionState
from tests.oracle import Oracle
from tests.results import read_back

Counting: TypeAlias = Callable[[RunInfo, str, Fetch], "Outcome"]
"""Counts a fetch of an input topic, given by base name."""
_ENGINE: Final = "fuzz"


class Outcome(NamedTuple):
    """Everything the contract fixes about one partition."""

    events: int
    duplicates: int
    watermark: int | None
    ended: bool
    dead_letters: list[tuple[int, str]]
    """Offset and reason, by offset: an engine may put aside the records of a batch in any order."""
    counts: Mapping[tuple[int, str], Counts]

    @classmethod
    def of(cls, progress: Progress, dead_letters: list[tuple[int, str]], results: Iterable[Result]) -> "Outcome":
        """Return what an engine has published."""
        if progress.dead_letters != len(dead_letters):
            raise AssertionError(f"{len(dead_letters)} dead letters, progress has {progress.dead_letters}")
        table = summed(results)
        return cls(
            progress.events, progress.duplicates, progress.watermark, progress.ended, sorted(dead_letters), table
        )


def expected(info: RunInfo, topic: str, fetch: Fetch) -> Outcome:
    """Return what the contract says, by its own decoder and the naive oracle of the tests."""
    events: list[Presence | Tweet] = []
    marks: list[Mark] = []
    dead_letters = []
    for offset, raw in fetch.seen:
        try:
            event = decode_presence(raw) if topic == PRESENCE else decode_tweet(raw)
        except DecodeError as error:
            dead_letters.append((offset, error.reason))
            continue
        if not _is_of_run(event, info):
            dead_letters.append((offset, OUT_OF_RANGE))
        elif isinstance(event, Mark):
            marks.append(event)
        else:
            events.append(event)
    distinct = len({event.event_id for event in events})
    oracle = Oracle(info, events)
    return Outcome(
        distinct,
        len(events) - distinct,
        max((mark.at for mark in marks), default=None),
        any(mark.mark == "end" for mark in marks),
        dead_letters,
        oracle.audience if topic == PRESENCE else oracle.reaction,
    )


def _is_of_run(event: Presence | Tweet | Mark, info: RunInfo) -> bool:
    if isinstance(event, Mark):
        return event.run == info.run
    person = event.listener if isinstance(event, Presence) else event.author
    known_space = isinstance(event, Tweet) or event.space in info.spaces
    return event.event_id < info.events and person < info.people and info.start <= event.at <= info.end and known_space


def faust(info: RunInfo, topic: str, fetch: Fetch) -> Outcome:
    """Count with the engine ``faust``: batches to chunks, chunks to columns, columns to counts."""
    where = TopicPartition(info.topics[topic], 0)
    records = BatchRecords(where, MemoryRecords(fetch.data), fetch.aborted, 0, None, None, True, READ_COMMITTED)
    records.data = fetch.data
    partitions, state = Partitions(info, _ENGINE), PartitionState(info, topic, 0)
    partitions.put([state])
    for chunk in merged(records, 8_192):
        partitions.accept((topic, 0), chunk)
    values = dict(fetch.seen)
    for letter in partitions.dead_letters:
        if letter.value != (values[letter.offset] or b""):
            raise AssertionError(f"dead letter at {letter.offset}: {letter.value!r} for {values[letter.offset]!r}")
    if state.next_offset != fetch.next_offset:
        raise AssertionError(f"next offset {state.next_offset} for {fetch.next_offset}")
    dead_letters = [(letter.offset, letter.reason) for letter in partitions.dead_letters]
    return Outcome.of(state.progress(_ENGINE), dead_letters, read_back(state.take_results(_ENGINE)[0]))


def kafka_python(info: RunInfo, topic: str, fetch: Fetch) -> Outcome:
    """Count as the engines ``kafka-python`` and ``bytewax`` do, with one of bytewax's snapshots on the way."""
    fold = PartitionFold(info, _ENGINE, topic, 0)
    dead_letters, published = [], list[Result | Progress]()
    for number, (offset, raw) in enumerate(fetch.seen):
        error = fold.step(raw, offset)
        if error is not None:
            dead_letters.append((offset, error.reason))
        if number == len(fetch.seen) // 2:
            published += fold.take()
            saved, fold = fold.save(), PartitionFold(info, _ENGINE, topic, 0)
            fold.load(saved)
            fold.taken_offset = fold.next_offset
    return _published([*published, *fold.take()], dead_letters, topic)


def _published(records: Iterable[object], dead_letters: list[tuple[int, str]], topic: str) -> Outcome:
    progress = Progress.of_partition("", _ENGINE, topic, 0)
    results: list[Result] = []
    for record in records:
        if isinstance(record, Progress):
            progress = record
        elif isinstance(record, AudienceResult | ReactionResult):
            results.append(record)
    return Outcome.of(progress, dead_letters, results)


class _JsonStore:
    """A store of keys and values that keeps JSON, as Quix Streams' state does."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    def get(self, key: str) -> Any:
        found = self._values.get(key)
        return None if found is None else msgspec.json.decode(found)

    def set(self, key: str, value: Any) -> None:
        self._values[key] = msgspec.json.encode(value)


def quix(info: RunInfo, topic: str, fetch: Fetch) -> Outcome:
    """Count with the fold of the engine ``quix``; every record that is forwarded twice is skipped once."""
    fold, store = Fold(info, _ENGINE), _JsonStore()
    out: list[object] = []
    for offset, raw in fetch.seen:
        headers = [("topic", topic.encode()), ("at", b"0@%d" % offset)]
        for _ in range(2 if offset % 8 == 0 else 1):
            out += fold(raw, f"{topic}[0]", 0, headers, store)
    letters = [one[0] for one in out if isinstance(one, tuple)]
    dead_letters = [(int(error.source.rpartition("@")[2]), error.reason) for error in letters]
    if fetch.seen:
        out.append(msgspec.convert(store.get("progress"), Progress))
    return _published(out, dead_letters, topic)


def pathway(info: RunInfo, topic: str, fetch: Fetch) -> Outcome:
    """Count the rows that the engine ``pathway`` makes of records, with plain dicts in place of Pathway's tables."""
    rows = [row_of(topic, raw, offset, info) for offset, raw in fetch.seen]
    events = [row for row in rows if row.event_id >= 0]
    first: dict[int, Fact] = {}
    for row in events:
        first.setdefault(row.event_id, row.fact)
    return Outcome(
        len(first),
        len(events) - len(first),
        max((row.watermark for row in rows if row.mark), default=None),
        any(row.end for row in rows),
        [(row.next_place - 1, row.reason) for row in rows if row.reason],
        _pathway_counts(first.values(), topic, info),
    )


def _pathway_counts(facts: Collection[Fact], topic: str, info: RunInfo) -> dict[tuple[int, str], Counts]:
    found: dict[tuple[int, str], Counts] = {}
    firsts: dict[tuple[int, str], int] = {}
    tried: dict[int, int] = {}
    joined: dict[int, int] = {}
    left: dict[int, int] = {}

    def add(window: int, name: str, measure: str) -> None:
        row = found.setdefault((window, name), {})
        row[measure] = row.get(measure, 0) + 1

    for person, at, window, name, measures, may_be_first, attempt, join, leave in facts:
        for measure in measures:
            add(window, name, measure)
        for place in may_be_first:
            firsts[person, place] = min(at, firsts.get((person, place), at))
        tried[person] = min(attempt, tried.get(person, attempt))
        joined[person] = min(join, joined.get(person, join))
        left[person] = min(leave, left.get(person, leave))
    for (_, place), at in firsts.items():
        add(at - at % info.window_ms, place, "first_joins" if topic == PRESENCE else "first_authors")
    for person, attempt in tried.items():
        due = waited_window(attempt, left[person], info)
        if due != NONE:
            add(due, ALL, "waited_20m")
        end, count = wait_end(attempt, joined[person], left[person], info)
        if end != NONE:
            add(end, ALL, count)
    return found


ENGINES: Final[dict[str, Counting]] = {
    "faust": faust,
    "kafka-python": kafka_python,
    "quix": quix,
    "pathway": pathway,
}
"""``bytewax`` folds as ``kafka-python`` does. Flink SQL and Kafka Streams cannot run in this process."""
