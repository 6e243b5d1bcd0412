"""The health of a broker as a client can measure it; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class BrokerHealth:
    """The broker's health as of its last answer.

    Args:
        up: Whether it answers.
        response_seconds: Time it took to describe the topics; None while it does not answer.
        unhealthy: Partitions of the topics without a leader, or with a replica out of sync.
        written: Records ever written, by base name of the topic.
        kept: Offsets not yet deleted, compacted ones included, by base name of the topic.
    """

    up: bool = False
    response_seconds: float | None = None
    unhealthy: int | None = None
    written: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
