"""Dead letters: records that are not events of the run, kept with their source and the reason."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from streams.errors import ContractError

REASON: Final = "reason"
DETAIL: Final = "detail"
TOPIC: Final = "topic"
RUN: Final = "run"
ENGINE: Final = "engine"
Headers = Sequence[tuple[str, bytes]]


class DeadLetter(NamedTuple):
    """One record of ``dead-letters``; its key is the source record's position, so a second reading repeats the key."""

    topic: str
    """Full name of the input topic."""
    partition: int
    offset: int
    reason: str
    """One of ``streams.contract.events.REASONS``."""
    detail: str
    run: str
    engine: str
    value: bytes
    """The record's bytes, unchanged."""

    @property
    def source(self) -> str:
        """Position of the source record, ``topic[partition]@offset``; also the Kafka key."""
        return f"{self.topic}[{self.partition}]@{self.offset}"

    def key(self) -> bytes:
        """Return the Kafka key."""
        return self.source.encode()

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the Kafka headers."""
        fields = {REASON: self.reason, DETAIL: self.detail, TOPIC: self.topic, RUN: self.run, ENGINE: self.engine}
        return [(name, text.encode()) for name, text in fields.items()]


def read(key: bytes | None, value: bytes | None, headers: Headers) -> DeadLetter:
    """Return the dead letter in a Kafka record, given by the record's parts.

    Raises:
        ContractError: The record is not a dead letter.
    """
    fields = {name: text.decode(errors="replace") for name, text in headers}
    source = (key or b"").decode(errors="replace")
    place, _, offset = source.rpartition("]@")
    topic, _, partition = place.rpartition("[")
    if not (topic and partition.isdigit() and offset.isdigit() and REASON in fields):
        raise ContractError(f"dead-letters: key {source!r}: expected topic[partition]@offset and a header {REASON!r}")
    return DeadLetter(
        topic,
        int(partition),
        int(offset),
        fields[REASON],
        fields.get(DETAIL, ""),
        fields.get(RUN, ""),
        fields.get(ENGINE, ""),
        value or b"",
    )
