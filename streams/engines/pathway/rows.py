"""Turns a record of an input topic into a row of Pathway's tables; does not import Pathway."""

from typing import Final, NamedTuple, TypeAlias

from streams.contract.events import WAITED_MS, Mark, Presence
from streams.contract.names import ALL
from streams.contract.runinfo import RunInfo
from streams.engines.shared.simplefold import (
    NEVER,
    decode,
    end_of_wait,
    presence_counts,
    subject_of,
    tweet_counts,
    window_of,
)
from streams.errors import DecodeError

NONE: Final = -1
"""No watermark, or no window."""

Fact: TypeAlias = tuple[int, int, int, str, tuple[str, ...], tuple[str, ...], int, int, int]
"""An event's contribution: person, time, window, space or subject, the counts of that row that it increments, the
spaces or subjects in which it may be the person's first, the time of the attempt, of the join and of the leave
(``NEVER`` if it is no such event).
"""
NO_FACT: Final[Fact] = (0, 0, 0, "", (), (), NEVER, NEVER, NEVER)


class Row(NamedTuple):
    """One record."""

    next_place: int
    event_id: int
    """-1 if the record is not an event."""
    fact: Fact
    mark: int
    """1 for a mark."""
    watermark: int
    """-1 if the record is not a mark."""
    end: int
    """1 for the end mark."""
    reason: str
    """Reason if the record is a dead letter, otherwise empty."""


def row_of(topic: str, raw: bytes | None, offset: int, info: RunInfo) -> Row:
    """Decode a record of an input topic, given by base name; a dead letter has a ``reason``."""
    try:
        event = decode(topic, raw, info)
    except DecodeError as error:
        return Row(offset + 1, -1, NO_FACT, 0, NONE, 0, error.reason)
    if isinstance(event, Mark):
        return Row(offset + 1, -1, NO_FACT, 1, event.at, int(event.mark == "end"), "")
    window = window_of(event.at, info)
    fact: Fact
    if isinstance(event, Presence):
        firsts = (event.space, ALL) if event.kind == "join" else ()
        tried, joined, left = (event.at if event.kind == kind else NEVER for kind in ("attempt", "join", "leave"))
        counts = tuple(presence_counts(event))
        fact = (event.listener, event.at, window, event.space, counts, firsts, tried, joined, left)
    else:
        subject = subject_of(event, info)
        counts = tuple(tweet_counts(event, info))
        fact = (event.author, event.at, window, subject, counts, (subject, ALL), NEVER, NEVER, NEVER)
    return Row(offset + 1, event.event_id, fact, 0, NONE, 0, "")


def waited_window(tried: int, left: int, info: RunInfo) -> int:
    """Return the window in which a listener's wait reached 20 minutes; ``NONE`` if it never did.

    Args:
        tried: The listener's earliest attempt, ms, or ``NEVER``.
        left: The listener's earliest leave, ms, or ``NEVER``.
        info: The run.
    """
    due = tried + WAITED_MS
    return window_of(due, info) if due <= info.talk_start and left > due else NONE


def wait_end(tried: int, joined: int, left: int, info: RunInfo) -> tuple[int, str]:
    """Return the window in which a listener's first wait ended, ``NONE`` if it has not, and its count of durations.

    Args:
        tried: The listener's earliest attempt, ms, or ``NEVER``.
        joined: The listener's earliest join, ms, or ``NEVER``.
        left: The listener's earliest leave, ms, or ``NEVER``.
        info: The run.
    """
    end = end_of_wait(tried, joined, left)
    return (NONE, "") if end is None else (window_of(end[0], info), end[1])
