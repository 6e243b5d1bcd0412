"""What people wrote: counts of ``results.reaction`` as a pure fold over columns of tweets.

Like the audience's, every count is a sum over tweets or over authors of something that is a minimum; stances are
estimates and are summed the same way.
"""

from typing import Final

import msgspec
import numpy as np

from streams.contract.names import ALL
from streams.contract.results import HASHTAG, STANCE, STANCES
from streams.contract.runinfo import RunInfo
from streams.fold.columns import Decoded
from streams.fold.results import Changes, Names
from streams.fold.snapshot import Arrays
from streams.fold.subject import subject_names
from streams.fold.tagcounts import TagCounts
from streams.fold.times import PeopleTimes
from streams.fold.windows import Rows, WindowCounts
from streams.kernels.counting import STANCES as FIRST_STANCE
from streams.kernels.counting import Bools, Night, fold_reaction
from streams.kernels.spelling import ResultRows
from streams.kernels.tweets import TweetOut

_COUNTS: Final = ("posts", "replies", "quotes", "reposts", "thread_reposts", "first_authors")
"""In the order of the kinds of count in ``streams.kernels.counting``."""
_ESTIMATES: Final = tuple(STANCE + stance for stance in STANCES)


class ReactionFold:
    """State of one partition of ``tweets``; ``info`` announces what its events keep to."""

    def __init__(self, info: RunInfo) -> None:
        span = info.end - info.start
        names = (*subject_names(info.subjects), ALL)
        self._info = info
        self._night = Night(info.start, info.window_ms, info.talk_start - info.start)
        self._counts = WindowCounts(span // info.window_ms + 1, len(names), FIRST_STANCE + len(STANCES))
        self._times = PeopleTimes(info.people, len(names), span)
        self._tags = TagCounts(span // info.window_ms + 1, len(names))
        self.names: Final = Names(names, _COUNTS, _ESTIMATES)

    def step(self, decoded: Decoded[TweetOut], first: Bools) -> None:
        """Count those tweets of a chunk that are seen for the first time."""
        events, times, table = decoded.columns, self._times, self._counts.table
        numbers = self._tags.numbers_of(decoded.tags)
        self._tags.make_room(int((events.after_tags - events.first_tag)[first].sum()))
        fold_reaction(events, first, self._night, table, times.times, times.unsaved, self._tags.table, numbers)

    def take_unpublished(self) -> tuple[Changes, Bools]:
        """Return what changed since the last call, and a token for ``not_published``."""
        rows, token = self._counts.take_unpublished()
        self.names.tags.extend(HASHTAG + tag for tag in self._tags.tags[len(self.names.tags) :])
        windows = rows.window * self._info.window_ms + self._info.start
        counts, estimates = (np.ascontiguousarray(part) for part in np.split(rows.counts, [FIRST_STANCE], axis=1))
        return Changes(ResultRows(windows, rows.name, counts, estimates, *self._tags.of(rows)), self.names), token

    def not_published(self, token: Bools) -> None:
        """Take back what could not be published."""
        self._counts.not_published(token)

    def save(self, *, everything: bool) -> Arrays:
        """Return what changed since the last call, or everything, as arrays ``load`` understands."""
        rows = self._counts.take_unsaved(everything=everything)
        people, times = self._times.take_unsaved(everything=everything)
        begins, tags, tag_counts = self._tags.of(rows)
        named, places = np.unique(tags, return_inverse=True)
        names = [self._tags.tags[number] for number in named.tolist()]
        return {
            "window": rows.window.astype(np.int32),
            "name": rows.name.astype(np.int16),
            "counts": rows.counts,
            "people": people.astype(np.int32),
            "times": times,
            "tags": np.frombuffer(msgspec.msgpack.encode(names), np.uint8),
            "tag": places.astype(np.int32),
            "tag_counts": tag_counts,
            "tags_begin": begins,
        }

    def load(self, saved: Arrays) -> None:
        """Put saved arrays back, oldest first."""
        rows = Rows(saved["window"], saved["name"], saved["counts"])
        self._counts.load(rows)
        self._times.load(saved["people"], saved["times"])
        names = msgspec.msgpack.decode(saved["tags"].tobytes(), type=list[str])
        tags = [names[place] for place in saved["tag"].tolist()]
        self._tags.load(rows, saved["tags_begin"].tolist(), tags, saved["tag_counts"].tolist())
