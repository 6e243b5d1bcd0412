"""A part of a night: some of its records, with the marks and the answers that belong to them; no I/O."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Final

import msgspec

from joinstorm.conformance.nightmarks import is_mark
from joinstorm.conformance.nights import is_end
from streams.contract.events import Mark, MarkKind, encode
from streams.contract.results import AudienceResult, ReactionResult, summed
from streams.contract.topics import INPUTS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.engines.shared.simplefold import PartitionFold
from streams.golden import EventTotals, Expected, GoldenNight

FILES: Final = ("info.json", "input.jsonl", "expected.jsonl")
ROUNDS: Final = 12
"""Marks of each partition that a night with few of them has besides those next to its events: points stop at marks."""


def part_of(night: GoldenNight, kept: AbstractSet[int], *, few_marks: bool = False) -> GoldenNight:
    """Return a part of a night, with the answers of the simple fold.

    Args:
        night: The night.
        kept: Places of the records to keep.
        few_marks: Whether to keep only the end marks, the marks next to a kept record, and ``ROUNDS`` others of each
            partition; if not, all marks are kept.
    """
    marks = _few_marks(night, kept) if few_marks else {p for p, record in enumerate(night.records) if is_mark(record)}
    records = [record for place, record in enumerate(night.records) if place in kept or place in marks]
    folds = {(t, p): PartitionFold(night.info, "", t, p) for t in INPUTS for p in range(night.info.partitions)}
    for record in records:
        fold = folds[record.topic, record.partition]
        fold.step(record.value, fold.next_offset)
    ends = {place: _end(night, fold.events) for place, fold in folds.items()}
    changed = [replace(r, value=ends[r.topic, r.partition]) if is_end(r) else r for r in records]
    return replace(night, records=tuple(changed), expected=_expected(list(folds.values())))


def _few_marks(night: GoldenNight, kept: AbstractSet[int]) -> set[int]:
    """Return the places of all end marks and of the rounds of marks that are kept; a round has one event time."""
    times = sorted({r.timestamp for r in night.records if is_mark(r)})
    wanted = {times[len(times) * number // ROUNDS] for number in range(ROUNDS)} if times else set()
    newest, fresh = 0, False
    for place, record in enumerate(night.records):
        if place in kept:
            wanted.add(newest)
            fresh = True
        elif is_mark(record):
            newest = record.timestamp
            wanted |= {newest} if fresh else set()
            fresh = False
    return {p for p, r in enumerate(night.records) if is_mark(r) and (is_end(r) or r.timestamp in wanted)}


def _end(night: GoldenNight, events: int) -> bytes:
    return encode(Mark(MarkKind.END, night.info.end, night.info.run, 1, events=events))


def _expected(folds: Sequence[PartitionFold]) -> Expected:
    results = [one for fold in folds for one in fold.take()]
    totals = {topic: _totals([fold for fold in folds if fold.topic == topic]) for topic in INPUTS}
    audience = summed(one for one in results if isinstance(one, AudienceResult))
    reaction = summed(one for one in results if isinstance(one, ReactionResult))
    return Expected(audience, reaction, totals)


def _totals(folds: Sequence[PartitionFold]) -> EventTotals:
    return EventTotals(*(sum(getattr(one, name) for one in folds) for name in ("events", "duplicates", "dead_letters")))


def files_of(night: GoldenNight) -> dict[str, bytes]:
    """Return a night as the files of a golden night (``streams.golden``), by name."""
    info = msgspec.json.format(msgspec.json.encode(night.info), indent=2) + b"\n"
    texts = (info, b"".join(_inputs(night)), b"".join(_outcomes(night)))
    return dict(zip(FILES, texts, strict=True))


def _inputs(night: GoldenNight) -> Iterator[bytes]:
    for r in night.records:
        line: dict[str, Any] = {"topic": r.topic, "partition": r.partition, "key": r.key and r.key.decode()}
        line |= {"reason": r.reason} if r.reason else {}
        line |= {"base64": r.value} if r.reason == "not_json" else {"value": msgspec.Raw(r.value)}
        yield msgspec.json.encode(line) + b"\n"


def _outcomes(night: GoldenNight) -> Iterator[bytes]:
    tables = (
        (RESULTS_AUDIENCE, "space", night.expected.audience),
        (RESULTS_REACTION, "subject", night.expected.reaction),
    )
    for topic, name, table in tables:
        for (window, row), counts in sorted(table.items()):
            yield msgspec.json.encode({"topic": topic, "window": window, name: row, "counts": counts}) + b"\n"
    for topic, totals in night.expected.totals.items():
        fields = {name: getattr(totals, name) for name in ("events", "duplicates", "dead_letters")}
        yield msgspec.json.encode({"topic": RESULTS_PROGRESS, "input": topic, **fields}) + b"\n"
