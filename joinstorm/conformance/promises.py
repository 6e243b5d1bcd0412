"""What an engine promises with every record it writes, checked over everything it wrote in one run; no I/O.

The final counts are compared elsewhere. Here: keys equal values, versions only grow, no watermark is ahead of the marks
or falls back, and what a watermark covers was in the results before it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import msgspec

from streams.contract.progress import ProgressBook
from streams.contract.results import (
    AudienceResult,
    Counts,
    Progress,
    Result,
    decode_audience,
    decode_progress,
    decode_reaction,
    is_optional,
    key_of,
)
from streams.contract.topics import INPUTS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.engines.shared.simplefold import PartitionFold
from streams.errors import ContractError
from streams.golden import GoldenNight, InputRecord

SKEW_MS: Final = 50
"""How far the clocks of two brokers may differ: a result that much younger than its progress is not held against it."""
NAMED: Final = 3
"""How many broken promises of one kind are listed."""
_DECODERS: Final[Mapping[str, Callable[[bytes], Result | Progress]]] = {
    RESULTS_AUDIENCE: decode_audience,
    RESULTS_REACTION: decode_reaction,
    RESULTS_PROGRESS: decode_progress,
}
Row: TypeAlias = tuple[str, int, str]
"""Table, window, and space or subject."""


@dataclass(frozen=True)
class WrittenRecord:
    """One record of a result topic.

    Args:
        topic: Base name.
        source: ``topic[partition]@offset``, for the text.
        time: When the broker appended it, milliseconds since the epoch; None if the topic has the writer's times.
        key: Its key.
        value: The decoded value.
    """

    topic: str
    source: str
    time: int | None
    key: bytes | None
    value: Result | Progress


def decoded(topic: str, source: str, time: int | None, key: bytes | None, value: bytes | None) -> WrittenRecord | None:
    """Return a record of a result topic; None for one that is no result, which is reported elsewhere."""
    try:
        return WrittenRecord(topic, source, time, key, _DECODERS[topic](value or b""))
    except ContractError:
        return None


def broken(
    written: Sequence[WrittenRecord], night: GoldenNight, engine: str, *, one_life: bool, final: bool
) -> tuple[str, ...]:
    """Return the promises that an engine broke.

    Args:
        written: Everything on the result topics, each topic in the order of its offsets.
        night: What was sent.
        engine: The name the engine had to write under.
        one_life: Whether one worker wrote everything: then versions grow in the order of the topic. A worker that
            reads again from offset 0 begins with old versions, which lose.
        final: Whether no event was late: then the counts below a watermark are final.
    """
    mine = [one for one in written if one.value.engine == engine]
    found = [_under_other_names(written, engine), _wrong_keys(mine), _watermarks(mine, night)]
    if one_life:
        found.append(_versions(mine))
    if all(one.time is not None for one in mine):
        found.append(_uncovered(mine, night, final=final))
    return tuple(text for kind in found for text in _first(kind))


def ahead(written: Sequence[WrittenRecord], sent: Sequence[InputRecord], night: GoldenNight, engine: str) -> list[str]:
    """Return which watermarks are wrong as long as no more than this of a night was sent.

    In a night that was sent as a whole, the mark after an event hides what was taken from the event.
    """
    mine = [one for one in written if one.value.engine == engine]
    return _first(_watermarks(mine, replace(night, records=tuple(sent))))


def _first(texts: Iterable[str]) -> list[str]:
    known = list(texts)
    more = [f"and {len(known) - NAMED} more of this kind"] if len(known) > NAMED else []
    return known[:NAMED] + more


def _under_other_names(written: Sequence[WrittenRecord], engine: str) -> Iterator[str]:
    others = Counter(one.value.engine for one in written if one.value.engine != engine)
    for name, count in others.items():
        yield f"{count} records are under the name {name!r}, not {engine!r}"


def _wrong_keys(written: Sequence[WrittenRecord]) -> Iterator[str]:
    for one in written:
        if _parts(one.key) != _parts(expected := key_of(one.value)):
            found = (one.key or b"").decode(errors="replace")
            yield f"{one.source} has the key {found!r}, expected {expected.decode()}"


def _parts(key: bytes | None) -> object:
    try:
        return msgspec.json.decode(key or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return key


def _versions(written: Sequence[WrittenRecord]) -> Iterator[str]:
    newest: dict[tuple[str, bytes], int] = {}
    for one in written:
        key, version = (one.topic, key_of(one.value)), one.value.version
        if version < newest.get(key, version):
            yield f"{one.source} has version {version}, after version {newest[key]} of the same key"
        newest[key] = max(version, newest.get(key, version))


def _watermarks(written: Sequence[WrittenRecord], night: GoldenNight) -> Iterator[str]:
    """Compare every watermark with the greatest mark that the engine can have read, and with the one before it."""
    bounds = {(topic, p): _bounds(night, topic, p) for topic in INPUTS for p in range(night.info.partitions)}
    newest: dict[tuple[str, str], Progress] = {}
    for one in written:
        progress = one.value
        if not isinstance(progress, Progress):
            continue
        places = [(progress.topic, p) for p in progress.partitions if (progress.topic, p) in bounds]
        most = [bounds[place] for place in places]
        read = progress.events if len(most) == 1 else None
        greatest = [bound[-1] if read is None else bound[min(read, len(bound) - 1)] for bound in most]
        if progress.watermark is not None and any(mark is None or mark < progress.watermark for mark in greatest):
            yield f"{one.source}: watermark {progress.watermark} is ahead of the marks of {_named(progress)}"
        known = newest.get((progress.topic, progress.shard))
        if known is not None and progress.version < known.version:
            continue
        newest[progress.topic, progress.shard] = progress
        if known is not None and (progress.watermark or 0) < (known.watermark or 0):
            fall = f"falls from {known.watermark} to {progress.watermark}"
            yield f"{one.source}: the watermark of {_named(progress)} {fall}"
        if known is not None and known.ended and not progress.ended:
            yield f"{one.source}: {_named(progress)} had ended, and has not any more"


def _named(progress: Progress) -> str:
    return f"{progress.topic}{list(progress.partitions)}"


def _bounds(night: GoldenNight, topic: str, partition: int) -> list[int | None]:
    """Return the greatest mark before the next new event, by the number of distinct events read."""
    fold = PartitionFold(night.info, "", topic, partition)
    found: list[int | None] = [None]
    for offset, record in enumerate(r for r in night.records if (r.topic, r.partition) == (topic, partition)):
        fold.step(record.value, offset)
        if fold.events == len(found):
            found.append(None)
        found[-1] = fold.watermark
    return found


def _uncovered(written: Sequence[WrittenRecord], night: GoldenNight, *, final: bool) -> Iterator[str]:
    """Replay the appends by time; at every advance the counts that are covered must be the expected ones.

    The end covers all counts, a watermark those of the windows below it if no event is late.
    """
    table = _Table(night)
    book, reached, ended = ProgressBook(), 0, False
    results = [one for one in written if not isinstance(one.value, Progress)]
    results.sort(key=_time)
    place = 0
    for one in sorted((one for one in written if isinstance(one.value, Progress)), key=_time):
        assert isinstance(one.value, Progress)
        while place < len(results) and _time(results[place]) <= _time(one) + SKEW_MS:
            table.put(results[place].value)
            place += 1
        book.put(one.value)
        covered = book.covered(night.info.partitions)
        if final and covered.watermark is not None and covered.watermark > reached:
            reached = covered.watermark
            if wrong := table.wrong(below=reached):
                yield f"{one.source}: {wrong} rows below watermark {reached} were not in the results before it"
        if covered.ended and not ended:
            ended = True
            if wrong := table.wrong():
                yield f"{one.source}: {wrong} rows were not in the results before the end"


def _time(one: WrittenRecord) -> int:
    return one.time or 0


@dataclass
class _Table:
    """An engine's counts as records arrive, and which rows differ from the expected ones."""

    night: GoldenNight
    newest: dict[tuple[Row, str], Result] = field(default_factory=dict)
    rows: dict[Row, Counter[str]] = field(default_factory=dict)
    bad: set[Row] = field(default_factory=set)
    expected: dict[Row, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table, counts in (
            (RESULTS_AUDIENCE, self.night.expected.audience),
            (RESULTS_REACTION, self.night.expected.reaction),
        ):
            self.expected |= {(table, window, name): _compared(row) for (window, name), row in counts.items()}
        self.bad = set(self.expected)

    def put(self, one: Result | Progress) -> None:
        """Process a result."""
        if isinstance(one, Progress):
            return
        table, name = (
            (RESULTS_AUDIENCE, one.space) if isinstance(one, AudienceResult) else (RESULTS_REACTION, one.subject)
        )
        row = (table, one.window, name)
        known = self.newest.get((row, one.shard))
        if known is not None and one.version < known.version:
            return
        self.newest[row, one.shard] = one
        counts = self.rows.setdefault(row, Counter())
        counts.subtract(known.counts if known else {})
        counts.update(one.counts)
        right = _compared(counts) == self.expected.get(row, {})
        (self.bad.discard if right else self.bad.add)(row)

    def wrong(self, below: int | None = None) -> int:
        """Return how many rows differ, of the windows that end at or before an event time if one is given."""
        last = None if below is None else below - self.night.info.window_ms
        return sum(last is None or window <= last for _, window, _ in self.bad)


def _compared(counts: Mapping[str, int]) -> Counts:
    """Return what is compared here: no zeros, and nothing that an engine need not publish."""
    return {name: value for name, value in counts.items() if value and not is_optional(name)}
