"""A part of a night: some of its records, with the marks and the answers that belong to them; no I/O."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Final

import msgspec

from joinstorm.conformance.nights import is_end
from streams.contract.events import Mark, MarkKind, encode
from streams.contract.results import AudienceResult, ReactionResult, summed
from streams.contract.topics import INPUTS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.engines.shared.simplefold import PartitionFold
from streams.golden import EventTotals, Expected, GoldenNight, InputRecord

FILES: Final = ("info.json", "input.jsonl", "expected.jsonl")


def is_mark(record: InputRecord) -> bool:
    """Whether this is a mark of the run, which belongs to every part of a night."""
    return record.key is None and not record.reason


def part_of(night: GoldenNight, kept: AbstractSet[int]) -> GoldenNight:
    """Return a night of some records, given by their places, and all marks, with the answers of the simple fold."""
    records = [record for place, record in enumerate(night.records) if place in kept or is_mark(record)]
    folds = {(t, p): PartitionFold(night.info, "", t, p) for t in INPUTS for p in range(night.info.partitions)}
    for record in records:
        fold = folds[record.topic, record.partition]
        fold.step(record.value, fold.next_offset)
    ends = {place: _end(night, fold.events) for place, fold in folds.items()}
    changed = [replace(r, value=ends[r.topic, r.partition]) if is_end(r) else r for r in records]
    return replace(night, records=tuple(changed), expected=_expected(list(folds.values())))


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
