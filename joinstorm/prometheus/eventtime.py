"""Event-time series: the values of a night with event time as their timestamps, and their corrections; no I/O.

**Timestamps.** Prometheus keeps the first sample it gets for a timestamp and drops any other value. So the sample of a
window that ends at T is stamped a little before T: one second, and one millisecond later for each correction. A query
at T, or up to four seconds after it, finds the newest correction. The first 999 corrections of a window can be written.

**Absence.** A series without a value at a moment, as a ratio without a denominator, ends there with a stale marker, as
it would in a scrape.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from joinstorm.prometheus.backfill import AllSeries, Labels, Series
from joinstorm.prometheus.nightcolumns import Columns, NightColumn, engine_columns, run_columns
from joinstorm.prometheus.remoteread import EARLIEST, LATEST, NAME, STALE, RemoteSeries
from streams.contract.names import MINUTE_MS
from streams.contract.runinfo import RunInfo
from streams.metrics.definitions import OF_THE_NIGHT
from streams.metrics.metric import at_event_time
from streams.read.derive import ResultsView
from streams.read.ledger import Grid

Moments: TypeAlias = NDArray[np.int64]
"""Event times (ms), growing."""
MOST_SPACES: Final = 100
"""A night with more rooms gets no event-time series: each room has twenty-two at every window."""
_MOST_MOMENTS: Final = 20_000
"""Of a night; in a longer one not every window is written. The launch has 5,700."""
_MOST_CORRECTIONS: Final = 999
_TWINS: Final = {metric.name: at_event_time(metric).name for metric in OF_THE_NIGHT}


def why_not(info: RunInfo) -> str:
    """Return why a run's night cannot be written as event-time series; empty where it can."""
    if len(info.spaces) > MOST_SPACES:
        return f"it has {len(info.spaces):,} rooms, and {MOST_SPACES} can be written"
    if info.start - info.window_ms < EARLIEST or info.end + info.window_ms >= LATEST:
        return "only times from 1971 to 2109 can be written"
    return ""


def moments(info: RunInfo) -> Moments:
    """Return the event times (ms) that are written: the end of every window, in quiet phases of one a minute."""
    grid = Grid.of(info)
    step = max(1, -(-grid.windows // _MOST_MOMENTS))
    quiet_step = max(step, MINUTE_MS // grid.window_ms // step * step)
    places = np.append(np.arange(0, grid.windows, step), grid.windows)
    ends: Moments = grid.start + grid.window_ms * places
    starts = [phase.start for phase in info.phases]
    quiet = np.array([False, *(phase.quiet for phase in info.phases)])[np.searchsorted(starts, ends, "right")]
    chosen: Moments = ends[(places % np.where(quiet, quiet_step, step) == 0) | (places == grid.windows)]
    return chosen


def slots(info: RunInfo) -> int:
    """Return how many times a moment can be written: once, and its corrections."""
    return min(_MOST_CORRECTIONS + 1, info.window_ms)


def of_run(info: RunInfo, at: Moments) -> Iterator[RemoteSeries]:
    """Yield the series of the run itself at some moments: its constants, its phases, and how far its replay is."""
    for name, labels, column in _twins(run_columns(info, at), info.run):
        yield _series(name, labels, at - slots(info), column.values)


def of_engine(info: RunInfo, engine: str, view: ResultsView, at: Moments, first: int = 0) -> Iterator[RemoteSeries]:
    """Yield the values of an engine at the moments from the place ``first`` on; the one before shows what ends."""
    before = max(0, first - 1)
    for name, labels, column in _twins(engine_columns(info, engine, view, at[before:]), info.run):
        ends = np.append(False, column.present[:-1] & ~column.present[1:])
        written = (column.present | ends) & (np.arange(len(at) - before) >= first - before)
        yield _series(name, labels, at[before:][written] - slots(info), _values(column)[written])


def corrections(
    info: RunInfo, engine: str, before: ResultsView, now: ResultsView, at: Moments, revisions: Moments
) -> Iterator[RemoteSeries]:
    """Yield what differs between two views of an engine at moments that are written already.

    Args:
        info: The run.
        engine: The engine's name.
        before: The view that was written.
        now: The view of the moment.
        at: Moments (ms).
        revisions: How often each of them has been corrected; those corrected now are counted here.
    """
    old, new = (engine_columns(info, engine, view, at) for view in (before, now))
    touched = np.zeros(len(at), np.bool_)
    found = []
    absent = NightColumn(np.full(len(at), STALE), np.zeros(len(at), np.bool_))
    for key in {**old, **new}:
        was, is_now = _values(old.get(key, absent)), _values(new.get(key, absent))
        places = np.flatnonzero(was.view(np.int64) != is_now.view(np.int64))
        if len(places):
            stretch = slice(places[0], places[-1] + 2)  # one more: it may have to end there
            touched[stretch] = True
            found.append((key, stretch, is_now))
    revisions[touched] = np.minimum(revisions[touched] + 1, slots(info) - 1)
    for (name, labels), stretch, values in found:
        if name in _TWINS:
            stamps = at[stretch] - slots(info) + revisions[stretch]
            yield _series(_TWINS[name], _with_run(labels, info.run), stamps, values[stretch])


def first_difference(before: ResultsView, now: ResultsView, at: Moments) -> int:
    """Return the place of the first moment at which two views differ, if what was added to the first only grows."""
    low, high = 0, len(at)
    while low < high:
        middle = (low + high) // 2
        if _totals(before, int(at[middle])) == _totals(now, int(at[middle])):
            low = middle + 1
        else:
            high = middle
    return low


def whole_night(
    info: RunInfo, nights: Mapping[str, ResultsView], progress: Callable[[int], None] = lambda _: None
) -> Iterator[RemoteSeries]:
    """Yield every event-time series of a night, by engine; ``progress`` is called with the engines done."""
    at = moments(info)
    yield from of_run(info, at)
    for number, (engine, view) in enumerate(sorted(nights.items()), start=1):
        yield from of_engine(info, engine, view, at)
        progress(number)


def as_samples(series: Iterable[RemoteSeries]) -> AllSeries:
    """Return series as samples by name and labels, for text: a text cannot say that a series ends."""
    found = AllSeries()
    for one in series:
        (_, name), *labels = one.labels
        samples = found.setdefault(name, {}).setdefault(tuple(labels), Series())
        for at, value in zip(one.times.tolist(), one.values.tolist(), strict=True):
            if value == value:  # noqa: PLR0124 - the stale marker is a NaN, and no value of the night is
                samples.add(at / 1000, value)
    return found


def _totals(view: ResultsView, at: int) -> object:
    """Return every count of a view up to a moment."""
    until = view.grid.until(at)
    tables = (*view.audience.values(), *view.reaction.values())
    return [
        (*(running.total(count, until) for count in running.columns), running.extra.totals(until)) for running in tables
    ]


def _twins(columns: Columns, run: str) -> Iterable[tuple[str, Labels, NightColumn]]:
    for (name, labels), column in columns.items():
        if name in _TWINS:
            yield _TWINS[name], _with_run(labels, run), column


def _with_run(labels: Labels, run: str) -> Labels:
    return tuple(sorted({**dict(labels), "run": run}.items()))


def _values(column: NightColumn) -> NDArray[np.float64]:
    """Return the values, with the stale marker where there is none."""
    return np.where(column.present, column.values, STALE)


def _series(name: str, labels: Labels, stamps: Moments, values: NDArray[np.float64]) -> RemoteSeries:
    return RemoteSeries(((NAME, name), *labels), stamps, values)
