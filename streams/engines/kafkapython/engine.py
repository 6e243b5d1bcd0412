"""Engine ``kafka-python``: a plain consumer and a plain producer, the smallest exact engine.

It keeps no state. A worker that gets a partition reads it from the first record and writes everything again; versions
are source offsets, so earlier records lose or are the same. A restart, even after kill -9, needs no checkpoint,
transaction or committed offset; it costs the time to read the night again. By design it cannot be fast (one Python
object per record), recover quickly late in a long night, or hold more than fits in memory.
"""

import logging
import time
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from streams.contract.results import Progress, Result, encode, key_of, topic_of
from streams.contract.topics import DEAD_LETTERS, INPUTS
from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.engines.shared.simplefold import PartitionFold
from streams.engines.shared.stopping import RunEnd, stop_signals
from streams.errors import BrokerError, DecodeError, EngineError
from streams.kafka.admin import failed, passes
from streams.kafka.closing import close_producer
from streams.kafka.patience import patiently
from streams.kafka.progressreader import ProgressReader

PUBLISH_SECONDS: Final = 0.25
"""Time between two publications: a row changes with every event, but readers poll only a few times a second."""
FLUSH_SECONDS: Final = 30.0
AGAIN_SECONDS: Final = 0.5
"""Pause after the broker was away."""

log = logging.getLogger(__name__)


class KafkaPythonEngine(Engine):
    """Runs a ``KafkaPythonWorker`` until the run is done or a signal asks to stop."""

    name = "kafka-python"

    def run(self, settings: WorkerSettings) -> Summary:
        """Work; see ``Engine.run``."""
        try:
            with stop_signals() as stop:
                worker = patiently(lambda: self._open(settings))
                try:
                    while not stop.is_set() and not worker.done():
                        worker.work()
                finally:
                    worker.close()
                return worker.summary(ended=worker.end.reached)
        except KafkaError as error:
            raise BrokerError(f"{settings.connection.bootstrap_servers}: {error}") from error

    def _open(self, settings: WorkerSettings) -> "KafkaPythonWorker":
        try:
            return self.worker(settings)
        except KafkaError as error:
            raise failed(settings.connection, "cannot start", error) from error

    def worker(self, settings: WorkerSettings) -> "KafkaPythonWorker":
        """Return the worker to run."""
        return KafkaPythonWorker(settings)


