"""The nights an engine is tested on: a small simulated one with the oracle's answers, and faults of its records.

Each fault is a function from night to night. The expected counts never change, for that is the contract: whatever
happens to the records on their way, the answer stays. Only the totals of duplicates and dead letters change.
"""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from joinstorm.conformance.badrecords import bad_records
from joinstorm.oracle import answers as oracle
from producers.compose.encode import encode_presence, encode_tweets
from producers.compose.partition import partition_table
from producers.recording import record as make_tape
from producers.replay.opening import run_info
from producers.scenario.loading import load
from producers.tape.tapefile import Tape
from streams.contract.events import Mark, MarkKind, encode
from streams.contract.names import MINUTE_MS
from streams.contract.runinfo import DEFAULT_WINDOW_MS, RunInfo
from streams.contract.topics import INPUTS, PRESENCE, TWEETS, Topics
from streams.golden import EventTotals, Expected, GoldenNight, InputRecord

SCALE = 0.001
"""About nine thousand events: enough to be interrupted, few enough for the slowest engine."""
STEP_MS = 300_000
SPARE_IDS = 1_000
"""Event ids of invalid records: an engine that overlooks a defect counts an event that no other record has."""


def simulated(folder: Path, *, scale: float = SCALE, seed: int = 1, partitions: int = 3) -> GoldenNight:
    """Return a very small night of the scenario ``launch`` with the oracle's answers; its tape stays in ``folder``."""
    path = folder / "conform.parquet"
    make_tape(load("launch"), path, scale=scale, seed=seed)
    tape = Tape.open(path)
    info = run_info(
        tape.info, Topics("conform"), partitions=partitions, window_ms=DEFAULT_WINDOW_MS, watermark_step_ms=STEP_MS
    )
    truth = oracle.ask(path, info)
    totals = {topic: EventTotals(truth.events.get(topic, 0), 0) for topic in INPUTS}
    events = [record for block in tape.blocks() for record in _events(block, partitions)]
    return night_of("launch", info, events, Expected(truth.audience, truth.reaction, totals))


def night_of(name: str, info: RunInfo, events: Sequence[InputRecord], expected: Expected) -> GoldenNight:
    """Return a night as the producer sends it: events by time, watermarks at every step, end marks last."""
    return GoldenNight(name, info, tuple(_in_time([*events, *marks(info, events)], _event_time)), expected)


def marks(info: RunInfo, records: Sequence[InputRecord]) -> list[InputRecord]:
    """Return the marks of every partition of both topics."""
    ids: dict[tuple[str, int], set[bytes]] = {}
    for record in records:
        ids.setdefault((record.topic, record.partition), set()).add(record.value)
    step = info.watermark_step_ms
    times = range(info.start - info.start % step + step, info.end + 1, step)
    out: list[InputRecord] = []
    for topic in INPUTS:
        for partition in range(info.partitions):
            out += [_mark(topic, partition, Mark(MarkKind.WATERMARK, at, info.run, 1)) for at in times]
            count = len(ids.get((topic, partition), ()))
            out.append(_mark(topic, partition, Mark(MarkKind.END, info.end, info.run, 1, events=count)))
    return out


def is_end(record: InputRecord) -> bool:
    """Whether this is a partition's end mark."""
    return record.key is None and not record.reason and b'"mark":"end"' in record.value


def body_and_ends(night: GoldenNight) -> tuple[list[InputRecord], list[InputRecord]]:
    """Return everything but the end marks, and the end marks."""
    return [r for r in night.records if not is_end(r)], [r for r in night.records if is_end(r)]


def duplicated(night: GoldenNight, *, share: float, seed: int = 0) -> GoldenNight:
    """Send a share of the events again, some at once and some long after, and every watermark twice."""
    draw = random.Random(seed)  # noqa: S311 - faults are drawn, nothing is kept secret
    body, ends = body_and_ends(night)
    out: list[tuple[float, InputRecord]] = []
    again = dict.fromkeys(INPUTS, 0)
    for place, record in enumerate(body):
        out.append((place, record))
        if record.key is None:
            out.append((place + 0.5, record))
        elif draw.random() < share:
            out.append((draw.choice((place + 0.5, draw.uniform(place, len(body)))), record))
            again[record.topic] += 1
    out.sort(key=lambda item: item[0])
    return _changed(night, [record for _, record in out] + ends, duplicates=again)


def out_of_order(night: GoldenNight, *, within_ms: int, seed: int = 0) -> GoldenNight:
    """Delay every event by up to ``within_ms``; the watermarks wait for them, so none is late."""
    draw = random.Random(seed)  # noqa: S311 - faults are drawn, nothing is kept secret
    delayed = {
        id(r): r.timestamp + (within_ms if r.key is None else draw.randrange(within_ms + 1)) for r in night.records
    }
    return _changed(night, _in_time(night.records, lambda record: delayed[id(record)]))


