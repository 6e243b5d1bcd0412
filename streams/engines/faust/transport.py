"""Faust's aiokafka transport, handing whole chunks to agents instead of single records.

What differs from Faust's own, and why:

- ``_drain_messages`` makes one message per chunk. Faust makes four tasks per message; per chunk that costs nothing.
- Acknowledging a message means the agent has seen it, no more. What is committed to the group is the offset of the
  newest checkpoint (``_new_offset``), and where to go on after an assignment is asked of the checkpoints
  (``perform_seek``). Faust's own rule takes what lies between two messages for an acknowledged gap: a chunk that
  carries its last offset would be committed before it is processed.
- At most ``IN_FLIGHT`` chunks are on their way to the agent: memory is bounded, and a partition is never taken out of
  the fetch for a full buffer (when that happens to all of them Faust sleeps for a second).
- What is taken from the fetch while the flow is stopped is not counted. Mostly the rebalance ends in a seek. What was
  taken after that seek is fetched again as soon as nothing else arrives (``_fetch_uncounted``): it may be a
  partition's last chunk, and then no later one shows that it is missing.
- The consumer waits ``FETCH_WAIT_MS`` for a fetch (Faust: 1.5 s, during which an idle partition holds up the busy
  ones) and does not see transactions that were given up.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CorruptRecordException, KafkaError
from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP, ConsumerMessage

from streams.engines.faust.batches import BatchRecords
from streams.engines.faust.chunks import Chunk, merged
from streams.engines.faust.consumerthread import DaemonConsumerThread
from streams.errors import EngineError
from streams.kafka.batchfetch import take_batches

FETCH_WAIT_MS: Final = 30
FETCH_BYTES: Final = 8 << 20
"""A fetch of all partitions together: what fits into the processor's cache is copied twice as fast."""
IN_FLIGHT: Final = 4
CHUNK_RECORDS: Final = 8_192
"""Chunks are joined up to this many records (see docs/performance.md)."""
_WAIT_SECONDS: Final = 1.0
_CORRUPT_LIMIT: Final = 20
"""A batch whose checksum does not fit is fetched again this often before the worker gives up."""


class Hooks:
    """What the transport asks of the engine.

    Args:
        topics: Full names of the topics that are read in chunks.
        own: Called with the assigned partitions; returns the offset at which each goes on.
        release: Called with the partitions that stay assigned, as soon as a rebalance takes others away.
        committable: Offset up to which a partition may be committed, None where there is none.
        counted: Returns the next offset to be counted of every partition that is owned.
    """

    def __init__(
        self,
        topics: Collection[str],
        own: Callable[[Collection[TP]], Any],
        release: Callable[[Collection[TP]], None],
        committable: Callable[[TP], int | None],
        counted: Callable[[], Mapping[TP, int]],
    ) -> None:
        self.topics = sorted(topics)
        self.own = own
        self.release = release
        self.committable = committable
        self.counted = counted