class KafkaPythonWorker(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python is untyped
    """One member of the consumer group: a ``PartitionFold`` for each of its partitions.

    Args:
        settings: The worker's settings.

    Raises:
        KafkaError: No broker answers.
    """

    fold: ClassVar[type[PartitionFold]] = PartitionFold

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings, self.info = settings, settings.info
        self.bases = {self.info.topics[base]: base for base in INPUTS}
        self.folds: dict[TopicPartition, PartitionFold] = {}
        self.end = RunEnd(self.info, settings.engine)
        self.published = time.monotonic()
        self.busy: tuple[float, float] | None = None
        common = settings.connection.for_kafka_python()
        self.producer = KafkaProducer(**common, linger_ms=20, batch_size=1 << 18)
        self.consumer = KafkaConsumer(**common, **self._membership(), **_READING)
        for topic in self.bases:  # a member that joins before it knows the partitions gets none, and must join again
            self.consumer.partitions_for_topic(topic)
        self.consumer.subscribe(list(self.bases), listener=self)
        self.progress = ProgressReader(settings.connection, self.info)

    def _membership(self) -> dict[str, Any]:
        group = f"{self.info.prefix}{self.info.run}.{self.settings.engine}"
        if self.settings.worker is None:
            return {"group_id": group}
        # A restarted worker takes its former place at once, instead of after the session timeout.
        return {"group_id": group, "group_instance_id": f"worker-{self.settings.worker}"}

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - kafka-python's name
        """Request an assignment until there is one; there is nothing to commit.

        kafka-python 3.0 loses track of a rejoin if ``poll`` times out before the broker answers: it ignores the answer,
        and the worker stays without partitions. (The Java client had the same bug: KAFKA-9815.)
        """
        self.consumer._coordinator.request_rejoin()  # noqa: SLF001 - there is no public method

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Resume partitions that stayed where they were, and read new ones from their first record."""
        here = {tp: self.folds.get(tp) or self._fold(tp) for tp in assigned}
        self.folds = here
        for tp, fold in here.items():
            self.consumer.seek(tp, fold.next_offset)

    def _fold(self, tp: TopicPartition) -> PartitionFold:
        return self.fold(self.info, self.settings.engine, self.bases[tp.topic], tp.partition)

    def work(self) -> None:
        """Read available records, fold them, and publish the changes when they are due."""
        for tp, records in self._polled().items():
            fold = self.folds[tp]
            for record in records:
                error = fold.step(record.value, record.offset)
                if error is not None:
                    self._write_dead_letter(error, record.value)
            now = time.monotonic()
            self.busy = (self.busy[0] if self.busy else now, now)
        if time.monotonic() - self.published >= PUBLISH_SECONDS:
            self.publish()
            self.published = time.monotonic()

    def _polled(self) -> dict[TopicPartition, list[Any]]:
        """Return the next records; while the broker is away, none."""
        try:
            found: dict[TopicPartition, list[Any]] = self.consumer.poll(timeout_ms=100, max_records=2000)
        except KafkaError as error:
            if not passes(error):
                raise
            log.warning("%s; trying again", failed(self.settings.connection, "cannot read", error))
            time.sleep(AGAIN_SECONDS)
            return {}
        return found

    def publish(self) -> None:
        """Write every changed row and, once the broker has acknowledged them, the progress that covers them.

        Raises:
            EngineError: The broker did not acknowledge a record.
        """
        taken = [one for fold in self.folds.values() for one in fold.take()]
        self._send([one for one in taken if not isinstance(one, Progress)])
        self._send([one for one in taken if isinstance(one, Progress)])

    def _send(self, records: list[Result | Progress]) -> None:
        sent = [self.producer.send(self.info.topics[topic_of(one)], encode(one), key=key_of(one)) for one in records]
        self.producer.flush(timeout=FLUSH_SECONDS)
        for future in sent:
            if not future.succeeded():
                raise EngineError(f"a result was not written: {future.exception or 'not within 30 s'}")

    def _write_dead_letter(self, error: DecodeError, value: bytes | None) -> None:
        source = error.source.encode()
        headers = [("reason", error.reason.encode()), ("source", source)]
        self.producer.send(self.info.topics[DEAD_LETTERS], value, key=source, headers=headers)

    def done(self) -> bool:
        """Whether all workers have ended; their progress is read only once this worker's partitions have ended."""
        if not all(fold.ended for fold in self.folds.values()):
            return False
        for progress in self.progress.poll(0):
            self.end.put(progress)
        return self.end.reached

    def close(self) -> None:
        """Publish the remaining changes and leave the group."""
        try:
            self.publish()
        finally:
            self.consumer.close()
            self.progress.close()
            close_producer(self.producer, FLUSH_SECONDS)

    def summary(self, *, ended: bool) -> Summary:
        """Return the outcome of this worker."""
        folds = self.folds.values()
        return Summary(
            ended=ended,
            events=sum(fold.events for fold in folds),
            duplicates=sum(fold.duplicates for fold in folds),
            dead_letters=sum(fold.dead_letters for fold in folds),
            seconds=self.busy[1] - self.busy[0] if self.busy else 0.0,
            cpu_seconds=time.process_time(),
        )


_READING: Final[dict[str, Any]] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "isolation_level": "read_committed",  # what an aborted transaction wrote does not exist
    "fetch_max_wait_ms": 50,
    "max_partition_fetch_bytes": 4 << 20,
    "session_timeout_ms": 6_000,
    "heartbeat_interval_ms": 500,  # bounds the time until a member notices a rebalance
}
