"""One worker's life: it accepts chunks, publishes what has changed, and keeps checkpoints. Knows no client library.

One task publishes, in cycles: it cuts every state (what changed, how far, and sometimes a checkpoint, all as of one
offset) and writes the results, then the progress, then the checkpoint, each only after the one before is
acknowledged. So progress and checkpoints are never ahead of the results. Chunks are accepted in between. What cannot
be written is cut again in a later cycle: results are upserts, so nothing piles up.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from streams.checkpoint.log import CheckpointLog, Saved
from streams.contract import results
from streams.contract.results import Progress
from streams.contract.topics import DEAD_LETTERS, PRESENCE, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION, TWEETS
from streams.engines.abstract import Summary, WorkerSettings
from streams.engines.faust.chunks import Chunk
from streams.engines.faust.partitions import Partitions, Place
from streams.engines.faust.steptimes import CHECKPOINT, PUBLISH, RESTORE
from streams.errors import BrokerError, RefusedError
from streams.fold.results import EncodedResults
from streams.fold.state import PartitionState
from streams.kafka.patience import patiently_awaited
from streams.kafka.writer import BatchWriter, OutgoingRecord
from streams.kernels.packed import joined
from streams.kernels.record import Ints

log = logging.getLogger(__name__)

SHARE: Final = 0.05
"""Publishing may take this share of the worker's time; so results are fresh while there is little to do."""
PUBLISH_SECONDS: Final = (0.05, 0.5)
"""Shortest and longest time between two publications while something changes."""
MAX_DEAD_LETTERS: Final = 10_000
"""Dead letters that may wait to be written; beyond that no chunk is accepted."""
AGAIN_SECONDS: Final = 0.5
"""Pause after the broker was away."""
_RESULT_TOPICS: Final = {PRESENCE: RESULTS_AUDIENCE, TWEETS: RESULTS_REACTION}
"""Base names: input topic to result topic."""


@dataclass
class _Cut:
    """Everything a worker has to publish, as of one instant."""

    results: dict[str, list[EncodedResults]] = field(default_factory=lambda: {topic: [] for topic in _RESULT_TOPICS})
    """By base name of the input topic."""
    progress: list[Progress] = field(default_factory=list)
    tokens: list[tuple[PartitionState, Ints]] = field(default_factory=list)
    dead_letters: list[OutgoingRecord] = field(default_factory=list)
    saved: list[Saved] = field(default_factory=list)


