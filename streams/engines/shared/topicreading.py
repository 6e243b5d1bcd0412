"""Reads a result topic to its current end with librdkafka: the records an engine has published so far."""

import time
from collections.abc import Callable
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

from streams.contract.topics import RESULTS_PROGRESS
from streams.engines.abstract import WorkerSettings
from streams.engines.shared.stopping import RunEnd
from streams.errors import BrokerError

READ_SECONDS: Final = 0.2
ANSWER_SECONDS: Final = 30.0


def reader(settings: WorkerSettings, further: dict[str, Any] | None = None) -> Consumer:
    """Return a consumer without a group that reports the end of a partition."""
    return Consumer(
        {
            **settings.connection.for_librdkafka(),
            "group.id": "none",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 100,
            **(further or {}),
        }
    )


def is_end(message: Any) -> bool:
    """Whether a message is not a record but the report that its partition has no more of them now."""
    return message.error() is not None and message.error().code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - its public name


def read_to_end(settings: WorkerSettings, base: str, accept: Callable[[bytes | None, bytes | None], None]) -> None:
    """Pass key and value of every record now on a topic of one partition, given by base name, to ``accept``.

    Raises:
        BrokerError: The end was not reached within 30 s.
    """
    consumer = reader(settings)
    consumer.assign([TopicPartition(settings.info.topics[base], 0, 0)])
    deadline = time.monotonic() + ANSWER_SECONDS
    try:
        while time.monotonic() < deadline:
            for message in consumer.consume(2000, READ_SECONDS):
                if message.error() is None:
                    accept(message.key(), message.value())
                elif is_end(message):
                    return
    finally:
        consumer.close()
    raise BrokerError(f"{settings.connection.bootstrap_servers}: no answer within {ANSWER_SECONDS:.0f} s")


def already_done(settings: WorkerSettings) -> bool:
    """Whether earlier workers have already brought the run to its end; raises like ``read_to_end``."""
    end = RunEnd(settings.info, settings.engine)
    read_to_end(settings, RESULTS_PROGRESS, end.accept)
    return end.reached
