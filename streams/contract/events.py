"""The events of the input topics: typed, versioned, one JSON object per Kafka message.

This module is the contract (docs/architecture.md describes it): unknown fields are ignored, missing ones are an error.
Event time is ``at``, in milliseconds since the Unix epoch, UTC; the message timestamp repeats it.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from streams.errors import DecodeError

VERSION = 1
REJOIN_WITHIN_MS = 60_000
"""A join counts as a rejoin if the drop before it is at most this long ago."""
WAITED_MS = 20 * 60_000
"""Listeners who wait this long count in the night's headline figure (facts.md, row 3)."""

Millis = Annotated[int, Meta(ge=0, lt=1 << 53)]
Id = Annotated[int, Meta(ge=0, lt=1 << 53)]


class PresenceKind(StrEnum):
    """What a listener did, or what happened to them."""

    ATTEMPT = "attempt"
    JOIN = "join"
    FAIL = "fail"
    LEAVE = "leave"
    DROP = "drop"


class TweetKind(StrEnum):
    """How a tweet relates to another tweet."""

    POST = "post"
    REPLY = "reply"
    QUOTE = "quote"
    REPOST = "repost"


class MarkKind(StrEnum):
    """In-band marks; each partition has one sender."""

    WATERMARK = "watermark"
    """Every event of this partition with an ``at`` below the mark's has been sent, except declared late events."""
    END = "end"
    """No further record of this run follows on this partition."""


GAVE_UP = "gave_up"
"""Reason of a ``leave`` by a listener who was waiting, not in the room."""
ROOM_CLOSED = "room_closed"
"""Reason of the ``drop`` of every listener in a room that closes."""


class Presence(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One event of ``space.presence``; the Kafka key is the listener id in ASCII decimal digits.

    A listener's legal path: attempt, then join, fail or leave (reason ``gave_up``); join, then leave or drop; after a
    fail or a drop, a new attempt or a leave (``gave_up``). ``try`` is 1 on the first attempt of a sitting and grows
    with each further one; a leave ends the sitting. A join or fail carries the ``try`` of its attempt, a leave or drop
    that of the sitting's latest attempt.
    """

    event_id: Id
    at: Millis
    kind: PresenceKind
    listener: Id
    space: str
    client: str
    try_: Annotated[int, Meta(ge=1, lt=1 << 53)] = msgspec.field(name="try")
    v: Literal[1]
    reason: str | None = None
    since_drop_ms: Millis | None = None
    """On a join after a drop in the same sitting: time since that drop."""


class Tweet(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One event of ``tweets``; the Kafka key is the author id in ASCII decimal digits.

    Tweet ids are snowflakes, sent as strings because they exceed the safe range of a JSON number. ``conversation`` is
    the id of the conversation's first tweet, ``ref`` the tweet replied to, quoted or reposted (None on a post).
    """

    event_id: Id
    at: Millis
    kind: TweetKind
    tweet_id: str
    author: Id
    conversation: str
    text: str
    lang: str
    v: Literal[1]
    hashtags: tuple[str, ...] = ()
    """Lower case, without the number sign."""
    ref: str | None = None


class Mark(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A mark in an input partition, without a Kafka key."""

    mark: MarkKind
    at: Millis
    run: str
    v: Literal[1]
    events: Annotated[int, Meta(ge=0, lt=1 << 53)] | None = None
    """On ``end``: number of distinct events of this run that the sender put into this partition."""


_presence = msgspec.json.Decoder(Presence)
_tweet = msgspec.json.Decoder(Tweet)
_mark = msgspec.json.Decoder(Mark)
_encoder = msgspec.json.Encoder()

NOT_JSON = "not_json"
WRONG_SHAPE = "wrong_shape"
WRONG_VERSION = "wrong_version"
OUT_OF_RANGE = "out_of_range"
"""An id, time or space outside the ranges of run.info, or another run's mark: not a record of this run."""
REASONS = (NOT_JSON, WRONG_SHAPE, WRONG_VERSION, OUT_OF_RANGE)
"""Every reason for a dead letter; the closed set behind the metric label ``reason``."""


def encode(event: Presence | Tweet | Mark) -> bytes:
    """Encode one event or mark as the JSON of the contract."""
    return _encoder.encode(event)


def decode_presence(raw: bytes | None, source: str = "") -> Presence | Mark:
    """Decode one record of ``space.presence``.

    Raises:
        DecodeError: With one of ``REASONS``.
    """
    return cast("Presence | Mark", _decode(_presence, raw, source))


def decode_tweet(raw: bytes | None, source: str = "") -> Tweet | Mark:
    """Decode one record of ``tweets``.

    Raises:
        DecodeError: With one of ``REASONS``.
    """
    return cast("Tweet | Mark", _decode(_tweet, raw, source))


def _decode(decoder: msgspec.json.Decoder[Any], raw: bytes | None, source: str) -> object:
    if raw is None:
        raise DecodeError(NOT_JSON, "the record has no value", source)
    try:
        found = decoder.decode(raw)
        if not raw.isascii():
            raw.decode()  # the decoder does not look at the text of fields it ignores
    except _UNREADABLE:
        return _second_look(decoder, raw, source)
    return found


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes it cannot read: bad JSON or shape, bad UTF-8, brackets nested too deeply."""
_json = msgspec.json.Decoder(msgspec.Raw)
"""Checks the grammar and makes no values: a number of 5,000 digits is JSON, and none that Python would make."""
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _second_look(decoder: msgspec.json.Decoder[Any], raw: bytes, source: str) -> object:
    """Return the event or mark, or raise the DecodeError with the precise reason; off the hot path."""
    try:
        raw.decode()
        _json.decode(raw)
    except _UNREADABLE as error:
        raise DecodeError(NOT_JSON, str(error), source) from None
    try:
        fields = _object.decode(raw)
    except msgspec.ValidationError:
        raise DecodeError(WRONG_SHAPE, "expected an object", source) from None
    once = msgspec.json.encode(fields)  # the decoder takes offence at a member that a later one replaces
    for each in (decoder, _mark) if "mark" in fields else (decoder,):
        try:
            return each.decode(once)
        except _UNREADABLE as error:
            problem = str(error)
    version = bytes(fields.get("v", b"1"))
    if version != b"1":
        text = version.decode(errors="replace")
        raise DecodeError(WRONG_VERSION, f"expected v={VERSION}, found v={text:.40}", source) from None
    raise DecodeError(WRONG_SHAPE, problem, source) from None
