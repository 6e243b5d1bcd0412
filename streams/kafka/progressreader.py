"""Follows ``results.progress`` of one run with kafka-python, in small steps and without a group."""

import time
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition

from streams.contract.progress import Covered, ProgressBook
from streams.contract.results import Progress, decode_progress
from streams.contract.runinfo import RunInfo
from streams.contract.topics import RESULTS_PROGRESS
from streams.errors import ContractError
from streams.kafka.connection import Connection


def published(connection: Connection, info: RunInfo, engine: str, seconds: float) -> Covered:
    """Return how much of a run an engine has covered, by all progress it has published until now.

    Args:
        connection: Where the broker is.
        info: The run.
        engine: The engine.
        seconds: How long the broker may take.

    Raises:
        KafkaError: No broker answers.
    """
    book = ProgressBook()
    with ProgressReader(connection, info) as reader:
        for progress in reader.to_end(seconds):
            if progress.engine == engine:
                book.put(progress)
    return book.covered(info.partitions)


class ProgressReader:
    """Context manager; reads from the first record on.

    Args:
        connection: Where the broker is.
        info: The run.
        fetch_wait_ms: How long the broker may hold an answer back when there is nothing new.

    Raises:
        KafkaError: No broker answers.
    """

    def __init__(self, connection: Connection, info: RunInfo, *, fetch_wait_ms: int = 100) -> None:
        self._run = info.run
        self._consumer: Any = KafkaConsumer(
            **connection.for_kafka_python(),
            group_id=None,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=fetch_wait_ms,
        )
        self._place = TopicPartition(info.topics[RESULTS_PROGRESS], 0)
        self._consumer.assign([self._place])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self, milliseconds: int) -> list[Progress]:
        """Return the run's new progress records of all engines; waits for so long if there are none."""
        batches = self._consumer.poll(timeout_ms=milliseconds).values()
        decoded = (self._decoded(record.value) for records in batches for record in records)
        return [progress for progress in decoded if progress is not None]

    def to_end(self, seconds: float) -> list[Progress]:
        """Return the run's progress records up to the present end of the topic.

        Args:
            seconds: How long the broker may take; the records read until then are returned in any case.
        """
        end = self._consumer.end_offsets([self._place])[self._place]
        deadline = time.monotonic() + seconds
        found: list[Progress] = []
        while self._consumer.position(self._place) < end and time.monotonic() < deadline:
            found += self.poll(100)
        return found

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def _decoded(self, value: bytes | None) -> Progress | None:
        """Return a record of this run; None for other runs, tombstones and what breaks the contract."""
        try:
            progress = decode_progress(value or b"")
        except ContractError:
            return None
        return progress if progress.run == self._run else None
