"""The contract between a replay and a Kafka client: lanes go in, deliveries are reported.

``send`` never blocks: the caller asks ``room`` first and gives the client time with ``wait``. Records of one lane
reach the broker in the order of their hand-over, so a mark never overtakes what lies before it. Every record is
reported twice: when the client has it, and when it is settled (acknowledged by the broker, or given up). Compression
and transactions are not part of the contract.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Protocol

from producers.compose.lanes import Lane

UNACKNOWLEDGED = "unacknowledged"
"""The error of a record that was still under way when its sender was closed."""


class DeliveryListener(Protocol):
    """Receives the deliveries of a sender, in the thread that uses the sender; lanes report in no common order."""

    def left(self, lane: Lane, wall: float) -> None:
        """Note that the client has these records since ``wall`` (monotonic seconds)."""
        ...

    def settled(self, lane: Lane, wall: float, failed: Mapping[str, int]) -> None:
        """Note that the broker has these records, except the failed ones, counted by the name of their error."""
        ...


class Sender(Protocol):
    """A Kafka client that sends lanes."""

    name: ClassVar[str]
    """Its name on the command line (``--client``)."""
    portion: ClassVar[int]
    """The most records to hand over in one call, so that the caller stays responsive."""

    def send(self, lane: Lane) -> None:
        """Accept records; they leave in order and as soon as the client can send them."""
        ...

    def find(self, topics: Iterable[str]) -> None:
        """Learn where topics are, which the first records would wait for; what is wrong with one shows in sending."""
        ...

    def publish(self, topic: str, key: bytes, value: bytes) -> None:
        """Send one record outside any lane; nothing waits for it before ``close``."""
        ...

    def room(self) -> bool:
        """Return whether it accepts more: the records under way are bounded."""
        ...

    def wait(self, seconds: float) -> None:
        """Let the client work for so many seconds, or until something is settled."""
        ...

    def close(self, seconds: float) -> None:
        """Send what is left within so many seconds; records not acknowledged by then have failed."""
        ...
