"""The runs of a broker as they are opened, read from ``run.info`` alone: cheap enough to poll for days."""

import contextlib
import time
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from joinstorm.follow.tombstones import run_of
from streams.contract.runinfo import RunInfo, decode_info
from streams.contract.topics import RUN_INFO
from streams.errors import BrokerError, ContractError
from streams.kafka.admin import ANSWER_SECONDS, unreachable
from streams.kafka.connection import Connection

_POLL_MS: Final = 500


class RunList:
    """Context manager that knows every run of a broker that was not deleted, oldest first.

    Args:
        connection: Where the broker is.
        prefix: Prefix of the topic names.
        answer_seconds: How long the broker may take to answer.

    Raises:
        BrokerError: No broker answers (on entering).
    """

    def __init__(self, connection: Connection, prefix: str = "", *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._connection = connection
        self._answer_seconds = answer_seconds
        self._topic = TopicPartition(prefix + RUN_INFO, 0)
        self._runs: dict[str, RunInfo] = {}
        self._consumer: Any = None

    def __enter__(self) -> Self:
        started = time.monotonic()
        try:
            self._consumer = KafkaConsumer(
                **self._connection.for_kafka_python(),
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                bootstrap_timeout_ms=int(self._answer_seconds * 1000),
            )
        except KafkaError as error:
            raise unreachable(self._connection, error, time.monotonic() - started) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(KafkaError):
            self._consumer.close()

    def runs(self) -> list[RunInfo]:
        """Read new records for up to half a second, and return all runs, the newest last.

        Raises:
            BrokerError: The topic cannot be read.
        """
        try:
            if not self._consumer.assignment() and not self._assigned():
                return []
            for records in self._consumer.poll(timeout_ms=_POLL_MS).values():
                for record in records:
                    self._accept(record.key, record.value)
        except KafkaError as error:
            raise BrokerError(f"{self._connection.bootstrap_servers}: cannot read {self._topic[0]}: {error}") from error
        return sorted(self._runs.values(), key=lambda info: info.created_ms)

    def _assigned(self) -> bool:
        """Assign the topic once it exists: the first run creates it."""
        if self._topic.topic not in self._consumer.topics():
            self._consumer.poll(timeout_ms=_POLL_MS)
            return False
        self._consumer.assign([self._topic])
        self._consumer.seek_to_beginning(self._topic)
        return True

    def _accept(self, key: bytes | None, value: bytes | None) -> None:
        if value is None:  # a tombstone
            self._runs.pop(run_of(key) or "", None)
            return
        with contextlib.suppress(ContractError):  # an invalid record; the exporter counts it
            info = decode_info(value)
            self._runs[info.run] = info
