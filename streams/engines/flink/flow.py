"""The work of the engine ``flink``: a job in Flink SQL counts, and what it has committed is published from here.

Flink cannot write the records of the contract by itself: it knows no version that grows with every change of a row, and
its sinks promise no order between topics. So the job writes single counts into a private topic, in transactions, and
this worker reads what is committed (``counts``), writes the results, and the progress after them.

The job keeps its state in checkpoints in the worker's state folder, and goes on from the newest one. The worker keeps
nothing: it reads the private topic from its first record, and the places in it are the versions of the results.
"""

import contextlib
import logging
import os
import threading
import time
from typing import Final, get_args

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.engines.abstract import Summary, WorkerSettings
from streams.engines.flink.cluster import FlinkJob, Stopped, running
from streams.engines.flink.counts import FlinkCounts
from streams.engines.flink.engine import LATE
from streams.engines.flink.sql import Late, counts_topic
from streams.engines.shared.resultswriter import ResultsWriter
from streams.engines.shared.statefolder import forget, state_folder
from streams.engines.shared.stopping import stop_signals
from streams.engines.shared.topicreading import READ_SECONDS, already_done, is_end, reader
from streams.errors import BrokerError, EngineError
from streams.kafka.security import PROTOCOLS

log = logging.getLogger(__name__)

ADMIN_SECONDS: Final = 30.0
CHECK_SECONDS: Final = 2.0
_KEEP: Final = {"retention.ms": "-1", "retention.bytes": "-1"}


def run(settings: WorkerSettings) -> Summary:
    """Work until every partition has ended or a signal asks to stop.

    Raises:
        EngineError: This is to be a second worker, an option makes no sense, or Flink has failed.
        BrokerError: The broker does not take the private topic.
    """
    late = _late(settings)
    if settings.connection.security.protocol != PROTOCOLS[0]:
        raise EngineError(
            f"{settings.engine}: Flink's own connector does not log in here; use a broker without TLS and SASL"
        )
    if settings.worker:
        raise EngineError(f"{settings.engine}: one job only; it grows by the slots of a cluster")
    if already_done(settings):
        return Summary(ended=True)
    _create_topic(settings)
    counts = FlinkCounts(settings.info, settings.engine, late_dropped=late == "drop")
    relay = Relay(settings, counts)
    try:
        with stop_signals() as stop, contextlib.suppress(Stopped), running(settings, late, stop) as job:
            _work(relay, job, stop)
    finally:
        relay.close()
    if relay.ended:
        if late == "drop":
            log.warning("%d of %d events came after their window was closed, or twice: dropped by Flink",
                        counts.uncounted, counts.uncounted + counts.events)  # fmt: skip
        _delete_topic(settings)
        forget(state_folder(settings))
    return _summary(counts, relay)


def _late(settings: WorkerSettings) -> Late:
    text = settings.options.get(LATE, "count")
    for known in get_args(Late):
        if text == known:
            found: Late = known
            return found
    raise EngineError(f"option {LATE}={text!r}: expected one of {', '.join(get_args(Late))}")


def _work(relay: "Relay", job: FlinkJob, stop: threading.Event) -> None:
    checked = time.monotonic()
    while not relay.ended and not stop.is_set():
        relay.step()
        if time.monotonic() - checked > CHECK_SECONDS:
            job.check()
            checked = time.monotonic()


def _summary(counts: FlinkCounts, relay: "Relay") -> Summary:
    times = os.times()
    return Summary(
        ended=relay.ended,
        events=counts.events,
        duplicates=0 if counts.late_dropped else counts.uncounted,
        dead_letters=counts.dead_letters,
        seconds=relay.last - relay.first,
        cpu_seconds=times.user + times.system + times.children_user + times.children_system,
    )


class Relay:
    """Reads what Flink has committed and writes it as the contract wants it.

    Args:
        settings: The worker's.
        counts: What is known; grows with every step.
    """

    def __init__(self, settings: WorkerSettings, counts: FlinkCounts) -> None:
        self.counts, self._writer = counts, ResultsWriter(settings)
        self._consumer = reader(settings, {"isolation.level": "read_committed"})
        self._consumer.assign([TopicPartition(counts_topic(settings.info, settings.engine), 0, 0)])
        self.first = self.last = 0.0
        self.ended = False
        """Whether the end of the run was published."""

    def step(self) -> None:
        """Read for up to 0.2 s; at the end of what is committed, publish what has changed."""
        for message in self._consumer.consume(2000, READ_SECONDS):
            if message.error() is None:
                self.last = time.monotonic()
                self.first = self.first or self.last
                self.counts.take(message.key(), message.value(), message.offset())
            elif is_end(message):
                # What can be read ends where the oldest open transaction begins: at the end of a whole one.
                self._publish()

    def _publish(self) -> None:
        self._writer.write([*self.counts.results(), *self.counts.progress()])
        self.ended = self.counts.ended

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()


def _admin(settings: WorkerSettings) -> AdminClient:
    return AdminClient({**settings.connection.for_librdkafka(), "log_level": 4})


def _create_topic(settings: WorkerSettings) -> None:
    name = counts_topic(settings.info, settings.engine)
    admin = _admin(settings)  # it has to outlive what it was asked
    try:
        admin.create_topics([NewTopic(name, 1, -1, config=_KEEP)])[name].result(ADMIN_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise BrokerError(f"{name}: cannot be created: {error.args[0].str()}") from error


def _delete_topic(settings: WorkerSettings) -> None:
    name = counts_topic(settings.info, settings.engine)
    admin = _admin(settings)
    try:
        admin.delete_topics([name])[name].result(ADMIN_SECONDS)
    except KafkaException as error:
        log.warning("%s stays: %s", name, error.args[0].str())
