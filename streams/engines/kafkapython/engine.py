"""Engine ``kafka-python``: a plain consumer and a plain producer, the smallest engine that is exact.

It keeps nothing. Whoever gets a partition reads it from its first record and writes everything again; as versions are
source offsets, what was written before loses or says the same. So a restart, kill -9 included, needs no checkpoint, no
transaction and no committed offset; it costs the time to read the night again. What it cannot do by its nature: be
fast (one Python object per record), recover quickly late in a long night, or hold more than fits into memory.
"""

import time
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from streams.contract.results import AudienceResult, Progress, ReactionResult, Result, encode, key_of
from streams.contract.topics import DEAD_LETTERS, INPUTS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.engines.shared.simplefold import PartitionFold
from streams.engines.shared.stopping import RunEnd, stop_signals
from streams.errors import BrokerError, DecodeError, EngineError

PUBLISH_SECONDS: Final = 0.25
"""How often changed rows are written: a row changes with every event, readers look a few times a second."""
FLUSH_SECONDS: Final = 30.0
_TOPIC_OF: Final[dict[type, str]] = {
    AudienceResult: RESULTS_AUDIENCE,
    ReactionResult: RESULTS_REACTION,
    Progress: RESULTS_PROGRESS,
}


class KafkaPythonEngine(Engine):
    """Runs ``KafkaPythonWorker`` until the run is done or a signal asks to stop."""

    name = "kafka-python"

    def run(self, settings: WorkerSettings) -> Summary:
        """Work; see ``Engine.run``."""
        try:
            with stop_signals() as stop:
                worker = self.worker(settings)
                try:
                    while not stop.is_set() and not worker.done():
                        worker.work()
                finally:
                    worker.close()
                return worker.summary(ended=worker.end.reached)
        except KafkaError as error:
            raise BrokerError(f"{settings.connection.bootstrap_servers}: {error}") from error

    def worker(self, settings: WorkerSettings) -> "KafkaPythonWorker":
        """Return the worker to run."""
        return KafkaPythonWorker(settings)


class KafkaPythonWorker(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python is untyped
    """One member of the consumer group: a ``PartitionFold`` for each of its partitions.

    Args:
        settings: What the worker is told.

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
        for topic in self.bases:  # who joins before knowing the partitions is assigned none, and has to join twice
            self.consumer.partitions_for_topic(topic)
        self.consumer.subscribe(list(self.bases), listener=self)
        self.progress = KafkaConsumer(**common, group_id=None, auto_offset_reset="earliest")
        self.progress.assign([TopicPartition(self.info.topics[RESULTS_PROGRESS], 0)])

    def _membership(self) -> dict[str, Any]:
        group = f"{self.info.prefix}{self.info.run}.{self.settings.engine}"
        if self.settings.worker is None:
            return {"group_id": group}
        # A worker that was killed and started again takes its own place at once, rather than after the session timeout.
        return {"group_id": group, "group_instance_id": f"worker-{self.settings.worker}"}

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - kafka-python's name
        """Stay in need of an assignment until there is one; there is nothing to commit.

        kafka-python 3.0 forgets that it joined anew because the partitions had changed when ``poll`` runs out of time
        while the broker works on it: the answer is never looked at, and the worker is left without a partition. (The
        Java client had the same fault: KAFKA-9815.)
        """
        self.consumer._coordinator.request_rejoin()  # noqa: SLF001 - there is no public way to ask for it

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Go on where a partition that stayed was read to, and begin a new one with its first record."""
        here = {tp: self.folds.get(tp) or self._fold(tp) for tp in assigned}
        self.folds = here
        for tp, fold in here.items():
            self.consumer.seek(tp, fold.next_offset)

    def _fold(self, tp: TopicPartition) -> PartitionFold:
        return self.fold(self.info, self.settings.engine, self.bases[tp.topic], tp.partition)

    def work(self) -> None:
        """Read what is there, fold it, and publish what has changed when it is time."""
        for tp, records in self.consumer.poll(timeout_ms=100, max_records=2000).items():
            fold = self.folds[tp]
            for record in records:
                error = fold.step(record.value, record.offset)
                if error is not None:
                    self._put_aside(error, record.value)
            now = time.monotonic()
            self.busy = (self.busy[0] if self.busy else now, now)
        if time.monotonic() - self.published >= PUBLISH_SECONDS:
            self.publish()
            self.published = time.monotonic()

    def publish(self) -> None:
        """Write every changed row, and only when the broker has them the progress that speaks of them.

        Raises:
            EngineError: The broker did not take a record.
        """
        taken = [one for fold in self.folds.values() for one in fold.take()]
        self._send([one for one in taken if not isinstance(one, Progress)])
        self._send([one for one in taken if isinstance(one, Progress)])

    def _send(self, records: list[Result | Progress]) -> None:
        sent = [
            self.producer.send(self.info.topics[_TOPIC_OF[type(one)]], encode(one), key=key_of(one)) for one in records
        ]
        self.producer.flush(timeout=FLUSH_SECONDS)
        for future in sent:
            if not future.succeeded():
                raise EngineError(f"a result was not written: {future.exception or 'not within 30 s'}")

    def _put_aside(self, error: DecodeError, value: bytes | None) -> None:
        source = error.source.encode()
        headers = [("reason", error.reason.encode()), ("source", source)]
        self.producer.send(self.info.topics[DEAD_LETTERS], value, key=source, headers=headers)

    def done(self) -> bool:
        """Whether this worker and all others are through; the others are asked only when this one is."""
        if not all(fold.ended for fold in self.folds.values()):
            return False
        for records in self.progress.poll(timeout_ms=0).values():
            for record in records:
                self.end.take(record.key, record.value)
        return self.end.reached

    def close(self) -> None:
        """Publish what is left and leave the group."""
        try:
            self.publish()
        finally:
            self.consumer.close()
            self.progress.close()
            self.producer.close(timeout=FLUSH_SECONDS)

    def summary(self, *, ended: bool) -> Summary:
        """Return what this worker did."""
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
    "fetch_max_wait_ms": 50,
    "max_partition_fetch_bytes": 4 << 20,
    "session_timeout_ms": 6_000,
    "heartbeat_interval_ms": 500,  # how soon a member learns that others came or went
}
