"""The sender on aiokafka: whole record batches by ``send_batch``; its event loop runs while the caller waits."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, ClassVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from producers.compose.lanes import Lane
from producers.senders.backlog import Backlog
from producers.senders.protocol import UNACKNOWLEDGED, DeliveryListener
from producers.senders.recordbatch import PACK_FROM, pack
from streams.kafka.admin import ANSWER_SECONDS, unreachable
from streams.kafka.connection import Connection
from streams.kafka.packedbatch import ClosedBatch


class AiokafkaSender:
    """Sends with aiokafka, without a thread: the event loop runs inside ``wait`` and ``close``.

    Args:
        connection: Where the broker is.
        listener: Receives the deliveries.
        paced: Whether events have due times; makes no difference here.

    Raises:
        BrokerError: Nobody answers at the address.
    """

    name: ClassVar[str] = "aiokafka"
    portion: ClassVar[int] = 20_000

    def __init__(self, connection: Connection, listener: DeliveryListener, *, paced: bool) -> None:  # noqa: ARG002 - the same for all
        self._listener = listener
        self._backlog = Backlog()
        # Held until the client has a batch: while it looks for the leader, the next batch must not overtake.
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
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
        """Queue the records; they leave in the next batch of their partition."""
        self._backlog.add(lane)

    def find(self, topics: Iterable[str]) -> None:
        """Wait for the topics' metadata."""
        with contextlib.suppress(KafkaError):
            for topic in topics:
                self._loop.run_until_complete(self._producer.partitions_for(topic))

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
        return not self._backlog.full()

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
        """Send what waits and close; records not acknowledged by then have failed."""
        deadline = time.monotonic() + seconds
        while (self._backlog.records or self._tasks) and time.monotonic() < deadline:
            self.wait(0.05)
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(self._close(max(0.1, deadline - time.monotonic())))
        self._loop.close()
        now = time.monotonic()
        for lane in self._backlog.drop():
            self._listener.settled(lane, now, {UNACKNOWLEDGED: len(lane)})

    async def _close(self, seconds: float) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await asyncio.wait_for(self._producer.stop(), seconds)
        except (KafkaError, TimeoutError):
            return

    def _pump(self) -> None:
        for batch in self._backlog.batches():
            self._listener.left(batch, time.monotonic())
            self._start(self._deliver(batch))

    async def _deliver(self, lane: Lane) -> None:
        failed: dict[str, int] = {}
        try:
            async with self._turns[lane.topic, lane.partition]:
                accepted = await self._accepted(_built(lane), lane)
            await accepted
        except KafkaError as error:
            failed[type(error).__name__] = len(lane)
        except asyncio.CancelledError:
            failed[UNACKNOWLEDGED] = len(lane)
        self._backlog.settled(lane)
        self._listener.settled(lane, time.monotonic(), failed)
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
    if len(lane) >= PACK_FROM or lane.headers is not None:
        return ClosedBatch(pack(lane))
    batch = BatchBuilder(1 << 30, 0)
    for key, value, at in zip(lane.keys.to_pylist(), lane.values.to_pylist(), lane.at.tolist(), strict=True):
        batch.append(timestamp=at, key=key, value=value)
    batch.close()
    return batch
