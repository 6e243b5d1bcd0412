"""Chunks of ``tweets`` as columns; see ``streams.columns`` for what is common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.canonical import Bools, Ints
from streams.columns import Bad, Decoded, Range, take_mark
from streams.errors import DecodeError
from streams.events import OUT_OF_RANGE, Mark, Tweet, TweetKind, decode_tweet
from streams.results import STANCES
from streams.runinfo import RunInfo
from streams.stance import stance_of
from streams.subject import subject_names, subject_of

KINDS = {kind: code for code, kind in enumerate(TweetKind)}
"""Codes of the kinds, in the order of ``TweetKind``."""
_STANCE_CODES = {stance: code for code, stance in enumerate(STANCES)}


@dataclass(slots=True)
class TweetColumns:
    """Events of ``tweets``."""

    event_id: Ints
    at: Ints
    person: Ints
    kind: NDArray[np.int16]
    """Code from ``KINDS``."""
    subject: NDArray[np.int16]
    """Index into ``subject_names(info.subjects)``."""
    stance: NDArray[np.int16]
    """Index into ``streams.results.STANCES``."""
    in_thread: Bools
    """Whether the conversation is the announcement's thread."""
    tags: list[frozenset[str]]

    def __len__(self) -> int:
        return len(self.event_id)

    def where(self, rows: Bools) -> "TweetColumns":
        """Return some of the events."""
        tags = [tags for tags, kept in zip(self.tags, rows.tolist(), strict=True) if kept]
        return TweetColumns(
            self.event_id[rows],
            self.at[rows],
            self.person[rows],
            self.kind[rows],
            self.subject[rows],
            self.stance[rows],
            self.in_thread[rows],
            tags,
        )


class TweetDecoder:
    """Decodes chunks of ``tweets`` of one run."""

    def __init__(self, info: RunInfo) -> None:
        self._info = info
        self._range = Range(info)
        self._subjects = {name: code for code, name in enumerate(subject_names(info.subjects))}

    def decode(self, values: Sequence[bytes | None]) -> Decoded[TweetColumns]:
        """Decode the values of a chunk; never raises for what they hold."""
        read: list[tuple[int, ...]] = []
        tags: list[frozenset[str]] = []
        decoded = Decoded(_columns(np.zeros((0, _WIDTH), np.int64), []))
        for row, raw in enumerate(values):
            try:
                event = decode_tweet(raw if raw is not None else b"")
            except DecodeError as error:
                decoded.bad.append(Bad(row, error.reason, error.detail))
                continue
            if isinstance(event, Mark):
                take_mark(decoded, row, event, self._info)
                continue
            read.append((row, *self._row(event)))
            tags.append(frozenset(event.hashtags))
        if read:
            table = np.array(read, np.int64)
            decoded.columns = _columns(table, tags)
            self._check(decoded, table[:, 0])
        return decoded

    def _row(self, tweet: Tweet) -> tuple[int, ...]:
        return (
            tweet.event_id,
            tweet.at,
            tweet.author,
            KINDS[tweet.kind],
            self._subjects[subject_of(tweet, self._info.subjects)],
            _STANCE_CODES[stance_of(tweet.text)],
            tweet.conversation == self._info.thread,
        )

    def _check(self, decoded: Decoded[TweetColumns], rows: Ints) -> None:
        inside = self._range.inside(decoded.columns)
        if inside.all():
            return
        for place in np.flatnonzero(~inside).tolist():
            detail = self._range.explain(decoded.columns, place)
            decoded.bad.append(Bad(int(rows[place]), OUT_OF_RANGE, detail))
        decoded.columns = decoded.columns.where(inside)


_WIDTH = 8


def _columns(table: Ints, tags: list[frozenset[str]]) -> TweetColumns:
    _, event_id, at, person, kind, subject, stance, in_thread = table.T
    small = np.int16
    return TweetColumns(
        np.ascontiguousarray(event_id),
        np.ascontiguousarray(at),
        np.ascontiguousarray(person),
        kind.astype(small),
        subject.astype(small),
        stance.astype(small),
        in_thread.astype(np.bool_),
        tags,
    )
