"""Follows ``results.progress`` of one run with kafka-python, in small steps and without a group."""

from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition

from streams.contract.results import Progress, decode_progress
from streams.contract.runinfo import RunInfo
from streams.contract.topics import RESULTS_PROGRESS
from streams.errors import ContractError
from streams.kafka.connection import Connection


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
        self._consumer.assign([TopicPartition(info.topics[RESULTS_PROGRESS], 0)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self, milliseconds: int) -> list[Progress]:
        """Return the run's new progress records of all engines; waits for so long if there are none."""
        batches = self._consumer.poll(timeout_ms=milliseconds).values()
        decoded = (self._decoded(record.value) for records in batches for record in records)
        return [progress for progress in decoded if progress is not None]

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
