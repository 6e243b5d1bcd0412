"""Writes an engine's records with librdkafka: results first, then, once they are acknowledged, the progress."""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from confluent_kafka import Producer

from streams.contract.results import Progress, Result, encode, key_of, topic_of
from streams.contract.topics import DEAD_LETTERS
from streams.engines.abstract import WorkerSettings
from streams.errors import DecodeError, EngineError

FLUSH_SECONDS: Final = 30.0
Out: TypeAlias = Result | Progress | tuple[DecodeError, bytes | None]
"""A record to write: a result, progress, or a dead letter as its reason and bytes."""


class ResultsWriter:
    """A separate producer for results.

    The output of a library is acknowledged topic by topic, in no particular order. Progress written that way could be
    visible before the results it covers, and a reader would then see an engine that is wrong in its last window.

    Args:
        settings: The worker's settings.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._topics = settings.info.topics
        self._failed: list[str] = []
        self._producer = Producer(
            {
                **settings.connection.for_librdkafka(),
                "linger.ms": 5,
                "enable.idempotence": True,  # a retried batch must not arrive after a newer one
            }
        )

    def write(self, items: Iterable[Out]) -> None:
        """Write all records; returns once the broker has acknowledged them.

        Raises:
            EngineError: Not all were acknowledged within 30 s.
        """
        progress: list[Progress] = []
        for one in items:
            if isinstance(one, Progress):
                progress.append(one)
            elif isinstance(one, tuple):
                error, value = one
                source = error.source.encode()
                self._produce(DEAD_LETTERS, source, value, [("reason", error.reason.encode()), ("source", source)])
            else:
                self._produce(topic_of(one), key_of(one), encode(one))
        self._flush()
        for one in progress:
            self._produce(topic_of(one), key_of(one), encode(one))
        self._flush()

    def _produce(
        self, base: str, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]] | None = None
    ) -> None:
        further = {"headers": headers} if headers else {}
        while True:
            try:
                self._producer.produce(self._topics[base], value, key, on_delivery=self._on_delivery, **further)
            except BufferError:  # the queue is full: let it drain
                self._producer.poll(0.1)
                continue
            return

    def _on_delivery(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._failed.append(str(error))

    def _flush(self) -> None:
        left = self._producer.flush(FLUSH_SECONDS)
        if left or self._failed:
            why = self._failed[0] if self._failed else f"not within {FLUSH_SECONDS:.0f} s"
            raise EngineError(f"{left + len(self._failed)} results were not written: {why}")
