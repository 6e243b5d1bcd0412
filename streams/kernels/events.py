"""Events from columns to JSON: the bytes that ``streams.contract.events.encode`` writes."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import compiled, inner
from streams.kernels.record import Ints
from streams.kernels.spelling import Pieces, put_number, put_piece
from streams.kernels.words import Bytes

MOST_ESCAPED: Final = 6
"""A byte of a text takes at most so many: a control character as its number in hexadecimal."""
_QUOTE, _BACKSLASH, _U, _ZERO, _COMMA = b'"\\u0,'
_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
_SHORT: Final = np.zeros(256, np.uint8)
_SHORT[list(b'"\\\b\f\n\r\t')] = list(b'"\\bfnrt')


class PresenceRows(NamedTuple):
    """Presence events; what has few values is given as the number of its piece."""

    event_id: Ints
    at: Ints
    kind: Ints
    person: Ints
    space: Ints
    client: Ints
    tries: Ints
    reason: Ints
    since: Ints
    """-1 for none."""


class Texts(NamedTuple):
    """Texts of any kind, one after the other."""

    bytes: Bytes
    begins: Ints
    """Where each text begins; one more for the end of the last."""


class TweetRows(NamedTuple):
    """Tweets; what has few values is given as the number of its piece."""

    event_id: Ints
    at: Ints
    kind: Ints
    tweet_id: Ints
    person: Ints
    conversation: Ints
    text: Texts
    lang: Ints
    first_tag: Ints
    """Number of each tweet's first hashtag; one more for the end of the last."""
    tags: Texts
    ref: Ints
    """-1 for none."""


class EventPieces(NamedTuple):
    """The pieces that every event has, by number."""

    event_id: int
    at: int
    person: int
    tries: int
    version: int
    since: int
    conversation: int
    text: int
    tags: int
    after_tags: int
    ref: int
    end: int


@inner
def _put_text(out: Bytes, at: int, texts: Texts, number: int) -> int:
    """Write a string with its quotes."""
    out[at] = _QUOTE
    at += 1
    for place in range(texts.begins[number], texts.begins[number + 1]):
        byte = texts.bytes[place]
        if byte >= 0x20 and byte != _QUOTE and byte != _BACKSLASH:
            out[at] = byte
            at += 1
        elif _SHORT[byte]:
            out[at], out[at + 1] = _BACKSLASH, _SHORT[byte]
            at += 2
        else:
            out[at], out[at + 1], out[at + 2], out[at + 3] = _BACKSLASH, _U, _ZERO, _ZERO
            out[at + 4], out[at + 5] = _HEX[byte >> 4], _HEX[byte & 15]
            at += 6
    out[at] = _QUOTE
    return at + 1


@compiled
def encode_numbers(numbers: Ints, out: Bytes, ends: NDArray[np.int32]) -> None:
    """Write numbers as decimal digits, one after the other.

    Args:
        numbers: The numbers.
        out: Room for ``MOST_DIGITS`` of each.
        ends: Set to where each number ends.
    """
    at = 0
    for row in range(len(numbers)):
        at = ends[row] = put_number(out, at, numbers[row])


@compiled
def encode_presence(
    rows: PresenceRows, spelled: Pieces, frame: EventPieces, out: Bytes, ends: NDArray[np.int32]
) -> None:
    """Write presence events one after the other.

    Args:
        rows: The events.
        spelled: Pieces of text.
        frame: Which of them every event has.
        out: Room for the events.
        ends: Set to where each event ends.
    """
    at = 0
    for row in range(len(rows.at)):
        at = put_number(out, put_piece(out, at, spelled, frame.event_id), rows.event_id[row])
        at = put_number(out, put_piece(out, at, spelled, frame.at), rows.at[row])
        at = put_number(out, put_piece(out, at, spelled, rows.kind[row]), rows.person[row])
        at = put_piece(out, put_piece(out, at, spelled, rows.space[row]), spelled, rows.client[row])
        at = put_number(out, put_piece(out, at, spelled, frame.tries), rows.tries[row])
        at = put_piece(out, put_piece(out, at, spelled, frame.version), spelled, rows.reason[row])
        if rows.since[row] >= 0:
            at = put_number(out, put_piece(out, at, spelled, frame.since), rows.since[row])
        at = ends[row] = put_piece(out, at, spelled, frame.end)


@compiled
def encode_tweets(rows: TweetRows, spelled: Pieces, frame: EventPieces, out: Bytes, ends: NDArray[np.int32]) -> None:
    """Write tweets one after the other; the arguments are those of ``encode_presence``."""
    at = 0
    for row in range(len(rows.at)):
        at = put_number(out, put_piece(out, at, spelled, frame.event_id), rows.event_id[row])
        at = put_number(out, put_piece(out, at, spelled, frame.at), rows.at[row])
        at = put_number(out, put_piece(out, at, spelled, rows.kind[row]), rows.tweet_id[row])
        at = put_number(out, put_piece(out, at, spelled, frame.person), rows.person[row])
        at = put_number(out, put_piece(out, at, spelled, frame.conversation), rows.conversation[row])
        at = _put_text(out, put_piece(out, at, spelled, frame.text), rows.text, row)
        at = put_piece(out, at, spelled, rows.lang[row])
        first, after = rows.first_tag[row], rows.first_tag[row + 1]
        for tag in range(first, after):
            if tag > first:
                out[at] = _COMMA
                at += 1
            else:
                at = put_piece(out, at, spelled, frame.tags)
            at = _put_text(out, at, rows.tags, tag)
        if after > first:
            at = put_piece(out, at, spelled, frame.after_tags)
        if rows.ref[row] >= 0:
            at = put_number(out, put_piece(out, at, spelled, frame.ref), rows.ref[row])
            out[at] = _QUOTE
            at += 1
        at = ends[row] = put_piece(out, at, spelled, frame.end)
