"""Tweets from JSON to columns: what ``streams.contract.events.decode_tweet`` accepts, with subject, stance and tags."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.contract.events import VERSION, TweetKind
from streams.kernels.automaton import RULE_BITS, Automaton, search
from streams.kernels.jit import compiled, inner, seldom
from streams.kernels.json import names, skip_space
from streams.kernels.limits import Limits, within
from streams.kernels.record import LOOKED_UP, NULL, NUMBER, SPECIAL, STRING, Ints, looked_up, read
from streams.kernels.strings import string
from streams.kernels.table import Table
from streams.kernels.words import BAD, Bytes

_FIELDS: Final = {
    "event_id": NUMBER,
    "at": NUMBER,
    "kind": LOOKED_UP,
    "tweet_id": STRING,
    "author": NUMBER,
    "conversation": LOOKED_UP,
    "text": SPECIAL,
    "lang": STRING,
    "v": NUMBER,
    "hashtags": SPECIAL,
    "ref": STRING,
}
FIELDS: Final = len(_FIELDS)
_NAMES: Final = names(list(_FIELDS))
_HOLDS: Final = np.array(list(_FIELDS.values()), np.int64)
_EVENT_ID, _AT, _KIND, _TWEET_ID, _AUTHOR, _CONVERSATION, _TEXT, _LANG, _V, _HASHTAGS, _REF = range(FIELDS)
_KINDS: Final = len(TweetKind)
_MOST_TAGS: Final = 32
"""A tweet with more different hashtags is one for the codec."""
_COMMA, _OPEN, _CLOSE = b",[]"


class TweetLookup(NamedTuple):
    """What the strings of tweets are looked up in. Rules are those of run.info, by number, one more for none."""

    texts: Table
    """The kinds, by number; after them conversations."""
    rule_of: Ints
    """First rule that holds for a text that is a conversation."""
    thread: int
    """Number of the text that is the announcement's thread, -1 for none."""
    tags: Table
    rule_of_tag: Ints
    cues: Automaton
    subject_of: NDArray[np.int16]
    """Number of the subject that a rule gives."""
    stance_of: NDArray[np.int16]
    """Number of the stance that a set of cues gives."""


class TweetOut(NamedTuple):
    """Columns to be filled, a row per record."""

    ok: NDArray[np.bool_]
    """Whether the row was filled; if not, the record is one for the codec."""
    event_id: Ints
    at: Ints
    person: Ints
    kind: NDArray[np.int16]
    subject: NDArray[np.int16]
    stance: NDArray[np.int16]
    in_thread: NDArray[np.bool_]
    first_tag: Ints
    """Place of each row's first tag among ``tags``."""
    after_tags: Ints
    tags: NDArray[np.int32]
    """Different hashtags of each row, by number."""


class _Context(NamedTuple):
    cues: Automaton
    tags: Table
    found_tags: NDArray[np.int32]
    free: Ints
    """One number: the first free place among them."""


@seldom
def _text(data: Bytes, at: int, end: int, scratch: Bytes, cues: Automaton) -> tuple[int, int]:
    escaped, start, stop, after = string(data, at, end, scratch)
    if after < 0:
        return 0, BAD
    return search(cues, scratch, start, stop) if escaped else search(cues, data, start, stop), after


@seldom
def _tags(data: Bytes, at: int, end: int, scratch: Bytes, context: _Context) -> tuple[int, int]:
    """Read hashtags into ``found_tags``; one that has no number yet makes the tweet one for the codec."""
    if data[at] != _OPEN:
        return 0, BAD
    first = after_last = context.free[0]
    at = skip_space(data, at + 1, end)
    if at < end and data[at] == _CLOSE:
        return 0, at + 1
    while True:
        tag, at = looked_up(data, at, end, context.tags, scratch)
        if at < 0 or tag >= len(context.tags.heads) or after_last >= min(first + _MOST_TAGS, len(context.found_tags)):
            return 0, BAD
        for place in range(first, after_last):
            if context.found_tags[place] == tag:
                break
        else:
            context.found_tags[after_last] = tag
            after_last += 1
        at = skip_space(data, at, end)
        if at < end and data[at] == _CLOSE:
            context.free[0] = after_last
            return 0, at + 1
        if at >= end or data[at] != _COMMA:
            return 0, BAD
        at = skip_space(data, at + 1, end)


@inner
def _special(data: Bytes, at: int, end: int, field: int, scratch: Bytes, context: _Context) -> tuple[int, int]:
    if field == _TEXT:
        return _text(data, at, end, scratch, context.cues)
    return _tags(data, at, end, scratch, context)


@inner
def _good(found: Ints, limits: Limits) -> Any:
    """Return whether a record that was read is a tweet of the run."""
    if not within(limits, found[_EVENT_ID], found[_AUTHOR], found[_AT]) or found[_V] != VERSION:
        return False
    if not 0 <= found[_KIND] < _KINDS or found[_HASHTAGS] == NULL:
        return False
    return min(found[_TWEET_ID], found[_CONVERSATION], found[_TEXT], found[_LANG]) >= 0


@compiled
def decode_tweets(
    data: Bytes,
    starts: Ints,
    ends: Ints,
    limits: Limits,
    known: TweetLookup,
    scratch: Bytes,
    found: Ints,
    out: TweetOut,
) -> int:
    """Fill the rows of the records that are tweets of the run, and return how many are not.

    Args:
        data: The buffer the records lie in.
        starts: Where each begins.
        ends: Where each ends; nothing from there on is read.
        limits: What events of the run keep to.
        known: What strings are looked up in.
        scratch: ``SCRATCH`` bytes.
        found: ``FIELDS`` numbers and one more.
        out: The columns.
    """
    odd = 0
    free = found[FIELDS:]
    free[0] = 0
    context = _Context(known.cues, known.tags, out.tags, free)
    for row in range(len(starts)):
        first = free[0]
        good = read(data, starts[row], ends[row], _NAMES, _HOLDS, known.texts, scratch, found, _special, context)
        good = good and _good(found, limits)
        out.ok[row] = good
        if not good:
            free[0] = first
            odd += 1
            continue
        out.event_id[row], out.at[row], out.person[row] = found[_EVENT_ID], found[_AT], found[_AUTHOR]
        out.kind[row], out.first_tag[row], out.after_tags[row] = found[_KIND], first, free[0]
        conversation = found[_CONVERSATION]
        rule = found[_TEXT] & ((1 << RULE_BITS) - 1)
        if conversation < len(known.rule_of):
            rule = min(rule, known.rule_of[conversation])
        for place in range(first, free[0]):
            rule = min(rule, known.rule_of_tag[out.tags[place]])
        out.subject[row] = known.subject_of[min(rule, len(known.subject_of) - 1)]
        out.stance[row] = known.stance_of[found[_TEXT] >> RULE_BITS]
        out.in_thread[row] = conversation == known.thread
    return odd
