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
from streams.fold.times import PeopleFirsts
from streams.fold.windows import WindowCounts
from streams.kernels.counting import ROWS_PER_EVENT, Bools, Night, fold_reaction
from streams.kernels.counting import STANCES as FIRST_STANCE
from streams.kernels.record import Ints
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
        self._counts = WindowCounts(len(names), FIRST_STANCE + len(STANCES), info.events)
        self._firsts = PeopleFirsts(len(names), span)
        self._tags = TagCounts()
        self.names: Final = Names(names, _COUNTS, _ESTIMATES)

    def step(self, decoded: Decoded[TweetOut], first: Bools) -> None:
        """Count those tweets of a chunk that are seen for the first time."""
        events, counts, firsts, tags = decoded.columns, self._counts, self._firsts, self._tags
        new = ROWS_PER_EVENT * int(first.sum())
        counts.make_room(new)
        firsts.make_room(new)
        tags.make_room(len(counts.table.unsaved), int((events.after_tags - events.first_tag)[first].sum()))
        numbers = tags.numbers_of(decoded.tags)
        fold_reaction(events, first, self._night, counts.table, firsts.table, tags.table, numbers)

    def take_unpublished(self) -> tuple[Changes, Ints]:
        """Return what changed since the last call, and a token for ``not_published``."""
        rows, token = self._counts.take_unpublished()
        self.names.tags.extend(HASHTAG + tag for tag in self._tags.tags[len(self.names.tags) :])
        windows = rows.window * self._info.window_ms + self._info.start
        counts, estimates = (part.astype(np.int64, "C") for part in np.split(rows.counts, [FIRST_STANCE], axis=1))
        return Changes(ResultRows(windows, rows.name, counts, estimates, *self._tags.of(rows.row)), self.names), token

    def not_published(self, token: Ints) -> None:
        """Take back what could not be published."""
        self._counts.not_published(token)

    def save(self, *, everything: bool) -> Arrays:
        """Return what changed since the last call, or everything, as arrays ``load`` understands."""
        rows = self._counts.take_unsaved(everything=everything)
        people, subject, times = self._firsts.take_unsaved(everything=everything)
        begins, tags, tag_counts = self._tags.of(rows.row)
        named, places = np.unique(tags, return_inverse=True)
        names = [self._tags.tags[number] for number in named.tolist()]
        return {
            "names": np.array([len(self.names.names)]),
            "window": rows.window,
            "name": rows.name.astype(np.int32),
            "counts": rows.counts,
            "people": people,
            "subject": subject,
            "times": times,
            "tags": np.frombuffer(msgspec.msgpack.encode(names), np.uint8),
            "tag": places.astype(np.int32),
            "tag_counts": tag_counts,
            "tags_begin": begins,
        }

    def load(self, saved: Arrays) -> None:
        """Put saved arrays back, oldest first.

        Raises:
            ValueError: They are of a night with other names.
        """
        if saved["names"].tolist() != [len(self.names.names)]:
            raise ValueError(f"names: expected {len(self.names.names)}, found {saved['names'].tolist()}")
        rows = self._counts.load(saved["window"], saved["name"], saved["counts"])
        self._firsts.load(saved["people"], saved["subject"], saved["times"])
        names = msgspec.msgpack.decode(saved["tags"].tobytes(), type=list[str])
        tags = [names[place] for place in saved["tag"].tolist()]
        self._tags.load(rows, saved["tags_begin"].tolist(), tags, saved["tag_counts"].tolist())
