"""Opens a run: creates its topics and publishes what an engine must know before it starts."""

import contextlib
import time

from kafka import KafkaProducer
from kafka.errors import KafkaError

from producers.replay.topiccreation import ensure_topics
from producers.tape.tapeformat import TapeInfo
from streams.contract import runinfo
from streams.contract.runinfo import DEFAULT_WINDOW_MS, Faults, RunInfo
from streams.contract.topics import (
    DEAD_LETTERS,
    DEFAULT_PARTITIONS,
    INPUTS,
    OWN,
    RESULTS_AUDIENCE,
    RESULTS_PROGRESS,
    RESULTS_REACTION,
    RUN_INFO,
    RUN_STATUS,
    Topics,
)
from streams.errors import ContractError
from streams.kafka.admin import failed, open_admin
from streams.kafka.closing import close_producer
from streams.kafka.connection import Connection
from streams.kafka.patience import patiently
from streams.kafka.topicreader import count_input_records, read_all

PUBLISH_SECONDS = 15
_SHARED = (RUN_INFO, RUN_STATUS, RESULTS_AUDIENCE, RESULTS_REACTION, RESULTS_PROGRESS, DEAD_LETTERS)


def open_run(  # noqa: PLR0913 - every one is an option of the command line
    connection: Connection,
    tape_info: TapeInfo,
    *,
    run: str,
    prefix: str = "",
    partitions: int = DEFAULT_PARTITIONS,
    window_ms: int = DEFAULT_WINDOW_MS,
    watermark_step_ms: int = DEFAULT_WINDOW_MS,
    replication: int = 1,
    faults: Faults | None = None,
) -> RunInfo:
    """Create the topics of a run and publish its ``run.info``.

    Args:
        connection: Where the broker is.
        tape_info: Metadata of the tape.
        run: Run id, used once.
        prefix: Prefix of every topic name.
        partitions: Partitions of each input topic.
        window_ms: Width of the tumbling windows of all results, event time.
        watermark_step_ms: Event time between two watermarks.
        replication: Replicas of each topic.
        faults: The declared faults.

    Raises:
        BrokerError: The broker does not answer, or refuses.
        ContractError: The run id was used before, or a topic does not fit.
    """
    names = Topics(run, prefix)
    specs = names.specs(partitions)
    own = {names.input(base) for base in INPUTS}
    ensure_topics(connection, [s for s in specs if s.name in own], [s for s in specs if s.name not in own], replication)
    info = run_info(
        tape_info,
        names,
        partitions=partitions,
        window_ms=window_ms,
        watermark_step_ms=watermark_step_ms,
        faults=faults if faults and faults.rates else None,
    )
    patiently(lambda: publish_once(connection, names.shared(RUN_INFO), run, runinfo.encode(info)))
    return info


def run_info(
    tape: TapeInfo,
    names: Topics,
    *,
    partitions: int,
    window_ms: int,
    watermark_step_ms: int,
    faults: Faults | None = None,
) -> RunInfo:
    """Return the run information of a tape played into the topics ``names``."""
    return RunInfo(
        v=1,
        run=names.run,
        tape_sha256=tape.sha256,
        scenario=tape.name,
        scale=tape.scale,
        seed=tape.seed,
        events=tape.events,
        people=tape.people,
        start=tape.start - tape.start % window_ms,
        end=tape.end,
        talk_start=tape.talk_start,
        window_ms=window_ms,
        watermark_step_ms=watermark_step_ms,
        phases=tape.phases,
        spaces=tape.spaces,
        thread=tape.thread,
        announced=tape.announced,
        subjects=tape.subjects,
        partitions=partitions,
        prefix=names.prefix,
        topics={base: names.full(base) for base in (*OWN, *_SHARED)},
        created_ms=time.time_ns() // 1_000_000,
        faults=faults,
        capacity=tape.capacity,
    )


def opened_run(connection: Connection, run: str, prefix: str = "") -> RunInfo | None:
    """Return the information of a run that is opened and not yet played, None if there is no such run.

    Raises:
        BrokerError: The broker does not answer, or refuses.
        ContractError: The run has been played: its input topics hold records.
    """
    return patiently(lambda: _opened_run(connection, run, prefix))


def _opened_run(connection: Connection, run: str, prefix: str) -> RunInfo | None:
    try:
        with contextlib.closing(open_admin(connection)) as admin:
            topics = set(admin.list_topics())
        if Topics(run, prefix).shared(RUN_INFO) not in topics:
            return None
    except KafkaError as error:
        raise failed(connection, f"cannot read {prefix}{RUN_INFO}", error) from error
    info = None
    for record in read_all(connection, Topics(run, prefix).shared(RUN_INFO)):
        if record.key == run.encode() and record.value is not None:
            info = runinfo.decode_info(record.value)
    if info is not None:
        _refuse_played(connection, info)
    return info


def _refuse_played(connection: Connection, info: RunInfo) -> None:
    records = count_input_records(connection, info)
    if records:
        raise ContractError(
            f"run {info.run} has been played: its input topics hold {records} records. A run is played once; choose "
            "another id, or resume from a saved position with --resume"
        )


def publish_once(connection: Connection, topic: str, key: str, value: bytes) -> None:
    """Send one record and wait for its acknowledgement.

    Raises:
        BrokerError: No acknowledgement came within ``PUBLISH_SECONDS``.
    """
    try:
        producer = KafkaProducer(**connection.for_kafka_python(), bootstrap_timeout_ms=PUBLISH_SECONDS * 1000)
        try:
            producer.send(topic, value, key=key.encode()).get(timeout=PUBLISH_SECONDS)
        finally:
            close_producer(producer, PUBLISH_SECONDS)
    except KafkaError as error:
        raise failed(connection, f"cannot write {topic}", error) from error
