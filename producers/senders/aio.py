"""The sender on aiokafka: whole record batches by ``send_batch``, the event loop run while the caller waits."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from producers.compose import lanes
from producers.compose.lanes import Lane
from producers.senders.protocol import UNACKNOWLEDGED, DeliveryListener
from producers.senders.recordbatch import PackedBatch
from streams.kafka.admin import ANSWER_SECONDS, unreachable
from streams.kafka.connection import Connection

BATCH_BYTES = 1 << 20
BATCHES_PER_LANE = 2
"""One on the wire and one behind it; what comes meanwhile waits and joins into the next batch."""
WAITING_RECORDS = 150_000
PACK_FROM = 200
"""Below this many records aiokafka's own builder is faster than setting up arrays."""


@dataclass
class _Queue:
    """What waits for one partition."""

    waiting: deque[Lane] = field(default_factory=deque)
    batches: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held until the client has a batch: while it looks for the leader, the next batch must not overtake."""


class AiokafkaSender:
    """Sends with aiokafka, without a thread: its loop runs inside ``wait`` and ``close``.

    Args:
        connection: Where the broker is.
        watcher: Who is told.
        paced: Whether events have due times; without a meaning here, batches form by themselves.

    Raises:
        BrokerError: Nobody answers at the address.
    """

    name: ClassVar[str] = "aiokafka"
    portion: ClassVar[int] = 20_000

    def __init__(self, connection: Connection, watcher: DeliveryListener, *, paced: bool) -> None:  # noqa: ARG002 - same for all
        self._watcher = watcher
        self._queues: dict[tuple[str, int], _Queue] = {}
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._news = asyncio.Event()
        started = time.monotonic()
        try:
            self._producer = self._loop.run_until_complete(self._open(connection))
        except (KafkaError, TimeoutError) as error:
            self._loop.close()
            raise unreachable(connection, error, time.monotonic() - started) from error

    async def _open(self, connection: Connection) -> Any:
        # Idempotent: a batch is retried until it is there once, however long the broker is away.
        producer = AIOKafkaProducer(
            **{"acks": "all", "enable_idempotence": True, "linger_ms": 0, **connection.for_aiokafka()}
        )
        try:
            await asyncio.wait_for(producer.start(), ANSWER_SECONDS)
        except BaseException:
            await producer.stop()
            raise
        return producer

    def send(self, lane: Lane) -> None:
        """Queue the records; the next batch of their partition takes them along."""
        queue = self._queues.setdefault((lane.topic, lane.partition), _Queue())
        queue.waiting.append(lane)
        self._waiting += len(lane)

    def publish(self, topic: str, key: bytes, value: bytes) -> None:
        """Send one record in a task of its own."""
        self._start(self._publish(topic, key, value))

    async def _publish(self, topic: str, key: bytes, value: bytes) -> None:
        try:
            await self._producer.send_and_wait(topic, value, key)
        except KafkaError:
            return

    def room(self) -> bool:
        """Return whether few records wait for a batch."""
        return self._waiting < WAITING_RECORDS

    def wait(self, seconds: float) -> None:
        """Run the loop for so long, or until a batch is settled."""
        self._loop.run_until_complete(self._run(seconds))

    async def _run(self, seconds: float) -> None:
        self._pump()
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return
        self._pump()

    def close(self, seconds: float) -> None:
        """Send what waits and close; what is unacknowledged then has failed."""
        deadline = time.monotonic() + seconds
        while (self._waiting or self._tasks) and time.monotonic() < deadline:
            self.wait(0.05)
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(self._close(max(0.1, deadline - time.monotonic())))
        self._loop.close()
        now = time.monotonic()
        for queue in self._queues.values():
            while queue.waiting:
                lane = queue.waiting.popleft()
                self._watcher.settled(lane, now, {UNACKNOWLEDGED: len(lane)})
        self._waiting = 0

    async def _close(self, seconds: float) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await asyncio.wait_for(self._producer.stop(), seconds)
        except (KafkaError, TimeoutError):
            return

    def _pump(self) -> None:
        """Form batches where a partition has a place for one."""
        for queue in self._queues.values():
            while queue.waiting and queue.batches < BATCHES_PER_LANE:
                batch = self._next_batch(queue)
                queue.batches += 1
                self._watcher.left(batch, time.monotonic())
                self._start(self._deliver(queue, batch))

    def _next_batch(self, queue: _Queue) -> Lane:
        """Take from the front what makes a batch of about ``BATCH_BYTES``."""
        taken: list[Lane] = []
        left = BATCH_BYTES
        while queue.waiting and left > 0:
            lane = queue.waiting.popleft()
            fits = max(1, left * len(lane) // max(1, lane.values.nbytes + lane.keys.nbytes))
            if fits < len(lane):
                queue.waiting.appendleft(lane.part(fits, len(lane)))
                lane = lane.part(0, fits)
            left -= lane.values.nbytes + lane.keys.nbytes
            taken.append(lane)
        batch = lanes.joined(taken)
        self._waiting -= len(batch)
        return batch

    async def _deliver(self, queue: _Queue, lane: Lane) -> None:
        failed: dict[str, int] = {}
        try:
            async with queue.turn:
                accepted = await self._accepted(_built(lane), lane)
            await accepted
        except KafkaError as error:
            failed[type(error).__name__] = len(lane)
        except asyncio.CancelledError:
            failed[UNACKNOWLEDGED] = len(lane)
        queue.batches -= 1
        self._watcher.settled(lane, time.monotonic(), failed)
        self._news.set()

    async def _accepted(self, batch: Any, lane: Lane) -> asyncio.Future[Any]:
        """Return the batch's future once the client has queued it; while the broker is away that takes long."""
        while True:
            try:
                accepted: asyncio.Future[Any] = await self._producer.send_batch(
                    batch, lane.topic, partition=lane.partition
                )
            except KafkaTimeoutError:
                continue
            return accepted

    def _start(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _built(lane: Lane) -> Any:
    if len(lane) >= PACK_FROM:
        return PackedBatch(lane)
    batch = BatchBuilder(1 << 30, 0)
    for key, value, at in zip(lane.keys.to_pylist(), lane.values.to_pylist(), lane.at.tolist(), strict=True):
        batch.append(timestamp=at, key=key, value=value)
    batch.close()
    return batch
