"""The fold of the engine ``quix``, on any store of keys and values; does not import Quix Streams."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec
from msgspec.structs import replace

from streams.contract.events import Mark
from streams.contract.results import Counts, Progress
from streams.contract.runinfo import RunInfo
from streams.engines.abstract import Summary
from streams.engines.shared.simplefold import CountChange, Row, changes, decode, person_of, result
from streams.errors import DecodeError

if TYPE_CHECKING:  # so that this module does not need librdkafka
    from streams.engines.shared.resultswriter import Out

Headers: TypeAlias = list[tuple[str, bytes]]


class Store(Protocol):
    """What the fold uses of Quix Streams' state; values are what JSON can hold."""

    def get(self, key: str) -> Any:
        """Return the value of a key, or None."""
        ...

    def set(self, key: str, value: Any) -> None:
        """Set the value of a key."""
        ...


class Fold:
    """The stateful function of the second dataframe.

    Under one partition's key the state holds the ``progress``, each row of counts under ``table|window|name``, each
    person's state under ``person|id``, and every event counted under ``event|id``.

    Args:
        info: The run.
        engine: The engine name in result keys.
    """

    def __init__(self, info: RunInfo, engine: str) -> None:
        self.info, self.engine = info, engine
        self.events = self.duplicates = self.dead_letters = 0
        self.first = self.last = 0.0

    def __call__(
        self, raw: bytes | None, _key: str, _timestamp: int, headers: Headers, state: Store
    ) -> "Iterable[Out]":
        """Fold one record of a source partition and return the records to write."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        source = dict(headers)
        topic, (partition, offset) = source["topic"].decode(), map(int, source["at"].split(b"@"))
        known = state.get("progress")
        progress = (
            msgspec.convert(known, Progress)
            if known
            else Progress.of_partition(self.info.run, self.engine, topic, partition)
        )
        if offset < progress.version:
            return []
        progress = replace(progress, version=offset + 1)
        out, progress = self._step(raw, progress, state)
        state.set("progress", msgspec.to_builtins(progress))
        return out

    def _step(self, raw: bytes | None, progress: Progress, state: Store) -> "tuple[list[Out], Progress]":
        try:
            name = f"{self.info.topics[progress.topic]}[{progress.shard}]@{progress.version - 1}"
            event = decode(progress.topic, raw, self.info, name)
        except DecodeError as error:
            self.dead_letters += 1
            return [(error, raw)], replace(progress, dead_letters=progress.dead_letters + 1)
        if isinstance(event, Mark):
            watermark = max(event.at, progress.watermark or event.at)
            progress = replace(progress, watermark=watermark, ended=progress.ended or event.mark == "end")
            return [progress], progress
        if state.get(f"event|{event.event_id}"):
            self.duplicates += 1
            return [], replace(progress, duplicates=progress.duplicates + 1)
        self.events += 1
        state.set(f"event|{event.event_id}", 1)
        key = f"person|{person_of(event)}"
        person = state.get(key) or {}
        found = changes(person, event, self.info)
        state.set(key, person)
        return self._rows(found, progress, state), replace(progress, events=progress.events + 1)

    def _rows(self, found: list[CountChange], progress: Progress, state: Store) -> "list[Out]":
        rows: dict[Row, Counts] = {}
        for change in found:
            row = change[:3]
            if row not in rows:
                rows[row] = state.get("|".join(map(str, row))) or {}
            rows[row][change.measure] = rows[row].get(change.measure, 0) + change.by
        for row, counts in rows.items():
            state.set("|".join(map(str, row)), counts)
        return [
            result(self.info, self.engine, row, progress.shard, progress.version, counts)
            for row, counts in rows.items()
        ]

    def summary(self, *, ended: bool) -> Summary:
        """Return the outcome of this worker."""
        return Summary(
            ended=ended,
            events=self.events,
            duplicates=self.duplicates,
            dead_letters=self.dead_letters,
            seconds=self.last - self.first,
            cpu_seconds=time.process_time(),
        )
