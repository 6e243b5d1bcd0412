"""An engine's results of one topic, kept by version and summed over shards, ready for prefix sums at any moment.

Records may come in any order and any number of times: for each window, name and shard the greatest version counts.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.contract.results import Counts
from streams.contract.runinfo import RunInfo
from streams.errors import ContractError

Ints: TypeAlias = NDArray[np.int64]
LIMIT: Final = 1 << 40
"""Counts beyond this are refused: no window holds so many events, and sums must not run over."""
MAX_STRAYS: Final = 10_000
_NONE: Final[Counts] = {}
_COMPACT_ABOVE: Final = 4096


@dataclass(frozen=True)
class Grid:
    """The tumbling windows of a night: ``windows`` of ``window_ms`` each, the first at ``start``."""

    start: int
    window_ms: int
    windows: int

    @classmethod
    def of(cls, info: RunInfo) -> "Grid":
        """Return the windows that can hold an event of the run."""
        return cls(info.start, info.window_ms, (info.end - info.start) // info.window_ms + 1)

    @property
    def end(self) -> int:
        """End of the last window, event time in ms."""
        return self.start + self.windows * self.window_ms

    def index(self, window: int) -> int | None:
        """Return the position of the window that starts at ``window``, None when there is none."""
        index, rest = divmod(window - self.start, self.window_ms)
        return index if rest == 0 and 0 <= index < self.windows else None

    def until(self, at: int) -> int:
        """Return how many windows end at or before event time ``at``."""
        return min(self.windows, max(0, (at - self.start) // self.window_ms))

    def ends(self) -> Ints:
        """Return the ends of all windows, preceded by the start of the first: the times of prefix sums."""
        return self.start + self.window_ms * np.arange(self.windows + 1, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Sparse:
    """Counts by names that nobody knows beforehand (hashtags): changes by window and word."""

    windows: Ints
    words: Ints
    changes: Ints
    vocabulary: tuple[str, ...] = ()

    def totals(self, until: int) -> Counts:
        """Return the sum of every word over the first ``until`` windows, zeros left out."""
        early = self.windows < until
        sums = np.bincount(self.words[early], weights=self.changes[early], minlength=len(self.vocabulary))
        return {self.vocabulary[word]: int(sums[word]) for word in np.flatnonzero(sums)}

    def cells(self) -> Iterator[tuple[int, str, int]]:
        """Yield window, word and value, zeros left out."""
        windows, words, changes = _merged(self.windows, self.words, self.changes)
        for window, word, change in zip(windows.tolist(), words.tolist(), changes.tolist(), strict=True):
            yield window, self.vocabulary[word], change


_EMPTY: Final = np.zeros(0, np.int64)
NOTHING: Final = Sparse(_EMPTY, _EMPTY, _EMPTY)


@dataclass(frozen=True, eq=False)
class Running:
    """The prefix sums of one space or subject; nothing in it changes any more.

    Args:
        columns: Count or estimate to its row in ``sums``.
        sums: Shape (columns, windows + 1); entry k is the sum over the first k windows.
        extra: Counts that have no column.
    """

    columns: Mapping[str, int]
    sums: Ints = field(repr=False)
    extra: Sparse = field(repr=False)

    def column(self, count: str) -> Ints:
        """Return the prefix sums of a count, shape (windows + 1)."""
        column: Ints = self.sums[self.columns[count]]
        return column

    def total(self, count: str, until: int) -> int:
        """Return the sum of a count over the first ``until`` windows."""
        return int(self.sums[self.columns[count], until])

    def change(self, count: str, since: int, until: int) -> int:
        """Return the sum of a count over the windows from ``since`` up to and without ``until``."""
        row = self.columns[count]
        return int(self.sums[row, until] - self.sums[row, since])


class _Log:
    """The growing form of ``Sparse``: an append-only log of changes, packed when it has doubled."""

    def __init__(self) -> None:
        self.vocabulary: dict[str, int] = {}
        self.windows, self.words, self.changes = array("q"), array("q"), array("q")
        self._packed = 0

    def add(self, window: int, word: str, change: int) -> None:
        self.windows.append(window)
        self.words.append(self.vocabulary.setdefault(word, len(self.vocabulary)))
        self.changes.append(change)

    def freeze(self) -> Sparse:
        if len(self.windows) > 2 * self._packed + _COMPACT_ABOVE:
            self._pack()
        windows, words, changes = (np.array(column, np.int64) for column in (self.windows, self.words, self.changes))
        return Sparse(windows, words, changes, tuple(self.vocabulary))

    def _pack(self) -> None:
        merged = _merged(*(np.array(column) for column in (self.windows, self.words, self.changes)))
        self.windows, self.words, self.changes = (array("q", column.tobytes()) for column in merged)
        self._packed = len(self.windows)


def _merged(windows: Ints, words: Ints, changes: Ints) -> tuple[Ints, Ints, Ints]:
    """Return one entry for each window and word, in order, zeros left out."""
    if not len(windows):
        return windows, words, changes
    width = int(words.max()) + 1
    keys = windows * width + words
    order = np.argsort(keys)
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    keys, sums = keys[starts], np.add.reduceat(changes[order], starts)
    kept = sums != 0
    return keys[kept] // width, keys[kept] % width, sums[kept]


class Ledger:
    """The results of one engine on one topic.

    Args:
        grid: The windows of the night.
        names: The spaces or subjects that exist, ``*`` included.
        counts: The counts that get a column of their own; others are kept by window and word.
        estimates: The estimates that are kept; others are dropped.
    """

    def __init__(self, grid: Grid, names: Sequence[str], counts: Sequence[str], estimates: Sequence[str] = ()) -> None:
        self.grid = grid
        self.names = tuple(names)
        self.counts = tuple(counts)
        self.strays: dict[tuple[int, str, str], tuple[int, Counts]] = {}
        """Results for windows or names that do not exist: (window, name, shard) to version and counts.

        The first ``MAX_STRAYS`` are kept.
        """
        self._columns = {word: row for row, word in enumerate((*counts, *estimates))}
        self._offsets = {word: self._columns[word] * grid.windows for word in counts}
        self._estimates = {word: self._columns[word] * grid.windows for word in estimates}
        size = len(self._columns) * grid.windows
        self._cells = {name: array("q", bytes(8 * size)) for name in names}
        self._logs = {name: _Log() for name in names}
        self._won: dict[tuple[str, str], dict[int, tuple[int, Counts, Counts]]] = {}
        self._frozen: dict[str, Running] = {}

    def put(self, window: int, name: str, shard: str, version: int, counts: Counts, estimates: Counts = _NONE) -> None:
        """Take one result; an older version than the known one changes nothing.

        Raises:
            ContractError: A count beyond what a night can hold.
        """
        for values in (counts, estimates):
            if values and not (min(values.values()) > -LIMIT and max(values.values()) < LIMIT):
                raise ContractError(f"window {window}, {name!r}: a count beyond ±2^40 in {values}")
        index = self.grid.index(window)
        if index is None or name not in self._cells:
            self._stray((window, name, shard), version, counts)
            return
        lane = self._won.get((name, shard))
        if lane is None:
            lane = self._won[name, shard] = {}
        known = lane.get(index)
        if known is not None:
            if version < known[0]:
                return
            self._add(name, index, known[1], known[2], -1)
        lane[index] = (version, counts, estimates or _NONE)
        self._add(name, index, counts, estimates, 1)
        self._frozen.pop(name, None)

    def running(self, name: str) -> Running:
        """Return the prefix sums of a space or subject as they are now."""
        known = self._frozen.get(name)
        if known is None:
            cells = np.frombuffer(self._cells[name], np.int64).reshape(len(self._columns), self.grid.windows)
            sums = np.empty((len(self._columns), self.grid.windows + 1), np.int64)
            sums[:, 0] = 0
            np.cumsum(cells, axis=1, out=sums[:, 1:])
            known = self._frozen[name] = Running(self._columns, sums, self._logs[name].freeze())
        return known

    def _add(self, name: str, index: int, counts: Counts, estimates: Counts, sign: int) -> None:
        cells, offsets = self._cells[name], self._offsets
        for word, value in counts.items():
            offset = offsets.get(word)
            if offset is None:
                self._logs[name].add(index, word, sign * value)
            else:
                cells[offset + index] += sign * value
        offsets = self._estimates
        for word, value in estimates.items():
            offset = offsets.get(word)
            if offset is not None:
                cells[offset + index] += sign * value

    def _stray(self, key: tuple[int, str, str], version: int, counts: Counts) -> None:
        known = self.strays.get(key)
        if known is None and len(self.strays) >= MAX_STRAYS:
            return
        if known is None or version >= known[0]:
            self.strays[key] = (version, counts)
