"""An engine's results on one topic: the greatest version of each, summed over shards, with prefix sums on demand.

Memory follows the windows, spaces and subjects that have results, not those that could have.

Records may arrive in any order and any number of times: for each window, name and shard the greatest version counts.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from streams.contract.results import Counts
from streams.contract.runinfo import RunInfo
from streams.errors import ContractError
from streams.read.steps import Ints, Steps

LIMIT: Final = 1 << 40
"""Larger counts are rejected: no window holds so many events, and sums must not overflow."""
MAX_STRAYS: Final = 10_000
_NONE: Final[Counts] = {}
_BEFORE: Final = np.zeros(1, np.int64)
_COMPACT_ABOVE: Final = 4096
_MERGE_ABOVE: Final = 1 << 16
"""Changes of one space or subject that wait to be summed, at most."""
_MOST_SHARED: Final = 1 << 14
FEW: Final = 3
"""Equal counts of at most so many labels are kept once."""
_PLACES: Final = 64
_SPARSE: Final = 8
"""Windows that are further apart on average are sorted; others are marked in an array with an entry for each window."""
_NOT_YET: Final[tuple[int, Counts, Counts]] = (0, _NONE, _NONE)


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

    def end_of(self, until: Ints) -> Ints:
        """Return the event times (ms) at which so many windows have ended."""
        return self.start + self.window_ms * until


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
        if not self.labels:
            return {}
        early = self.windows < until
        sums = np.bincount(self.numbers[early], weights=self.changes[early], minlength=len(self.labels))
        return {self.labels[number]: int(sums[number]) for number in np.flatnonzero(sums)}

    def each(self, families: tuple[str, ...]) -> Iterator[tuple[str, Ints, Ints]]:
        """Yield the labels that begin with one of the families, each with the windows and the changes of its count."""
        order = np.argsort(self.numbers, kind="stable")
        places = np.searchsorted(self.numbers[order], np.arange(len(self.labels) + 1))
        for number, label in enumerate(self.labels):
            if label.startswith(families):
                mine = order[places[number] : places[number + 1]]
                yield label, self.windows[mine], self.changes[mine]

    def cells(self) -> Iterator[tuple[int, str, int]]:
        """Yield window, label and value, without zeros."""
        windows, numbers, changes = _merged(self.windows, self.numbers, self.changes)
        for window, number, change in zip(windows.tolist(), numbers.tolist(), changes.tolist(), strict=True):
            yield window, self.labels[number], change


_EMPTY: Final = np.zeros(0, np.int64)
NOTHING: Final = Sparse(_EMPTY, _EMPTY, _EMPTY)


@dataclass(frozen=True, eq=False)
class Running:
    """The prefix sums of one space or subject, over the windows in which it has counts; immutable.

    Args:
        columns: Count or estimate to its row in ``sums``.
        windows: Positions of the windows that have any of them, ascending.
        sums: Shape (columns, windows + 1); entry k is the sum over the first k of ``windows``.
        extra: Counts without a column.
    """

    columns: Mapping[str, int]
    windows: Ints = field(repr=False)
    sums: Ints = field(repr=False)
    extra: Sparse = field(repr=False)
    _places: dict[int, int] = field(default_factory=dict, init=False, repr=False)

    def column(self, count: str) -> Steps:
        """Return the prefix sums of a count."""
        return Steps(self.windows, self.sums[self.columns[count]])

    def weighted(self, signs: Mapping[str, int]) -> Steps:
        """Return the sum of some counts, each times its factor."""
        factors = np.array([*signs.values()])
        return Steps(self.windows, factors @ self.sums[[self.columns[count] for count in signs]])

    def total(self, count: str, until: int) -> int:
        """Return the sum of a count over the first ``until`` windows."""
        return int(self.sums[self.columns[count], self.place(until)])

    def whole(self, count: str) -> int:
        """Return the sum of a count over all windows."""
        return int(self.sums[self.columns[count], -1])

    def change(self, count: str, since: int, until: int) -> int:
        """Return the sum of a count over the windows from ``since`` to before ``until``."""
        row = self.sums[self.columns[count]]
        return int(row[self.place(until)] - row[self.place(since)])

    def place(self, until: int) -> int:
        """Return how many of ``windows`` are among the first ``until`` of the night; asked for few different ones."""
        place = self._places.get(until)
        if place is None:
            if len(self._places) >= _PLACES:
                self._places.clear()
            place = self._places[until] = int(self.windows.searchsorted(until))
        return place

    def same(self, other: "Running", counts: int, until: int) -> bool:
        """Return whether the first ``counts`` columns are equal over the first ``until`` windows; quick to check."""
        mine, yours = self.place(until), other.place(until)
        return np.array_equal(self.windows[:mine], other.windows[:yours]) and np.array_equal(
            self.sums[:counts, : mine + 1], other.sums[:counts, : yours + 1]
        )

    def gaps(self, other: "Running", counts: int, until: int) -> Ints:
        """Return how far the sums of the first ``counts`` columns are apart over the first ``until`` windows.

        Shape (counts, k + 1): before any window, then after each of the k windows in which either has counts.
        """
        windows = np.union1d(self.windows[: self.place(until)], other.windows[: other.place(until)])
        ends = np.concatenate((_BEFORE, windows + 1))
        mine, yours = self.windows.searchsorted(ends), other.windows.searchsorted(ends)
        gaps: Ints = self.sums[:counts, mine] - other.sums[:counts, yours]
        return gaps

    def changed(self, numbers: Ints, windows: Ints, changes: Ints, extra: Sparse) -> "Running":
        """Return what they are after changes of counts with columns: rows in ``sums``, windows and what is added."""
        if not len(windows):
            return Running(self.columns, self.windows, self.sums, extra)
        place = int(self.windows.searchsorted(windows.min()))  # what lies before stays as it is
        tail, late, fresh = _united(self.windows[place:], windows)
        size = place + 1 + len(tail)
        sums = np.zeros((len(self.columns), size), np.int64)
        sums[:, : place + 1] = self.sums[:, : place + 1]
        sums[:, place + 1 + late] = np.diff(self.sums[:, place:])
        np.add.at(sums.reshape(-1), numbers * size + (place + 1) + fresh, changes)
        known = np.concatenate((self.windows[:place], tail))
        kept = np.any(sums[:, place + 1 :], axis=0)
        if not kept.all():
            left = place + kept.nonzero()[0]
            known = np.concatenate((known[:place], known[left]))
            sums = np.concatenate((sums[:, : place + 1], sums[:, left + 1]), axis=1)
        np.cumsum(sums[:, place:], axis=1, out=sums[:, place:])
        return Running(self.columns, known, sums, extra)


def _united(one: Ints, other: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the windows of both, ascending, and where those of each lie among them."""
    first = min(int(other.min()), int(one[0])) if len(one) else int(other.min())
    span = max(int(other.max()), int(one[-1]) if len(one) else 0) - first + 1
    if span > _SPARSE * (len(one) + len(other)):
        both = np.union1d(one, other)
        return both, both.searchsorted(one), both.searchsorted(other)
    present = np.zeros(span, np.bool_)
    present[one - first] = present[other - first] = True
    places = np.cumsum(present) - 1
    return present.nonzero()[0] + first, places[one - first], places[other - first]