def late(night: GoldenNight, *, share: float, up_to_ms: int, seed: int = 0) -> GoldenNight:
    """Delay a share of the events by one minute up to ``up_to_ms``, past their watermarks."""
    draw = random.Random(seed)  # noqa: S311 - faults are drawn, nothing is kept secret
    delayed = {id(r): r.timestamp for r in night.records}
    for record in night.records:
        if record.key is not None and draw.random() < share:
            delayed[id(record)] += draw.randrange(MINUTE_MS, up_to_ms)
    return _changed(night, _in_time(night.records, lambda record: delayed[id(record)]))


def with_idle_partition(night: GoldenNight) -> GoldenNight:
    """Add a partition to both topics that holds only marks."""
    info = night.info
    wider = msgspec.structs.replace(info, partitions=info.partitions + 1)
    more = [record for record in marks(wider, night.records) if record.partition == info.partitions]
    body, ends = body_and_ends(night)
    body = _in_time([*body, *(record for record in more if not is_end(record))], _event_time)
    return replace(night, info=wider, records=(*body, *ends, *(record for record in more if is_end(record))))


def corrupted(night: GoldenNight, *, seed: int = 0) -> GoldenNight:
    """Scatter records over all partitions that have one defect each and event ids of their own."""
    draw = random.Random(seed)  # noqa: S311 - faults are drawn, nothing is kept secret
    body, ends = body_and_ends(night)
    events = {topic: [r for r in body if r.topic == topic and r.key is not None] for topic in INPUTS}
    ids = itertools.count(night.info.events)
    info = msgspec.structs.replace(night.info, events=night.info.events + SPARE_IDS)
    dead_letters = dict.fromkeys(INPUTS, 0)
    for topic in INPUTS:
        for like in [draw.choice(events[topic]) for _ in range(2)]:
            for value, reason in bad_records(topic, partial(_copied, like, ids), info):
                key = None if b'"mark"' in value else like.key
                body.insert(draw.randrange(len(body)), replace(like, key=key, value=value, reason=reason))
                dead_letters[topic] += 1
    return _changed(replace(night, info=info), body + ends, dead_letters=dead_letters)


def _copied(record: InputRecord, ids: Iterator[int]) -> dict[str, Any]:
    """Return the event of a record, under the next event id."""
    return {**msgspec.json.decode(record.value), "event_id": next(ids)}


def _changed(
    night: GoldenNight,
    records: Sequence[InputRecord],
    *,
    duplicates: dict[str, int] | None = None,
    dead_letters: dict[str, int] | None = None,
) -> GoldenNight:
    totals = {
        topic: EventTotals(
            total.events,
            total.duplicates + (duplicates or {}).get(topic, 0),
            total.dead_letters + (dead_letters or {}).get(topic, 0),
        )
        for topic, total in night.expected.totals.items()
    }
    return replace(night, records=tuple(records), expected=replace(night.expected, totals=totals))


def _in_time(records: Iterable[InputRecord], arrival: Callable[[InputRecord], int]) -> list[InputRecord]:
    """Sort by arrival; at one moment events come before marks, and end marks come last of all."""
    return sorted(records, key=lambda record: (is_end(record), arrival(record), record.key is None))


def with_corrections(night: GoldenNight, *, share: float = 0.2, seed: int = 0) -> GoldenNight:
    """Send a share of the first half's events at the end of the night only: each corrects a row written long before."""
    draw = random.Random(seed)  # noqa: S311 - faults are drawn, nothing is kept secret
    body, ends = body_and_ends(night)
    half = len(body) // 2
    held = {id(r) for r in body[:half] if r.key is not None and draw.random() < share}
    kept, later = [r for r in body if id(r) not in held], [r for r in body if id(r) in held]
    return replace(night, records=tuple(kept + later + ends))


def _event_time(record: InputRecord) -> int:
    return record.timestamp


def _events(block: pa.RecordBatch, partitions: int) -> Iterator[InputRecord]:
    """Return the events of a block of a tape, in order."""
    places = partition_table(1 + max(block.column("person").to_pylist()), partitions)
    found: list[tuple[int, InputRecord]] = []
    for topic, values in ((PRESENCE, encode_presence), (TWEETS, encode_tweets)):
        rows = block.filter(pc.equal(block.column("topic").cast(pa.string()), topic))
        columns = (rows.column(name).to_pylist() for name in ("event_id", "person", "at"))
        for event_id, person, at, value in zip(*columns, values(rows).to_pylist(), strict=True):
            found.append((event_id, InputRecord(topic, int(places[person]), b"%d" % person, value, at)))
    return (record for _, record in sorted(found, key=lambda pair: pair[0]))


def _mark(topic: str, partition: int, mark: Mark) -> InputRecord:
    return InputRecord(topic, partition, None, encode(mark), mark.at)
