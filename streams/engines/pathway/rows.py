"""What one record of an input topic means as a row of Pathway's tables; no Pathway in it."""

from typing import Final, NamedTuple, TypeAlias

from streams.contract.events import WAITED_MS, Mark, Presence
from streams.contract.names import ALL
from streams.contract.runinfo import RunInfo
from streams.engines.shared.simplefold import decode, presence_counts, subject_of, tweet_counts, window_of
from streams.errors import DecodeError

NEVER: Final = 1 << 60
"""A time later than all others: what somebody has not done."""
UNTOLD: Final = -1
"""Before every watermark."""

Fact: TypeAlias = tuple[int, int, int, str, tuple[str, ...], tuple[str, ...], int, int]
"""What an event adds: person, time, window, space or subject, the counts of that row that grow by one, the spaces or
subjects in which it may be the person's first, and when they tried to come in and left: ``NEVER`` if it is no such
event.
"""
NO_FACT: Final[Fact] = (0, 0, 0, "", (), (), NEVER, NEVER)


class Row(NamedTuple):
    """One record."""

    next_place: int
    event_id: int
    """-1 for what is no event."""
    fact: Fact
    mark: int
    """1 for a mark."""
    watermark: int
    """-1 where the record is none."""
    end: int
    """1 for the end mark."""
    reason: str
    """Why it is a dead letter; empty where it is none."""


def row_of(topic: str, raw: bytes, offset: int, info: RunInfo) -> Row:
    """Read a record of an input topic, given by base name; whatever is none of ours has a ``reason``."""
    try:
        event = decode(topic, raw, info)
    except DecodeError as error:
        return Row(offset + 1, -1, NO_FACT, 0, UNTOLD, 0, error.reason)
    if isinstance(event, Mark):
        return Row(offset + 1, -1, NO_FACT, 1, event.at, int(event.mark == "end"), "")
    window = window_of(event.at, info)
    fact: Fact
    if isinstance(event, Presence):
        firsts = (event.space, ALL) if event.kind == "join" else ()
        tried, left = (event.at if event.kind == kind else NEVER for kind in ("attempt", "leave"))
        fact = (event.listener, event.at, window, event.space, tuple(presence_counts(event)), firsts, tried, left)
    else:
        subject = subject_of(event, info)
        fact = (event.author, event.at, window, subject, tuple(tweet_counts(event, info)), (subject, ALL), NEVER, NEVER)
    return Row(offset + 1, event.event_id, fact, 0, UNTOLD, 0, "")


def waited_window(tried: int, left: int, info: RunInfo) -> int:
    """Return the window in which somebody had waited 20 minutes; -1 when that never came.

    Args:
        tried: Their earliest attempt, ms, or ``NEVER``.
        left: Their earliest leave, ms, or ``NEVER``.
        info: The run.
    """
    due = tried + WAITED_MS
    return window_of(due, info) if due <= info.talk_start and left > due else -1
