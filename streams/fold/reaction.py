"""What people said: counts of ``results.reaction`` as a pure fold over columns of tweets.

Like the audience's, every count is a sum over tweets or over authors of something that is a minimum; stances are
estimates and are summed the same way.
"""

from typing import Final

import msgspec
import numpy as np

from streams.contract.events import TweetKind
from streams.contract.names import ALL
from streams.contract.results import HASHTAG, STANCE, STANCES, Counts
from streams.contract.runinfo import RunInfo
from streams.fold.canonical import Bools, Ints
from streams.fold.minima import Distinct, Earliest
from streams.fold.snapshot import Arrays
from streams.fold.subject import subject_names
from streams.fold.tweetcolumns import KINDS, TweetColumns
from streams.fold.windows import Changed, Rows, WindowCounts, worded

_COUNTS: Final = ("posts", "replies", "quotes", "reposts", "thread_reposts", "first_authors")
"""The first four in the order of ``TweetKind``."""
_THREAD_REPOSTS: Final = 4
_FIRST_AUTHORS: Final = 5
_STANCES_FROM: Final = len(_COUNTS)
_KINDS: Final = _STANCES_FROM + len(STANCES)
_ESTIMATES: Final = tuple(STANCE + stance for stance in STANCES)
_MAX_TAG_SETS: Final = 10_000
_NO_TAGS: Final[Counts] = {}


class ReactionFold:
    """State of one partition of ``tweets``.

    ``step`` takes columns without duplicates, of events inside what ``info`` announces.
    """

    def __init__(self, info: RunInfo) -> None:
        span = info.end - info.start
        self._info = info
        self._names = (*subject_names(info.subjects), ALL)
        self._counts = WindowCounts(span // info.window_ms + 1, len(self._names), _KINDS)
        self._tags: dict[tuple[int, int], Counts] = {}
        self._words: dict[tuple[str, ...], tuple[str, ...]] = {}
        distinct = Distinct(info.people)
        self._firsts = [Earliest(info.people, span, distinct) for _ in self._names]
        self._unsaved = np.zeros(info.people, np.bool_)

    def step(self, events: TweetColumns) -> None:
        """Count tweets."""
        since = events.at - self._info.start
        window = since // self._info.window_ms
        reposted = np.flatnonzero(events.in_thread & (events.kind == KINDS[TweetKind.REPOST]))
        self._counts.count(window, events.subject, events.kind)
        self._counts.count(window, events.subject, events.stance + np.int16(_STANCES_FROM))
        threads = np.full(len(reposted), _THREAD_REPOSTS, np.int16)
        self._counts.count(window[reposted], events.subject[reposted], threads)
        self._count_tags(events, window)
        self._count_authors(events, since)

    def _count_tags(self, events: TweetColumns, window: Ints) -> None:
        tagged = np.flatnonzero(np.fromiter(map(bool, events.tags), np.bool_, len(events)))
        places = zip(window[tagged].tolist(), events.subject[tagged].tolist(), strict=True)
        for row, place in zip(tagged.tolist(), places, strict=True):
            counts = self._tags.setdefault(place, {})
            for word in self._words_of(events.tags[row]):
                counts[word] = counts.get(word, 0) + 1

    def _words_of(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Return what a tweet with these hashtags counts as; remembered, as few sets of them are much used."""
        words = self._words.get(tags)
        if words is None:
            words = tuple(HASHTAG + tag for tag in set(tags))
            if len(self._words) < _MAX_TAG_SETS:
                self._words[tags] = words
        return words

    def _count_authors(self, events: TweetColumns, since: Ints) -> None:
        step, everywhere = self._info.window_ms, len(self._names) - 1
        self._counts.touch(since // step, everywhere)
        for name, earliest in enumerate(self._firsts):
            rows = slice(None) if name == everywhere else np.flatnonzero(events.subject == name)
            slots, before, after = earliest.lower(events.person[rows], since[rows])
            self._unsaved[slots] = True
            before = np.where(before == earliest.never, -1, before // step)
            self._counts.move(name, _FIRST_AUTHORS, before, after // step)

    def take_unpublished(self) -> tuple[list[Changed], Bools]:
        """Return what changed since the last call, and a token for ``not_published``."""
        rows, token = self._counts.take_unpublished()
        start, step = self._info.start, self._info.window_ms
        windows, names = rows.window.tolist(), rows.name.tolist()
        counts, estimates = (
            worded(rows.counts[:, :_STANCES_FROM], _COUNTS),
            worded(rows.counts[:, _STANCES_FROM:], _ESTIMATES),
        )
        found: list[Changed] = []
        told = zip(windows, names, counts, estimates, strict=True)
        for window, name, counted, estimated in told:
            counted.update(self._tags.get((window, name), _NO_TAGS))
            found.append(Changed(start + window * step, self._names[name], counted, estimated))
        return found, token

    def not_published(self, token: Bools) -> None:
        """Take back what could not be published."""
        self._counts.not_published(token)

    def save(self, *, everything: bool) -> Arrays:
        """Return what changed since the last call, or everything, as arrays ``load`` understands."""
        rows = self._counts.take_unsaved(everything=everything)
        people = np.flatnonzero(self._firsts[-1].times != self._firsts[-1].never if everything else self._unsaved)
        self._unsaved[:] = False
        places = zip(rows.window.tolist(), rows.name.tolist(), strict=True)
        tags = [self._tags.get(place, {}) for place in places]
        return {
            "window": rows.window.astype(np.int32),
            "name": rows.name.astype(np.int16),
            "counts": rows.counts,
            "people": people.astype(np.int32),
            "times": np.array([earliest.times[people] for earliest in self._firsts]),
            "tags": np.frombuffer(msgspec.msgpack.encode(tags), np.uint8),
        }

    def load(self, saved: Arrays) -> None:
        """Put saved arrays back, oldest first."""
        self._counts.load(Rows(saved["window"], saved["name"], saved["counts"]))
        tags = msgspec.msgpack.decode(saved["tags"].tobytes(), type=list[dict[str, int]])
        for window, name, counts in zip(saved["window"].tolist(), saved["name"].tolist(), tags, strict=True):
            if counts:
                self._tags[window, name] = counts
        for earliest, times in zip(self._firsts, saved["times"], strict=True):
            earliest.times[saved["people"]] = times
