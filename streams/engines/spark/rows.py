"""The records of a micro-batch as rows of a data frame, on their way from Spark's tasks to the driver."""

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from streams.contract.results import AudienceResult, Progress, ReactionResult, encode, topic_of
from streams.contract.topics import DEAD_LETTERS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.errors import DecodeError

if TYPE_CHECKING:
    from streams.engines.shared.resultswriter import Out

SCHEMA: Final = "topic STRING, value BINARY, reason STRING, source STRING"
"""Spark's schema of an ``OutRow``."""
_TYPES: Final = {RESULTS_AUDIENCE: AudienceResult, RESULTS_REACTION: ReactionResult, RESULTS_PROGRESS: Progress}


class OutRow(NamedTuple):
    """One record to write.

    Args:
        topic: Its topic, by base name.
        value: Its value; a dead letter's may be None.
        reason: Why it is a dead letter; empty for others.
        source: Where a dead letter was read.
    """

    topic: str
    value: bytes | None
    reason: str = ""
    source: str = ""


def to_row(out: "Out") -> OutRow:
    """Return a record as a row."""
    if isinstance(out, tuple):
        error, value = out
        return OutRow(DEAD_LETTERS, value, error.reason, error.source)
    return OutRow(topic_of(out), encode(out))


def from_row(row: OutRow) -> "Out":
    """Return the record of a row."""
    if row.topic == DEAD_LETTERS:
        return DecodeError(row.reason, "", row.source), row.value
    found: AudienceResult | ReactionResult | Progress = msgspec.json.decode(row.value or b"", type=_TYPES[row.topic])
    return found