class _Log:
    """An append-only log of changes; ``freeze`` compacts it when it has doubled."""

    def __init__(self) -> None:
        self.labels: dict[str, int] = {}
        self.windows, self.numbers, self.changes = array("q"), array("q"), array("q")
        self._packed = 0

    def add(self, window: int, label: str, change: int) -> None:
        self.windows.append(window)
        self.numbers.append(self.labels.setdefault(label, len(self.labels)))
        self.changes.append(change)

    def columns(self) -> tuple[Ints, Ints, Ints]:
        """Return windows, numbers of labels and changes."""
        windows, numbers, changes = (
            np.array(column, np.int64) for column in (self.windows, self.numbers, self.changes)
        )
        return windows, numbers, changes

    def freeze(self) -> Sparse:
        if not self.windows:
            return NOTHING
        if len(self.windows) > 2 * self._packed + _COMPACT_ABOVE:
            self._pack()
        return Sparse(*self.columns(), tuple(self.labels))

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
        self._counts = {label: self._columns[label] * grid.windows for label in counts}
        self._estimates = {label: self._columns[label] * grid.windows for label in estimates}
        self._known = frozenset(names)
        self._running: dict[str, Running] = {}
        self._fresh: dict[str, tuple[array[int], array[int]]] = {}
        """Changes that are not yet in ``_running``: number of the column times windows, plus window; what is added."""
        self._extra: defaultdict[str, _Log] = defaultdict(_Log)
        self._nothing = Running(self._columns, _EMPTY, np.zeros((len(self._columns), 1), np.int64), NOTHING)
        self._won: dict[tuple[str, str], dict[int, tuple[int, Counts, Counts]]] = {}
        self._shared: dict[tuple[tuple[str, int], ...], Counts] = {}

    def put(self, window: int, name: str, shard: str, version: int, counts: Counts, estimates: Counts = _NONE) -> None:
        """Add one result; a version older than the known one changes nothing.

        Raises:
            ContractError: A count is beyond what a night can hold.
        """
        values = [*counts.values(), *estimates.values()]
        if values and not (min(values) > -LIMIT and max(values) < LIMIT):
            raise ContractError(f"window {window}, {name!r}: a count beyond ±2^40 in {counts | estimates}")
        index = self.grid.index(window)
        if index is None or name not in self._known:
            self._stray((window, name, shard), version, counts)
            return
        lane = self._won.get((name, shard))
        if lane is None:
            lane = self._won[name, shard] = {}
        known = lane.get(index)
        if known is not None and version < known[0]:
            return
        _, before, before_estimates = known or _NOT_YET
        lane[index] = (version, self._share(counts), self._share(estimates) if estimates else _NONE)
        self._note(name, index, before, counts, self._counts)
        if estimates or before_estimates:
            self._note(name, index, before_estimates, estimates, self._estimates)

    def running(self, name: str) -> Running:
        """Return the current prefix sums of a space or subject."""
        known = self._running.get(name, self._nothing)
        log = self._fresh.pop(name, None)
        if log is not None:
            numbers, windows = np.divmod(np.array(log[0]), self.grid.windows)
            extra = self._extra[name].freeze() if name in self._extra else NOTHING
            known = self._running[name] = known.changed(numbers, windows, np.array(log[1]), extra)
        return known

    def _share(self, counts: Counts) -> Counts:
        """Return an equal dictionary that other results have, too: most windows of a long night hold one event."""
        if len(counts) > FEW:
            return counts
        key = tuple(counts.items())
        if len(self._shared) < _MOST_SHARED:
            return self._shared.setdefault(key, counts)
        return self._shared.get(key, counts)

    def _note(self, name: str, index: int, before: Counts, now: Counts, columns: Mapping[str, int]) -> None:
        """Note what has changed of one result."""
        if before and not before.keys() <= now.keys():
            now = {**dict.fromkeys(before, 0), **now}
        log = self._fresh.get(name)
        if log is None:
            log = self._fresh[name] = (array("q"), array("q"))
        places, changes = log
        for label, value in now.items():
            change = value - before[label] if label in before else value
            if change and label in columns:
                places.append(columns[label] + index)
                changes.append(change)
            elif change and columns is self._counts:
                self._extra[name].add(index, label, change)
        if len(places) > _MERGE_ABOVE:
            self.running(name)

    def _stray(self, key: tuple[int, str, str], version: int, counts: Counts) -> None:
        known = self.strays.get(key)
        if known is None and len(self.strays) >= MAX_STRAYS:
            return
        if known is None or version >= known[0]:
            self.strays[key] = (version, counts)
