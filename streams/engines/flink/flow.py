"""The engine ``flink``: a job in Flink SQL counts, and this worker publishes what the job has committed.

Flink cannot write the records of the contract itself: it has no version that grows with every change of a row, and its
sinks guarantee no order between topics. So the job writes single counts to a private topic, in transactions. This
worker reads the committed ones (``counts``) and writes the results, then the progress.

The job keeps its state in checkpoints in the worker's state folder and resumes from the newest one. The worker keeps no
state: it reads the private topic from the first record, and the offsets in it are the versions of the results.
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
from streams.errors import BrokerError, EngineError, UsageError
from streams.kafka.security import PROTOCOLS

log = logging.getLogger(__name__)

ADMIN_SECONDS: Final = 30.0
CHECK_SECONDS: Final = 2.0
_KEEP: Final = {"retention.ms": "-1", "retention.bytes": "-1"}


def run(settings: WorkerSettings) -> Summary:
    """Work until every partition has ended or a signal asks to stop.

    Raises:
        UsageError: An option is invalid.
        EngineError: This would be a second worker, the broker requires a login, or Flink has failed.
        BrokerError: The broker rejects the private topic.
    """
    late = _late(settings)
    if settings.connection.security.protocol != PROTOCOLS[0]:
        raise EngineError(
            f"{settings.engine}: Flink's connector is not configured for TLS and SASL; use a broker without them"
        )
    if settings.worker:
        raise EngineError(f"{settings.engine}: only one worker; the job scales with the slots of a cluster")
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
            log.warning("Flink dropped %d of %d events: late or duplicate",
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
    raise UsageError(f"option {LATE}={text!r}: expected one of {', '.join(get_args(Late))}")


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
    """Reads what Flink has committed and writes the records of the contract.

    Args:
        settings: The worker's settings.
        counts: The current counts, updated with every step.
    """

    def __init__(self, settings: WorkerSettings, counts: FlinkCounts) -> None:
        self.counts, self._writer = counts, ResultsWriter(settings)
        self._consumer = reader(settings, {"isolation.level": "read_committed"})
        self._consumer.assign([TopicPartition(counts_topic(settings.info, settings.engine), 0, 0)])
        self.first = self.last = 0.0
        self.ended = False
        """Whether the end of the run has been published."""

    def step(self) -> None:
        """Read for up to 0.2 s; at the end of the committed records, publish the changes."""
        for message in self._consumer.consume(2000, READ_SECONDS):
            if message.error() is None:
                self.last = time.monotonic()
                self.first = self.first or self.last
                self.counts.accept(message.key(), message.value(), message.offset())
            elif is_end(message):
                # The readable records end where the oldest open transaction starts, at the end of a complete one.
                self._publish()

    def _publish(self) -> None:
        self._writer.write([*self.counts.take_results(), *self.counts.take_progress()])
        self.ended = self.counts.ended

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()


def _admin(settings: WorkerSettings) -> AdminClient:
    return AdminClient({**settings.connection.for_librdkafka(), "log_level": 4})


def _create_topic(settings: WorkerSettings) -> None:
    name = counts_topic(settings.info, settings.engine)
    admin = _admin(settings)  # must live until the request is answered
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
        log.warning("%s was not deleted: %s", name, error.args[0].str())
