"""Writes what an engine says with librdkafka: results first, and only when the broker has them their progress."""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from confluent_kafka import Producer

from streams.contract.results import AudienceResult, Progress, ReactionResult, Result, encode, key_of
from streams.contract.topics import DEAD_LETTERS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.engines.abstract import WorkerSettings
from streams.errors import DecodeError, EngineError

FLUSH_SECONDS: Final = 30.0
_TOPIC_OF: Final[dict[type, str]] = {
    AudienceResult: RESULTS_AUDIENCE,
    ReactionResult: RESULTS_REACTION,
    Progress: RESULTS_PROGRESS,
}
Out: TypeAlias = Result | Progress | tuple[DecodeError, bytes | None]
"""A record to be written, or one that is put aside with the reason why."""


class ResultsWriter:
    """A producer of its own for results.

    A library's own output is acknowledged topic by topic, in no order: progress that takes the same way may be visible
    before the results it speaks of, and whoever reads then believes an engine that is wrong by its last window.

    Args:
        settings: What the worker is told.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._topics = settings.info.topics
        self._failed: list[str] = []
        self._producer = Producer(
            {
                **settings.connection.for_librdkafka(),
                "linger.ms": 5,
                "enable.idempotence": True,  # a batch that is sent again must not come after a newer one
            }
        )

    def write(self, items: Iterable[Out]) -> None:
        """Write everything; returns when the broker has it.

        Raises:
            EngineError: The broker does not have everything within 30 s.
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
                self._produce(_TOPIC_OF[type(one)], key_of(one), encode(one))
        self._flush()
        for one in progress:
            self._produce(RESULTS_PROGRESS, key_of(one), encode(one))
        self._flush()

    def _produce(
        self, base: str, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]] | None = None
    ) -> None:
        said = {"headers": headers} if headers else {}
        while True:
            try:
                self._producer.produce(self._topics[base], value, key, on_delivery=self._told, **said)
            except BufferError:  # its queue is full: give it time
                self._producer.poll(0.1)
                continue
            return

    def _told(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._failed.append(str(error))

    def _flush(self) -> None:
        left = self._producer.flush(FLUSH_SECONDS)
        if left or self._failed:
            why = self._failed[0] if self._failed else f"not within {FLUSH_SECONDS:.0f} s"
            raise EngineError(f"{left + len(self._failed)} results were not written: {why}")