class ChunkConsumerThread(DaemonConsumerThread):
    """Faust's consumer thread around a consumer that fetches whole batches."""

    def _create_worker_consumer(self, transport: "ChunkTransport") -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 - Faust writes its own number there, unasked
        consumer._fetch_max_bytes = FETCH_BYTES  # noqa: SLF001 - likewise
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - likewise
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, then have it bring chunks."""
        await super().on_start()
        take_batches(self._consumer, self.transport.hooks.topics, BatchRecords)

    async def positions(self, tps: Collection[TP]) -> dict[TP, int]:
        """Return the offset of the next record that is taken from each partition."""
        found: dict[TP, int] = await self.call_thread(self._positions, self._ensure_consumer(), tps)
        return found

    @staticmethod
    async def _positions(consumer: AIOKafkaConsumer, tps: Collection[TP]) -> dict[TP, int]:
        return {tp: await consumer.position(tp) for tp in tps}


class ChunkConsumer(Consumer):  # type: ignore[misc]  # Faust has no usable type information
    """Faust's consumer, a message per chunk; see the module's text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = asyncio.Event()
        self._corrupt = 0
        self._hooks: Hooks = self.transport.hooks

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._drain_once()
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise

    async def _drain_once(self) -> None:
        try:
            records, active = await self._wait_next_records(_WAIT_SECONDS)
        except CorruptRecordException as error:
            await self._note_corrupt(error)
            return
        if not records or not self.flow_active:
            await asyncio.sleep(0)
            if not records and self.flow_active and not self._unacked_messages:
                await self._fetch_uncounted()
            return
        self._corrupt = 0
        generation = self.app.consumer_generation_id
        for tp, fetched in records.items():
            if active is None or tp in active:
                await self._deliver(tp, fetched, generation)

    async def _fetch_uncounted(self) -> None:
        """Go back to what was taken and is not counted, while nothing is on its way to the agent."""
        generation, counted = self.app.consumer_generation_id, self._hooks.counted()
        taken: dict[TP, int] = {}
        with contextlib.suppress(KafkaError, TimeoutError):  # a rebalance has begun: it ends in a seek
            taken = await asyncio.wait_for(self._thread.positions(list(counted)), _WAIT_SECONDS)
        lost = {tp: counted[tp] for tp, offset in taken.items() if offset > counted[tp]}
        if lost and self.flow_active and generation == self.app.consumer_generation_id:
            self.log.warning("taken during a rebalance and not counted, fetching again from %s", lost)
            await self.seek_wait(lost)

    async def _deliver(self, tp: TP, fetched: Iterable[Chunk], generation: int) -> None:
        for chunk in merged(fetched, CHUNK_RECORDS):
            await self._wait_for_room()
            if not self.flow_active or generation != self.app.consumer_generation_id:
                return
            last = chunk.next_offset - 1
            message = ConsumerMessage(
                tp.topic, tp.partition, last, 0.0, 0, None, None, chunk, None, 0, 0, tp, generation_id=generation
            )
            await self.wait_first(self.callback(message), self.suspend_flow.wait())
            self._read_offset[tp] = last

    async def _wait_for_room(self) -> None:
        # Messages that a rebalance has cleared away are never acknowledged; but the set holds them weakly.
        while len(self._unacked_messages) >= IN_FLIGHT and self.flow_active and not self.should_stop:
            self._room.clear()
            try:
                await asyncio.wait_for(self._room.wait(), _WAIT_SECONDS / 10)
            except TimeoutError:
                continue

    async def _note_corrupt(self, error: CorruptRecordException) -> None:
        self._corrupt += 1
        self.log.warning("%s; fetching it again", error)
        if self._corrupt >= _CORRUPT_LIMIT:
            raise EngineError(f"a record batch is damaged on the broker: {error}") from error
        await asyncio.sleep(_WAIT_SECONDS / 10)

    def ack(self, message: Any) -> bool:
        """Note that the agent has seen a chunk."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        self._room.set()
        return True

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> list[TP]:
        return [tp for tp in self.assignment() if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        return self._hooks.committable(tp)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Drop the partitions that were taken away, then go on as Faust does."""
        self._hooks.release(assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        """Go on at the offsets of the checkpoints."""
        offsets: Mapping[TP, int] = await self._hooks.own(self.assignment())
        await self.seek_wait(offsets)


class NoTables(TableManager):  # type: ignore[misc]  # Faust has no usable type information
    """Faust's table manager without the second it waits for tables to be announced: there are none."""

    async def on_start(self) -> None:
        """Go on at once."""
        await self._update_channels()
        await self.recovery.start()


class ChunkTransport(Transport):  # type: ignore[misc]  # Faust has no usable type information
    """Faust's aiokafka transport with ``ChunkConsumer``.

    Args:
        urls: Where the brokers are, as Faust wants it.
        app: The Faust app.
        hooks: What is asked of the engine.
    """

    Consumer = ChunkConsumer

    def __init__(self, urls: list[Any], app: Any, hooks: Hooks) -> None:
        super().__init__(urls, app)
        self.hooks = hooks
