"""How a broker is, as far as somebody who asks it can tell; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class BrokerHealth:
    """How the broker was when it answered last.

    Args:
        up: It answers.
        response_seconds: What it took to answer for its topics; None while it does not answer.
        unhealthy: Partitions of the topics without a leader, or with a replica that is not in sync.
        written: Records ever written, by base name of the topic.
        kept: Of these the ones that were not deleted (a compacted one counts), by base name of the topic.
    """

    up: bool = False
    response_seconds: float | None = None
    unhealthy: int | None = None
    written: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
