"""An engine's progress: its ``results.progress`` records, merged over shards."""

from collections.abc import Callable
from dataclasses import dataclass, field

from streams.contract.results import Progress
from streams.contract.topics import INPUTS


@dataclass(frozen=True)
class Covered:
    """How much of one run's input an engine has counted.

    Args:
        watermark: Every event of both input topics below this event time is counted; None until every partition has
            had a mark.
        ended: Every partition of both input topics is covered to its end.
        missing: Partitions without an ``ended`` record, as ``topic[partition]``.
        events: Distinct events counted, by base name of the input topic.
        duplicates: Duplicates, by base name of the input topic.
        dead_letters: Dead letters, by base name of the input topic.
    """

    watermark: int | None = None
    ended: bool = False
    missing: tuple[str, ...] = ()
    events: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=dict)


class ProgressBook:
    """Keeps the newest progress record of every shard of one engine."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], Progress] = {}

    def put(self, record: Progress) -> None:
        """Add one record; a version older than the known one changes nothing."""
        key = (record.topic, record.shard)
        known = self._newest.get(key)
        if known is None or record.version >= known.version:
            self._newest[key] = record

    def covered(self, partitions: int) -> Covered:
        """Merge the shards, for input topics of ``partitions`` partitions each.

        Several shards may cover one partition, after it moved between workers. All are true, so the furthest counts.
        """
        watermarks: list[int | None] = []
        missing: list[str] = []
        for topic in INPUTS:
            records = [record for (base, _), record in self._newest.items() if base == topic]
            for partition in range(partitions):
                mine = [record for record in records if partition in record.partitions]
                watermarks.append(max((r.watermark for r in mine if r.watermark is not None), default=None))
                if not any(record.ended for record in mine):
                    missing.append(f"{topic}[{partition}]")
        known = [mark for mark in watermarks if mark is not None]
        return Covered(
            watermark=min(known) if known and len(known) == len(watermarks) else None,
            ended=not missing,
            missing=tuple(missing),
            events=self._sums(lambda record: record.events),
            duplicates=self._sums(lambda record: record.duplicates),
            dead_letters=self._sums(lambda record: record.dead_letters),
        )

    def _sums(self, of: Callable[[Progress], int]) -> dict[str, int]:
        totals = dict.fromkeys(INPUTS, 0)
        for (topic, _), record in self._newest.items():
            if topic in totals:
                totals[topic] += of(record)
        return totals
