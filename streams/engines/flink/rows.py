"""Turns a record of an input topic into a row of Flink's tables, with the contract's own decoder; imports no Flink.

Flink's JSON format converts: it reads a number in quotes as a number. The contract calls such a record a dead letter.
"""

from typing import Final, NamedTuple

from streams.contract.events import Mark, Presence, Tweet
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE, TWEETS
from streams.engines.shared.simplefold import decode
from streams.errors import DecodeError

EVENT: Final = "event"
MARK: Final = "mark"
DEAD_LETTER: Final = "dead letter"


class PresenceRow(NamedTuple):
    """One record of ``space.presence``; None is NULL."""

    sort: str
    """``EVENT``, ``MARK`` or ``DEAD_LETTER``."""
    problem: str | None = None
    """Why it is a dead letter."""
    mark: str | None = None
    at: int | None = None
    event_id: int | None = None
    kind: str | None = None
    listener: int | None = None
    space: str | None = None
    client: str | None = None
    try_: int | None = None
    reason: str | None = None
    since_drop_ms: int | None = None


class TweetRow(NamedTuple):
    """One record of ``tweets``; the fields of ``PresenceRow``, and those of a tweet that the counts need."""

    sort: str
    problem: str | None = None
    mark: str | None = None
    at: int | None = None
    event_id: int | None = None
    kind: str | None = None
    author: int | None = None
    conversation: str | None = None
    text: str | None = None
    hashtags: list[str] = []  # noqa: RUF012 - a default of a named tuple, which is never changed
    """Never None, and a list: PyFlink can hand neither a NULL array nor, in its process mode, a tuple to Java."""


ROWS: Final[dict[str, type[PresenceRow] | type[TweetRow]]] = {PRESENCE: PresenceRow, TWEETS: TweetRow}
"""The row of an input topic, by its base name."""


def row_of(topic: str, raw: bytes | None, info: RunInfo) -> PresenceRow | TweetRow:
    """Return a record of an input topic, given by base name, as a row."""
    kind = ROWS[topic]
    try:
        event = decode(topic, raw, info)
    except DecodeError as error:
        return kind(DEAD_LETTER, problem=error.reason)
    if isinstance(event, Mark):
        return kind(MARK, mark=event.mark.value, at=event.at)
    return _presence(event) if isinstance(event, Presence) else _tweet(event)


def _presence(event: Presence) -> PresenceRow:
    return PresenceRow(
        EVENT,
        at=event.at,
        event_id=event.event_id,
        kind=event.kind.value,
        listener=event.listener,
        space=event.space,
        client=event.client,
        try_=event.try_,
        reason=event.reason,
        since_drop_ms=event.since_drop_ms,
    )


def _tweet(event: Tweet) -> TweetRow:
    return TweetRow(
        EVENT,
        at=event.at,
        event_id=event.event_id,
        kind=event.kind.value,
        author=event.author,
        conversation=event.conversation,
        text=event.text,
        hashtags=list(event.hashtags),
    )
