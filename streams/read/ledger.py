"""An engine's results on one topic: the greatest version of each, summed over shards, with prefix sums on demand.

Records may arrive in any order and any number of times: for each window, name and shard the greatest version counts.
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
"""Larger counts are rejected: no window holds so many events, and sums must not overflow."""
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
        """Return the position of the window that starts at ``window``; None if there is none."""
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
    """Counts whose labels are not known in advance (hashtags), as changes.

    Args:
        windows: Position of each change's window.
        numbers: Position of each change's label in ``labels``.
        changes: What is added to the count.
        labels: Names of the counts.
    """

    windows: Ints
    numbers: Ints
    changes: Ints
    labels: tuple[str, ...] = ()

    def totals(self, until: int) -> Counts:
        """Return the sum of every label over the first ``until`` windows, without zeros."""
        early = self.windows < until
        sums = np.bincount(self.numbers[early], weights=self.changes[early], minlength=len(self.labels))
        return {self.labels[number]: int(sums[number]) for number in np.flatnonzero(sums)}

    def cells(self) -> Iterator[tuple[int, str, int]]:
        """Yield window, label and value, without zeros."""
        windows, numbers, changes = _merged(self.windows, self.numbers, self.changes)
        for window, number, change in zip(windows.tolist(), numbers.tolist(), changes.tolist(), strict=True):
            yield window, self.labels[number], change


_EMPTY: Final = np.zeros(0, np.int64)
NOTHING: Final = Sparse(_EMPTY, _EMPTY, _EMPTY)


@dataclass(frozen=True, eq=False)
class Running:
    """The prefix sums of one space or subject; immutable.

    Args:
        columns: Count or estimate to its row in ``sums``.
        sums: Shape (columns, windows + 1); entry k is the sum over the first k windows.
        extra: Counts without a column.
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
        """Return the sum of a count over the windows from ``since`` to before ``until``."""
        row = self.columns[count]
        return int(self.sums[row, until] - self.sums[row, since])


class _Log:
    """The growing form of ``Sparse``: an append-only log of changes, compacted when it has doubled."""

    def __init__(self) -> None:
        self.labels: dict[str, int] = {}
        self.windows, self.numbers, self.changes = array("q"), array("q"), array("q")
        self._packed = 0

    def add(self, window: int, label: str, change: int) -> None:
        self.windows.append(window)
        self.numbers.append(self.labels.setdefault(label, len(self.labels)))
        self.changes.append(change)

    def freeze(self) -> Sparse:
        if len(self.windows) > 2 * self._packed + _COMPACT_ABOVE:
            self._pack()
        windows, numbers, changes = (
            np.array(column, np.int64) for column in (self.windows, self.numbers, self.changes)
        )
        return Sparse(windows, numbers, changes, tuple(self.labels))

    def _pack(self) -> None:
        merged = _merged(*(np.array(column) for column in (self.windows, self.numbers, self.changes)))
        self.windows, self.numbers, self.changes = (array("q", column.tobytes()) for column in merged)
        self._packed = len(self.windows)


def _merged(windows: Ints, numbers: Ints, changes: Ints) -> tuple[Ints, Ints, Ints]:
    """Return one entry for each window and label, in order, without zeros."""
    if not len(windows):
        return windows, numbers, changes
    width = int(numbers.max()) + 1
    keys = windows * width + numbers
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
        counts: The counts that get a column; others are kept by window and label.
        estimates: The estimates to keep; others are dropped.
    """

    def __init__(self, grid: Grid, names: Sequence[str], counts: Sequence[str], estimates: Sequence[str] = ()) -> None:
        self.grid = grid
        self.names = tuple(names)
        self.counts = tuple(counts)
        self.strays: dict[tuple[int, str, str], tuple[int, Counts]] = {}
        """Results for windows or names that do not exist: (window, name, shard) to version and counts.

        Only the first ``MAX_STRAYS`` are kept.
        """
        self._columns = {label: row for row, label in enumerate((*counts, *estimates))}
        self._offsets = {label: self._columns[label] * grid.windows for label in counts}
        self._estimates = {label: self._columns[label] * grid.windows for label in estimates}
        size = len(self._columns) * grid.windows
        self._cells = {name: array("q", bytes(8 * size)) for name in names}
        self._logs = {name: _Log() for name in names}
        self._won: dict[tuple[str, str], dict[int, tuple[int, Counts, Counts]]] = {}
        self._frozen: dict[str, Running] = {}

    def put(self, window: int, name: str, shard: str, version: int, counts: Counts, estimates: Counts = _NONE) -> None:
        """Add one result; a version older than the known one changes nothing.

        Raises:
            ContractError: A count is beyond what a night can hold.
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
        """Return the current prefix sums of a space or subject."""
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
        for label, value in counts.items():
            offset = offsets.get(label)
            if offset is None:
                self._logs[name].add(index, label, sign * value)
            else:
                cells[offset + index] += sign * value
        offsets = self._estimates
        for label, value in estimates.items():
            offset = offsets.get(label)
            if offset is not None:
                cells[offset + index] += sign * value

    def _stray(self, key: tuple[int, str, str], version: int, counts: Counts) -> None:
        known = self.strays.get(key)
        if known is None and len(self.strays) >= MAX_STRAYS:
            return
        if known is None or version >= known[0]:
            self.strays[key] = (version, counts)
