"""Counts of hashtags, or of durations and breakdowns, of the rows of a ``WindowCounts``."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams.fold.growing import longer
from streams.kernels.counting import LAST_LINKS, TagTable, gather_tags
from streams.kernels.record import Ints
from streams.kernels.table import Numbering

_FEW = 1_024


class TagCounts:
    """What ``streams.kernels.counting`` counts in where a row has few of many counts: each row has a chain of links.

    Args:
        known: The tags that are known before the first event, by number.
    """

    def __init__(self, known: Sequence[str] = ()) -> None:
        heads = np.full(_FEW, -1, np.int32)
        following, tags, counts = np.empty(_FEW, np.int32), np.empty(_FEW, np.int32), np.empty(_FEW, np.int64)
        last = np.full(LAST_LINKS, -1, np.int64), np.empty(LAST_LINKS, np.int32)
        self.table = TagTable(heads, following, tags, counts, np.zeros(1, np.int64), *last)
        self.tags = list(known)
        """The hashtags, or the durations and breakdowns, by number."""
        self._numbers = {tag: number for number, tag in enumerate(known)}
        self._theirs: Numbering | None = None
        self._ours: NDArray[np.int32] = np.empty(0, np.int32)

    def numbers_of(self, theirs: Numbering) -> NDArray[np.int32]:
        """Return our number of each hashtag that a decoder has numbered."""
        if theirs is not self._theirs:
            self._theirs, self._ours = theirs, np.empty(0, np.int32)
        if len(self._ours) < len(theirs):
            fresh = [self._number(tag.decode()) for tag in theirs.entries[len(self._ours) :]]
            self._ours = np.concatenate((self._ours, np.array(fresh, np.int32)))
        return self._ours

    def _number(self, tag: str) -> int:
        number = self._numbers.setdefault(tag, len(self.tags))
        if number == len(self.tags):
            self.tags.append(tag)
        return number

    def make_room(self, rows: int, links: int) -> None:
        """Have room for so many rows altogether, and so many free links."""
        heads = self.table.heads
        if rows > len(heads):
            more = np.full(max(2 * len(heads), rows) - len(heads), -1, np.int32)
            self.table = self.table._replace(heads=np.concatenate((heads, more)))
        used, room = int(self.table.used[0]), len(self.table.tags)
        if used + links > room:
            size = max(2 * room, used + links)
            self.table = self.table._replace(
                following=longer(self.table.following, size),
                tags=longer(self.table.tags, size),
                counts=longer(self.table.counts, size),
            )

    def of(self, rows: Ints) -> tuple[Ints, NDArray[np.int32], Ints]:
        """Return where the tags of each row begin, the last end included; the tags' numbers and counts, no zeros."""
        begins = np.zeros(len(rows) + 1, np.int64)
        used = int(self.table.used[0])
        tags, counts = np.empty(used, np.int32), np.empty(used, np.int64)
        gather_tags(self.table, rows, begins, tags, counts)
        return begins, tags[: begins[-1]], counts[: begins[-1]]

    def load(self, rows: Ints, begins: Sequence[int], tags: Sequence[str], counts: Sequence[int]) -> None:
        """Put the tags of rows back; those of a row take the place of what it had."""
        self.make_room(int(rows.max(initial=-1)) + 1, len(tags))
        self.table.last_keys[:] = -1
        table, used = self.table, int(self.table.used[0])
        for number, row in enumerate(rows.tolist()):
            table.heads[row] = -1
            for place in range(begins[number], begins[number + 1]):
                table.tags[used], table.counts[used] = self._number(tags[place]), counts[place]
                table.following[used] = table.heads[row]
                table.heads[row] = used
                used += 1
        table.used[0] = used
