"""What a replay asks of a Kafka client, and what it is told in return.

A sender is handed lanes and never blocks: whoever hands them asks ``room`` first and gives the client time with
``wait``. Records of one lane reach the broker in the order in which they were handed over, so a mark never overtakes
what lies before it. Every record handed over is reported twice: when it leaves (the client has it) and when it is
settled (acknowledged by the broker, or given up on). Not in the contract: compression, transactions, headers.
"""

from collections.abc import Mapping
from typing import ClassVar, Protocol

from producers.compose.lanes import Lane

UNACKNOWLEDGED = "unacknowledged"
"""Why a record failed that was still on its way when the sender was closed."""


class DeliveryListener(Protocol):
    """Who is told what becomes of the records; called by the thread that uses the sender, in no order across lanes."""

    def left(self, lane: Lane, wall: float) -> None:
        """Take note that the client has these records, at ``wall`` (monotonic seconds)."""
        ...

    def settled(self, lane: Lane, wall: float, failed: Mapping[str, int]) -> None:
        """Take note that the broker has these records, but for the failed ones, counted by the name of their error."""
        ...


class Sender(Protocol):
    """A Kafka client that sends lanes."""

    name: ClassVar[str]
    """What ``--client`` calls it."""
    portion: ClassVar[int]
    """Records it should be handed at a time, so that the caller stays responsive."""

    def send(self, lane: Lane) -> None:
        """Take records over; they leave in order and as soon as the client can."""
        ...

    def publish(self, topic: str, key: bytes, value: bytes) -> None:
        """Send one record that is not part of a lane; nobody waits for it before ``close``."""
        ...

    def room(self) -> bool:
        """Return whether it can take more: what is on its way is bounded."""
        ...

    def wait(self, seconds: float) -> None:
        """Let the client work for so long, or until it has news."""
        ...

    def close(self, seconds: float) -> None:
        """Send what is left within so many seconds; what is not acknowledged by then counts as failed."""
        ...
