"""What a worker wants to know of the run as a whole: how far the replay is, and whether every partition has ended."""

import asyncio
import contextlib
import logging
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.contract.progress import ProgressBook
from streams.contract.results import decode_progress
from streams.contract.runinfo import RunInfo, decode_status
from streams.contract.topics import RESULTS_PROGRESS, RUN_STATUS
from streams.errors import ContractError
from streams.kafka.connection import Connection

log = logging.getLogger(__name__)

_POLL_MS: Final = 100
_LAST_STATUSES: Final = 200
"""Statuses of several runs share a topic; ours, if there is one, is among the last."""
_BEFORE_MS: Final = 60_000
"""Clocks may differ: progress is read from this long before the run was opened."""
_TUNING: Final[dict[str, Any]] = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "fetch_max_wait_ms": _POLL_MS,
}


class RunMonitor:
    """Follows ``run.status``, and once asked also ``results.progress`` of one engine; use it in one event loop."""

    def __init__(self, connection: Connection, info: RunInfo, engine: str) -> None:
        self.replayed: int | None = None
        """Event time up to which everything was sent; None while it is unknown."""
        self.ended = asyncio.Event()
        """Set when the engine's progress covers every partition with ``ended``."""
        self._connection = connection
        self._info = info
        self._engine = engine
        self._book = ProgressBook()
        self._wanted = False
        self._status = TopicPartition(info.names().shared(RUN_STATUS), 0)
        self._progress = TopicPartition(info.names().shared(RESULTS_PROGRESS), 0)
        self._mine = info.run.encode()

    def want_end(self) -> None:
        """Ask for ``ended``: a worker that still has work of its own need not read everybody's progress."""
        self._wanted = True

    async def follow(self) -> None:
        """Read until cancelled; a broker that is away is waited for."""
        while True:
            with contextlib.suppress(KafkaError, OSError):
                await self._follow()
            await asyncio.sleep(_POLL_MS / 1000)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(**{**_TUNING, **self._connection.for_aiokafka()})
        await consumer.start()
        try:
            await consumer.topics()
            consumer.assign([self._status, self._progress])
            await self._seek(consumer)
            while True:
                if self._wanted and consumer.paused():
                    consumer.resume(self._progress)
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for record in records:
                        self._take(record)
        finally:
            await consumer.stop()

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        consumer.pause(self._progress)
        end = (await consumer.end_offsets([self._status]))[self._status]
        begin = (await consumer.beginning_offsets([self._status]))[self._status]
        consumer.seek(self._status, max(begin, end - _LAST_STATUSES))
        since = {self._progress: self._info.created_ms - _BEFORE_MS}
        found = (await consumer.offsets_for_times(since))[self._progress]
        if found is not None:
            consumer.seek(self._progress, found.offset)
        else:
            await consumer.seek_to_beginning(self._progress)

    def _take(self, record: ConsumerRecord) -> None:
        if record.value is None or self._mine not in (record.key or b""):
            return
        try:
            if record.topic == self._status.topic:
                status = decode_status(record.value)
                self.replayed = status.at if status.run == self._info.run else self.replayed
                return
            progress = decode_progress(record.value)
        except ContractError as error:
            log.debug("%s[%d]@%d: %s", record.topic, record.partition, record.offset, error)
            return
        if progress.run == self._info.run and progress.engine == self._engine:
            self._book.put(progress)
            if self._book.covered(self._info.partitions).ended:
                self.ended.set()
