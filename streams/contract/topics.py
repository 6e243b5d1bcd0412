"""The name, key and settings of every topic; no other module spells a topic name.

Input topics belong to one run (their names end in the run id), so runs on one broker never mix, and an engine reads its
topics from the first record. Topics shared by all runs are compacted, and their keys begin with the run.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from streams.errors import ContractError

PRESENCE: Final = "space.presence"
TWEETS: Final = "tweets"
INPUTS: Final = (PRESENCE, TWEETS)

RUN_INFO: Final = "run.info"
RUN_STATUS: Final = "run.status"
RESULTS_AUDIENCE: Final = "results.audience"
RESULTS_REACTION: Final = "results.reaction"
RESULTS_PROGRESS: Final = "results.progress"
CHECKPOINTS: Final = "checkpoints"
DEAD_LETTERS: Final = "dead-letters"
OWN: Final = (*INPUTS, CHECKPOINTS)
"""The topics each run has to itself; all runs share the others."""

DEFAULT_PARTITIONS: Final = 4
MAX_MESSAGE_BYTES: Final = 8 << 20
"""Allows large record batches on the input topics: the engine's fast path handles a batch as one chunk."""

_ANY_TIME: Final = str(2**63 - 1)
KEEP = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": _ANY_TIME,
    "message.timestamp.after.max.ms": _ANY_TIME,
    "compression.type": "producer",
}
"""What a broker's own defaults must not decide.

Event times are in 2023: with the default retention the broker would empty the topic during the replay, and a broker may
refuse old timestamps or replace them. A broker that compresses everything would need codecs at every client.
"""
_INPUT = {
    **KEEP,
    "cleanup.policy": "delete",
    "max.message.bytes": str(MAX_MESSAGE_BYTES),
    "segment.bytes": str(1 << 30),
}
_COMPACTED = {
    **KEEP,
    "cleanup.policy": "compact",
    "max.message.bytes": str(MAX_MESSAGE_BYTES),
    "segment.bytes": str(64 << 20),
}
"""Segments are small because the active one is never compacted: repeated runs would fill a gigabyte first."""
_DEAD_LETTERS = {**KEEP, "cleanup.policy": "delete", "max.message.bytes": str(MAX_MESSAGE_BYTES + (1 << 20))}


@dataclass(frozen=True)
class TopicSpec:
    """A topic to create: full name, partition count and broker-side settings."""

    name: str
    partitions: int
    configs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Topics:
    """The topic names of one run.

    Args:
        run: The run id, ``[a-z0-9-]+``.
        prefix: Put before every name, so that several users can share a cluster.
    """

    run: str
    prefix: str = ""

    def __post_init__(self) -> None:
        """Reject names that Kafka would reject later, with a worse message."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", self.run):
            raise ContractError(f"run id {self.run!r}: expected 1 to 63 of a-z, 0-9 and '-', not starting with '-'")
        if not re.fullmatch(r"[A-Za-z0-9._-]{0,100}", self.prefix):
            raise ContractError(
                f"topic prefix {self.prefix!r}: expected at most 100 of A-Z, a-z, 0-9, '.', '_' and '-'"
            )

    def input(self, base: str) -> str:
        """Return the full name of one of this run's ``OWN`` topics, given by base name."""
        return f"{self.prefix}{base}.{self.run}"

    def shared(self, base: str) -> str:
        """Return the full name of a topic shared by all runs."""
        return f"{self.prefix}{base}"

    def full(self, base: str) -> str:
        """Return the full name of any topic by its base name."""
        return self.input(base) if base in OWN else self.shared(base)

    @property
    def presence(self) -> str:
        """Presence events; key: listener id in decimal digits."""
        return self.input(PRESENCE)

    @property
    def tweets(self) -> str:
        """Tweets; key: author id in decimal digits."""
        return self.input(TWEETS)

    @property
    def checkpoints(self) -> str:
        """State of the engine ``faust`` for this run; private to that engine."""
        return self.input(CHECKPOINTS)

    def specs(self, partitions: int = DEFAULT_PARTITIONS) -> list[TopicSpec]:
        """Return every topic a run needs, with its settings, inputs first."""
        one = [RUN_INFO, RUN_STATUS, RESULTS_AUDIENCE, RESULTS_REACTION, RESULTS_PROGRESS]
        return [
            *(TopicSpec(self.input(base), partitions, _INPUT) for base in INPUTS),
            *(TopicSpec(self.shared(base), 1, _COMPACTED) for base in one),
            TopicSpec(self.checkpoints, len(INPUTS) * partitions, _INPUT),
            TopicSpec(self.shared(DEAD_LETTERS), 1, _DEAD_LETTERS),
        ]