class FaustWorker:
    """Accepts chunks of the partitions it owns, publishes, and keeps checkpoints; use it in one event loop.

    Args:
        settings: The worker's settings.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.partitions = Partitions(settings.info, settings.engine)
        self.writer = BatchWriter(settings.connection)
        self.checkpoints = CheckpointLog(settings.connection, settings.info, settings.engine, self.writer)
        self.checkpointed: dict[Place, int] = {}
        """Next offset of each owned partition's newest checkpoint: where a successor goes on."""
        self.published = 0
        self.written = {"whole": 0, "changes": 0}
        self.written_bytes = 0
        self.restored = {"checkpoint": 0, "beginning": 0}
        self.ended = asyncio.Event()
        """Set while every owned partition has ended and its results are out."""
        self._changed = asyncio.Event()
        self._cycling = asyncio.Lock()
        self._room = asyncio.Event()
        self._room.set()
        self._next_checkpoint = 0.0
        self._owned: set[Place] = set()
        self._reported: dict[Place, tuple[int, int | None]] = {}
        self._first = self._last = 0.0

    async def accept(self, place: Place, chunk: Chunk) -> None:
        """Count a chunk; waits while too many dead letters are still to be written.

        Raises:
            MissingRecordsError: Records before it have not been seen.
        """
        await self._room.wait()
        if not self.partitions.accept(place, chunk):
            return
        self._last = time.monotonic()
        self._first = self._first or self._last
        if len(self.partitions.dead_letters) >= MAX_DEAD_LETTERS:
            self._room.clear()
        self._changed.set()

    async def own(self, places: Collection[Place]) -> dict[Place, int]:
        """Own these partitions from now on, and return where each goes on.

        Raises:
            BrokerError: The checkpoints cannot be read; a broker that is away is waited for.
        """
        self.release(places)
        fresh = [place for place in places if place not in self.partitions.states]
        if fresh:
            with self.partitions.step_times.measure(RESTORE):
                states = await patiently_awaited(lambda: self.checkpoints.restore(fresh))
            self.partitions.put(states)
            for state in states:
                self.checkpointed[state.topic, state.partition] = state.next_offset
                self.restored["checkpoint" if state.next_offset else "beginning"] += 1
        self._changed.set()
        return {place: state.next_offset for place, state in self.partitions.states.items()}

    def release(self, places: Collection[Place]) -> None:
        """Own no partitions but these: the others belong to other workers now."""
        self._owned = set(places)
        self.ended.clear()
        self.partitions.keep_only(places)
        for place in [place for place in self.checkpointed if place not in places]:
            del self.checkpointed[place]
            self._reported.pop(place, None)
        self._changed.set()

    async def publish(self) -> None:
        """Publish what changes until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._until_checkpoint())
            self._changed.clear()
            started, spent = time.monotonic(), self._spent()
            try:
                await self.cycle()
            except BrokerError as error:
                log.warning("%s; trying again", error)
                self._changed.set()
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            low, high = PUBLISH_SECONDS
            pause = min(high, max(low, (self._spent() - spent) / SHARE))
            await asyncio.sleep(pause - (time.monotonic() - started))

    def _until_checkpoint(self) -> float | None:
        """Return how long until a checkpoint is due; None while everything is in one."""
        if not self._uncheckpointed():
            return None
        return max(0.0, self._next_checkpoint - time.monotonic())

    def _uncheckpointed(self) -> list[PartitionState]:
        known = self.checkpointed
        return [state for place, state in self.partitions.states.items() if state.next_offset > known.get(place, 0)]

    def _spent(self) -> float:
        """Return the time spent on publishing so far."""
        seconds = self.partitions.step_times.seconds
        return seconds[PUBLISH] + seconds[CHECKPOINT]

    async def cycle(self, *, checkpoint: bool | None = None) -> None:
        """Publish what changed, then how far it is, then a checkpoint if one is due.

        Args:
            checkpoint: Whether to write one; None when it is due.

        Raises:
            BrokerError: Not everything was acknowledged; all of it comes again.
        """
        async with self._cycling:
            await self._cycle(time.monotonic() >= self._next_checkpoint if checkpoint is None else checkpoint)

    async def _cycle(self, due: bool) -> None:
        spent = self._spent()
        cut = self._cut(checkpoint=due)
        try:
            await self._publish(cut)
        except BaseException:
            self._take_back(cut)
            raise
        if cut.saved:
            await self._write(cut.saved)
            pause = max(self.settings.checkpoint_seconds, (self._spent() - spent) / SHARE)
            self._next_checkpoint = time.monotonic() + pause
        self._note_end()

    def _cut(self, *, checkpoint: bool) -> _Cut:
        cut = _Cut()
        with self.partitions.step_times.measure(PUBLISH):
            cut.dead_letters = [
                OutgoingRecord(one.key(), one.value, one.headers()) for one in self.partitions.dead_letters
            ]
            for place, state in self.partitions.states.items():
                if (state.next_offset, state.watermark) == self._reported.get(place):
                    continue
                found, token = state.take_results(self.settings.engine)
                cut.results[state.topic].append(found)
                cut.tokens.append((state, token))
                cut.progress.append(state.progress(self.settings.engine))
        if checkpoint:
            with self.partitions.step_times.measure(CHECKPOINT):
                cut.saved = self.checkpoints.cut(self._uncheckpointed())
        return cut

    async def _publish(self, cut: _Cut) -> None:
        names = self.settings.info.names()
        if cut.dead_letters:
            await self.writer.write(names.shared(DEAD_LETTERS), cut.dead_letters)
            del self.partitions.dead_letters[: len(cut.dead_letters)]
            self._room.set()
        for topic, found in cut.results.items():
            await self._send_results(names.shared(_RESULT_TOPICS[topic]), found)
        if cut.progress:
            outs = [OutgoingRecord(results.key_of(one), results.encode(one)) for one in cut.progress]
            self.published += (await self.writer.write(names.shared(RESULTS_PROGRESS), outs)).records
        for progress in cut.progress:
            self._reported[progress.topic, progress.partitions[0]] = (progress.version, progress.watermark)

    async def _send_results(self, topic: str, found: Sequence[EncodedResults]) -> None:
        if any(map(len, found)):
            keys, values = joined([part.keys for part in found]), joined([part.values for part in found])
            self.published += (await self.writer.write_columns(topic, keys, values)).records

    def _take_back(self, cut: _Cut) -> None:
        for state, token in cut.tokens:
            state.not_published(token)
        for one in cut.saved:
            self.checkpoints.forget((one.topic, one.partition))

    async def _write(self, saved: list[Saved]) -> None:
        await self.checkpoints.write(saved)
        for one in saved:
            self.written["whole" if one.whole else "changes"] += 1
            self.written_bytes += sum(map(len, one.records))
            if (one.topic, one.partition) in self.checkpointed:
                self.checkpointed[one.topic, one.partition] = one.next_offset

    def _note_end(self) -> None:
        """Set ``ended`` if nothing is left to do, as far as this worker knows."""
        complete = self.partitions.states.keys() == self._owned
        if complete and self.partitions.ended() and not self._changed.is_set():
            self.ended.set()
        else:
            self.ended.clear()

    async def close(self) -> None:
        """Write a last checkpoint if the broker answers at once, and close the connection."""
        try:
            await asyncio.wait_for(self.cycle(checkpoint=True), 2.0)
        except (BrokerError, RefusedError, TimeoutError) as error:
            log.info("no last checkpoint: %r", error)
        await self.checkpoints.close()
        await self.writer.close()

    def summary(self, *, ended: bool) -> Summary:
        """Return what it did."""
        partitions = self.partitions
        return Summary(
            ended=ended,
            events=partitions.events.total(),
            duplicates=partitions.duplicates.total(),
            dead_letters=partitions.reasons.total(),
            seconds=self._last - self._first,
            cpu_seconds=time.process_time(),
            stages=dict(partitions.step_times.seconds),
        )
