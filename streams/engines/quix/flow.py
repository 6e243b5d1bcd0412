"""The engine ``quix``: every record is re-keyed by its source partition, then folded with state.

Quix Streams keeps state per message key, in RocksDB, with a changelog topic. The records are keyed by person, but
results are sums over people. So a first dataframe re-keys each record by its source partition (through a topic, as
``group_by`` does), and a second one folds with ``stateful=True``: the state under one partition's key holds its people,
rows and progress. After a crash, state is restored as of the committed offsets and output is repeated. The offset in
the state skips records forwarded twice, and results are upserts with source offsets as versions. Results leave through
a sink rather than ``to_topic``, because progress has to wait until the results it covers are written.

The design costs an intermediate topic, a changelog and several state operations per event. The topics stay on the
broker after the run.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from confluent_kafka import TopicPartition
from quixstreams import Application, message_context
from quixstreams.kafka import ConnectionConfig
from quixstreams.models import TopicConfig
from quixstreams.sinks import BaseSink

from streams.contract.results import key_of
from streams.contract.topics import INPUTS, KEEP, RESULTS_PROGRESS
from streams.engines.abstract import Summary, WorkerSettings
from streams.engines.quix.fold import Fold, Headers
from streams.engines.shared.resultswriter import Out, ResultsWriter
from streams.engines.shared.statefolder import forget, state_folder
from streams.engines.shared.stopping import RunEnd
from streams.engines.shared.topicreading import READ_SECONDS, reader

SESSION_MS: Final = 6_000
PUBLISH_SECONDS: Final = 0.1


def run(settings: WorkerSettings) -> Summary:
    """Work until the run is done or a signal stops Quix Streams, which handles SIGTERM and SIGINT itself."""
    folder = state_folder(settings)
    app = _application(settings, str(folder))
    fold = Fold(settings.info, settings.engine)
    _connect(app, settings, fold)
    monitor = _RunEndThread(settings, app.stop)
    monitor.start()
    app.run()
    monitor.over.set()
    monitor.join()
    if monitor.end.reached:
        forget(folder)
    return fold.summary(ended=monitor.end.reached)


def _application(settings: WorkerSettings, state_dir: str) -> Application:
    consumer: dict[str, Any] = {
        "session.timeout.ms": SESSION_MS,
        "heartbeat.interval.ms": 2_000,
        "fetch.wait.max.ms": 50,
    }
    if settings.worker is not None:  # a restarted worker takes its former place at once
        consumer["group.instance.id"] = f"worker-{settings.worker}"
    return Application(
        ConnectionConfig.from_librdkafka_dict(settings.connection.for_librdkafka(), ignore_extras=True),
        consumer_group=f"{settings.info.prefix}{settings.info.run}.{settings.engine}",
        auto_offset_reset="earliest",
        commit_interval=settings.checkpoint_seconds,
        state_dir=state_dir,
        consumer_poll_timeout=0.1,
        consumer_extra_config=consumer,
        # Retries must not reorder records: an offset below the last one counts as a repetition.
        producer_extra_config={"linger.ms": 20, "enable.idempotence": True},
        loglevel="WARNING",
    )


def _connect(app: Application, settings: WorkerSettings, fold: "Fold") -> None:
    """Build the two dataframes: input topics to partitions, partitions to results."""
    info = settings.info
    keep = TopicConfig(num_partitions=info.partitions, replication_factor=1, extra_config=dict(KEEP))
    partitions = app.topic(
        f"{info.prefix}{settings.engine}.partitions.{info.run}",
        config=keep,
        key_serializer="str",
        key_deserializer="str",
        value_serializer="bytes",
        value_deserializer="bytes",
    )
    for base in INPUTS:
        topic = app.topic(info.topics[base], key_deserializer="bytes", value_deserializer="bytes")
        app.dataframe(topic).set_headers(_source(base)).to_topic(partitions, key=_partition(base))
    folded = app.dataframe(partitions).apply(fold, stateful=True, metadata=True, expand=True)
    folded.sink(QuixResultSink(settings))


def _source(base: str) -> Callable[[bytes, Any, int, Headers], Headers]:
    def headers(value: bytes, key: Any, timestamp: int, before: Headers) -> Headers:  # noqa: ARG001 - Quix's signature
        here = message_context()
        return [("topic", base.encode()), ("at", f"{here.partition}@{here.offset}".encode())]

    return headers


def _partition(base: str) -> Callable[[bytes], str]:
    return lambda value: f"{base}[{message_context().partition}]"  # noqa: ARG005 - Quix passes the value


class QuixResultSink(BaseSink):  # type: ignore[misc]  # typed only if Quix is installed
    """Writes the newest state of every row a few times a second, and with every commit, before the offsets.

    Buffered records of a killed worker are not lost: their input is read again from the committed offsets.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        super().__init__()
        self._writer = ResultsWriter(settings)
        self._buffer: dict[tuple[type, bytes], Out] = {}
        self._written = time.monotonic()

    def add(self, value: Out, *_: Any, **__: Any) -> None:
        """Buffer a record; it replaces an older one of the same row."""
        key = value[0].source.encode() if isinstance(value, tuple) else key_of(value)
        self._buffer[type(value), key] = value  # two tables can have the same key
        if time.monotonic() - self._written >= PUBLISH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the buffered records; raises EngineError if not all are acknowledged within 30 s."""
        buffered, self._buffer = self._buffer, {}
        self._writer.write(buffered.values())
        self._written = time.monotonic()


class _RunEndThread(threading.Thread):
    """Reads ``results.progress`` in the background and stops the application when the run is done."""

    def __init__(self, settings: WorkerSettings, stop: Callable[[], None]) -> None:
        super().__init__(name="run-end", daemon=True)
        self.settings, self.stop = settings, stop
        self.end = RunEnd(settings.info, settings.engine)
        self.over = threading.Event()

    def run(self) -> None:
        """Read until the run is done or ``over`` is set."""
        consumer = reader(self.settings)
        consumer.assign([TopicPartition(self.settings.info.topics[RESULTS_PROGRESS], 0, 0)])
        while not self.over.is_set() and not self.end.reached:
            for message in consumer.consume(500, timeout=READ_SECONDS):
                if message.error() is None:
                    self.end.accept(message.key(), message.value())
        consumer.close()
        if self.end.reached:
            self.stop()
