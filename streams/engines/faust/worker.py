"""One worker's life: it takes chunks, says what has changed, and writes down how far it is. Knows no client library.

One task speaks, in cycles: it cuts every state (what changed, how far, and sometimes a checkpoint, all as of one
offset), hands the results to the broker, then the progress, then the checkpoint, each only after the one before is
acknowledged. So a checkpoint says that the results before it are out, and progress says so of itself. Chunks are
taken in between. What cannot be written is cut again in a later cycle: results are upserts, so nothing piles up.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from streams.checkpoint.log import CheckpointLog, Saved
from streams.contract import results
from streams.contract.results import AudienceResult, Progress, Result
from streams.contract.topics import DEAD_LETTERS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.engines.abstract import Summary, WorkerSettings
from streams.engines.faust.chunks import Chunk
from streams.engines.faust.partitions import Partitions, Place
from streams.engines.faust.steptimes import CHECKPOINT, PUBLISH, RESTORE
from streams.errors import BrokerError, RefusedError
from streams.fold.canonical import Bools
from streams.fold.state import PartitionState
from streams.kafka.writer import BatchWriter, OutgoingRecord

log = logging.getLogger(__name__)

SHARE: Final = 0.05
"""Speaking may take this share of the worker's time; so it speaks often while there is little to do."""
PUBLISH_SECONDS: Final = (0.05, 0.5)
"""Shortest and longest time between two publications while something changes."""
MAX_LETTERS: Final = 10_000
"""Records put aside that may wait to be written; beyond that no chunk is taken."""
AGAIN_SECONDS: Final = 0.5
"""How long to wait before speaking again after the broker did not listen."""


@dataclass
class _Cut:
    """Everything a worker has to say, as of one instant."""

    results: list[Result] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    tokens: list[tuple[PartitionState, Bools]] = field(default_factory=list)
    letters: list[OutgoingRecord] = field(default_factory=list)
    saved: list[Saved] = field(default_factory=list)


class FaustWorker:
    """Takes chunks of the partitions it owns, publishes, and keeps checkpoints; use it in one event loop.

    Args:
        settings: What it is told.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.partitions = Partitions(settings.info, settings.engine)
        self.outlet = BatchWriter(settings.connection)
        self.checkpoints = CheckpointLog(settings.connection, settings.info, settings.engine, self.outlet)
        self.checkpointed: dict[Place, int] = {}
        """Next offset of each owned partition's newest checkpoint: where a successor goes on."""
        self.published = 0
        self.written = {"whole": 0, "changes": 0}
        self.written_bytes = 0
        self.restored = {"checkpoint": 0, "beginning": 0}
        self.ended = asyncio.Event()
        """Set while every owned partition has ended and its results are out."""
        self._changed = asyncio.Event()
        self._speaking = asyncio.Lock()
        self._room = asyncio.Event()
        self._room.set()
        self._next_checkpoint = 0.0
        self._owned: set[Place] = set()
        self._said: dict[Place, tuple[int, int | None]] = {}
        self._first = self._last = 0.0

    async def take(self, place: Place, chunk: Chunk) -> None:
        """Bring in a chunk; waits while too many records that were put aside are still to be written.

        Raises:
            MissingRecordsError: Records before it have not been seen.
        """
        await self._room.wait()
        if not self.partitions.take(place, chunk):
            return
        self._last = time.monotonic()
        self._first = self._first or self._last
        if len(self.partitions.letters) >= MAX_LETTERS:
            self._room.clear()
        self._changed.set()

    async def own(self, places: Collection[Place]) -> dict[Place, int]:
        """Own these partitions from now on, and return where each goes on.

        Raises:
            BrokerError: The checkpoints cannot be read.
        """
        self.release(places)
        fresh = [place for place in places if place not in self.partitions.states]
        if fresh:
            with self.partitions.stages.measure(RESTORE):
                states = await self.checkpoints.restore(fresh)
            self.partitions.put(states)
            for state in states:
                self.checkpointed[state.topic, state.partition] = state.next_offset
                self.restored["checkpoint" if state.next_offset else "beginning"] += 1
        self._changed.set()
        return {place: state.next_offset for place, state in self.partitions.states.items()}

    def release(self, places: Collection[Place]) -> None:
        """Own no partitions but these: the others are somebody else's now."""
        self._owned = set(places)
        self.ended.clear()
        self.partitions.keep_only(places)
        for place in [place for place in self.checkpointed if place not in places]:
            del self.checkpointed[place]
            self._said.pop(place, None)
        self._changed.set()

    async def speak(self) -> None:
        """Say what there is to say, again and again; ends only by being cancelled."""
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
        """Return the time spent on speaking so far."""
        seconds = self.partitions.stages.seconds
        return seconds[PUBLISH] + seconds[CHECKPOINT]

    async def cycle(self, *, checkpoint: bool | None = None) -> None:
        """Publish what changed, then how far it is, then a checkpoint if one is due.

        Args:
            checkpoint: Whether to write one; None when it is due.

        Raises:
            BrokerError: Not everything was acknowledged; all of it comes again.
        """
        async with self._speaking:
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
        with self.partitions.stages.measure(PUBLISH):
            cut.letters = [
                OutgoingRecord(letter.key(), letter.value, letter.headers()) for letter in self.partitions.letters
            ]
            for place, state in self.partitions.states.items():
                if (state.next_offset, state.watermark) == self._said.get(place):
                    continue
                found, token = state.take_results(self.settings.engine)
                cut.results += found
                cut.tokens.append((state, token))
                cut.progress.append(state.progress(self.settings.engine))
        if checkpoint:
            with self.partitions.stages.measure(CHECKPOINT):
                cut.saved = self.checkpoints.cut(self._uncheckpointed())
        return cut

    async def _publish(self, cut: _Cut) -> None:
        names = self.settings.info.names()
        letters = len(cut.letters)
        if letters:
            await self.outlet.write(names.shared(DEAD_LETTERS), cut.letters)
            del self.partitions.letters[:letters]
            self._room.set()
        audience = [result for result in cut.results if isinstance(result, AudienceResult)]
        reaction = [result for result in cut.results if not isinstance(result, AudienceResult)]
        for topic, found in ((RESULTS_AUDIENCE, audience), (RESULTS_REACTION, reaction)):
            if found:
                await self._send(names.shared(topic), found)
        if cut.progress:
            await self._send(names.shared(RESULTS_PROGRESS), cut.progress)
        for progress in cut.progress:
            self._said[progress.topic, progress.partitions[0]] = (progress.version, progress.watermark)

    async def _send(self, topic: str, records: Iterable[Result | Progress]) -> None:
        with self.partitions.stages.measure(PUBLISH):
            outs = [OutgoingRecord(results.key_of(record), results.encode(record)) for record in records]
        self.published += (await self.outlet.write(topic, outs)).records

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
        """Tell that nothing is left to do, as far as this worker knows."""
        complete = self.partitions.states.keys() == self._owned
        if complete and self.partitions.ended() and not self._changed.is_set():
            self.ended.set()
        else:
            self.ended.clear()

    async def close(self) -> None:
        """Write a last checkpoint if the broker listens at once, and let go of it."""
        try:
            await asyncio.wait_for(self.cycle(checkpoint=True), 2.0)
        except (BrokerError, RefusedError, TimeoutError) as error:
            log.info("no last checkpoint: %r", error)
        await self.checkpoints.close()
        await self.outlet.close()

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
            stages=dict(partitions.stages.seconds),
        )
