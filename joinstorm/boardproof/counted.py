"""The night's counts as plain sums over the windows that end by a moment.

The boards are compared with this, so it is independent of the exporter, of PromQL and of ``streams.read.derive``: it
adds up the oracle's rows.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeAlias

from streams.contract.results import Counts
from streams.contract.runinfo import RunInfo

Rows: TypeAlias = dict[tuple[int, str], Counts]
"""Counts by window and space or subject."""


@dataclass(frozen=True)
class Column:
    """One count of one name: its windows, and running sums over them."""

    windows: list[int]
    sums: list[int]

    def until(self, end: int, window_ms: int) -> int:
        """Return the sum over the windows that end at or before event time ``end`` (ms)."""
        index = bisect_right(self.windows, end - window_ms)
        return self.sums[index - 1] if index else 0


_EMPTY = Column([], [])


@dataclass(eq=False)
class Counted:
    """All counts of one engine.

    Args:
        info: The run.
        audience: Counts by window and space.
        reaction: Counts by window and subject.
        estimates: Stances by window and subject.
    """

    info: RunInfo
    audience: Rows = field(repr=False)
    reaction: Rows = field(repr=False)
    estimates: Rows = field(repr=False)
    _audience: dict[tuple[str, str], Column] = field(init=False, repr=False)
    _reaction: dict[tuple[str, str], Column] = field(init=False, repr=False)
    _estimates: dict[tuple[str, str], Column] = field(init=False, repr=False)
    _busy: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Add up every count once."""
        self._audience = _columns(self.audience)
        self._reaction = _columns(self.reaction)
        self._estimates = _columns(self.estimates)
        self._busy = sorted({window for window, _ in self.audience})

    def presence(self, space: str, count: str, end: int, since: int | None = None) -> int:
        """Return a count of ``results.audience`` up to ``end``, or between ``since`` and ``end`` (event time, ms)."""
        return self._between(self._audience.get((space, count), _EMPTY), end, since)

    def tweets(self, subject: str, count: str, end: int, since: int | None = None) -> int:
        """Return a count of ``results.reaction``."""
        return self._between(self._reaction.get((subject, count), _EMPTY), end, since)

    def stance(self, subject: str, name: str, end: int, since: int | None = None) -> int:
        """Return an estimate of ``results.reaction``."""
        return self._between(self._estimates.get((subject, f"stance:{name}"), _EMPTY), end, since)

    def audience_at(self, space: str, end: int) -> int:
        """Return joins minus drops and leaves."""
        return sum(sign * self.presence(space, count, end) for count, sign in _LIVE)

    def waiting_at(self, end: int) -> int:
        """Return arrivals plus drops minus joins and give-ups, over all spaces."""
        spaces = self.info.spaces
        return sum(sign * self.presence(space, count, end) for space in spaces for count, sign in _WAITING)

    def peak(self, space: str, end: int) -> tuple[int, int]:
        """Return the largest audience at the end of any window up to ``end``, and the first such end."""
        best = max(self.ends(end), key=lambda at: (self.audience_at(space, at), -at))
        return self.audience_at(space, best), best

    def ends(self, end: int) -> list[int]:
        """Return the start of the night, and the ends of the windows with events up to ``end``."""
        width = self.info.window_ms
        return [self.info.start, *(window + width for window in self._busy[: bisect_right(self._busy, end - width)])]

    def by_window(self, subject: str, counts: Iterable[str], end: int) -> list[int]:
        """Return the sum of some counts of ``results.reaction`` for each window up to ``end``, zeros included."""
        width = self.info.window_ms
        starts = range(self.info.start, end - width + 1, width)
        return [sum(self.reaction.get((at, subject), {}).get(count, 0) for count in counts) for at in starts]

    def counts_with(self, prefix: str) -> list[tuple[str, str]]:
        """Return subject and name of every count of ``results.reaction`` whose name begins with ``prefix``."""
        return sorted(key for key in self._reaction if key[1].startswith(prefix))

    def families(self, prefixes: tuple[str, ...]) -> list[tuple[str, str]]:
        """Return space and name of every count of the audience whose name begins with one of the prefixes."""
        return sorted(key for key in self._audience if key[1].startswith(prefixes))

    def _between(self, column: Column, end: int, since: int | None) -> int:
        width = self.info.window_ms
        return column.until(end, width) - (0 if since is None else column.until(since, width))


_LIVE = (("joins", 1), ("drops", -1), ("leaves", -1))
_WAITING = (("arrivals", 1), ("drops", 1), ("joins", -1), ("give_ups", -1))


def _columns(rows: Rows) -> dict[tuple[str, str], Column]:
    found: dict[tuple[str, str], dict[int, int]] = {}
    for (window, name), counts in rows.items():
        for count, value in counts.items():
            found.setdefault((name, count), {})[window] = value
    return {key: _column(values) for key, values in found.items()}


def _column(values: Mapping[int, int]) -> Column:
    windows = sorted(values)
    return Column(windows, list(accumulate(values[window] for window in windows)))


def doubled(rows: Rows, windows: Iterable[int]) -> Rows:
    """Return the rows of an engine that counted some windows twice."""
    twice = set(windows)
    return {
        key: {count: value * (2 if key[0] in twice else 1) for count, value in counts.items()}
        for key, counts in rows.items()
    }


def inflated(rows: Rows, spaces: Iterable[str]) -> Rows:
    """Return the rows with every count of every room one higher, in each window with events."""
    windows = {window for window, _ in rows}
    extra = dict.fromkeys(("attempts", "arrivals", "joins", "fails", "leaves", "drops", "give_ups", "rejoins_60s"), 1)
    found = {key: dict(counts) for key, counts in rows.items()}
    for window in windows:
        for space in spaces:
            counts = found.setdefault((window, space), {})
            for count, value in extra.items():
                counts[count] = counts.get(count, 0) + value
    return found
