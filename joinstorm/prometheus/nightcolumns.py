"""The values of a night at many moments at once: what the exporter serves, as columns over moments.

Asking an exporter moment by moment takes a minute for a night at every fifteen seconds. Here the values of all moments
are computed together; a test holds them against the exporter's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from joinstorm.prometheus.backfill import NOT_OF_THE_NIGHT, Labels
from streams.contract.breakdowns import DROPS_BY_CLIENT, FAILS_BY_CLIENT, JOINS_BY_CLIENT, LEAVES_BY_CLIENT
from streams.contract.durations import TIME_TO_EXIT, TIME_TO_JOIN
from streams.contract.names import ALL, MINUTE_MS, TRUTH
from streams.contract.results import HASHTAG
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE, TWEETS
from streams.exporter import samples
from streams.metrics import definitions as m
from streams.metrics.families import Families
from streams.metrics.labels import TOP_HASHTAGS, TWEET_KINDS
from streams.metrics.metric import Metric
from streams.read.derive import ResultsAt, ResultsView
from streams.read.durations import Bins
from streams.read.steps import ZERO, Ints, Steps

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
_LEFT_OUT: Final = frozenset(metric.name for metric in NOT_OF_THE_NIGHT)


@dataclass(frozen=True, eq=False)
class NightColumn:
    """The values of one series at every moment; ``present`` says where it has one."""

    values: Floats
    present: Bools


@dataclass
class NightColumns:
    """Takes samples as ``Families`` does, of many moments at a time.

    Args:
        moments: How many there are.
    """

    moments: int
    columns: dict[tuple[str, Labels], NightColumn] = field(default_factory=dict)

    def add(
        self, metric: Metric, value: "float | Floats | Ints | NightColumn | None", *labels: str, at: float | None = None
    ) -> None:
        """Add the values of a series; one value stands for all moments, None for no value at any of them."""
        if value is None or metric.name in _LEFT_OUT or at is not None:
            return
        if not isinstance(value, NightColumn):
            value = NightColumn(
                np.broadcast_to(np.asarray(value, np.float64), self.moments), np.ones(self.moments, np.bool_)
            )
        names = tuple(sorted(zip(metric.labels, labels, strict=True)))
        if value.present.any():
            self.columns[metric.name, names] = value


@dataclass(frozen=True, eq=False)
class ManyMoments:
    """What ``ResultsAt`` says of one moment, of many; the definitions are those of docs/architecture.md.

    Args:
        view: What is known of the night.
        until: For each moment, how many windows lie behind it; growing.
    """

    view: ResultsView
    until: Ints

    @cached_property
    def since(self) -> Ints:
        """For each moment, the first window of the last minute."""
        return np.maximum(0, self.until - max(1, MINUTE_MS // self.view.grid.window_ms))

    def presence(self, space: str, count: str) -> Ints:
        """Return a count of the audience so far."""
        return self.view.audience[space].column(count)[self.until]

    def presence_last_minute(self, space: str, count: str) -> Ints:
        """Return a count of the audience in the last minute."""
        column = self.view.audience[space].column(count)
        return column[self.until] - column[self.since]

    def audience(self, space: str) -> Ints:
        """Return the listeners in the room."""
        return self.view.live(space)[self.until]

    def peak(self, space: str) -> tuple[Ints, Ints]:
        """Return the most listeners so far, and the end of the first window with as many (ms)."""
        live = self.view.live(space)
        most = np.maximum.accumulate(live.values)
        higher = np.r_[True, most[1:] > most[:-1]]
        first = np.maximum.accumulate(np.where(higher, np.r_[0, live.windows + 1], 0))
        ends = self.view.grid.end_of(Steps(live.windows, first)[self.until])
        return Steps(live.windows, most)[self.until], ends

    def waiting(self) -> Ints:
        """Return the people who want in and are not, over all spaces."""
        return self.view.waiting[self.until]

    def waiting_peak(self) -> Ints:
        """Return the most people waiting at the end of a window so far."""
        waiting = self.view.waiting
        return Steps(waiting.windows, np.maximum.accumulate(waiting.values))[self.until]

    def drop_ratio(self, space: str) -> NightColumn:
        """Return drops / (audience a minute ago + joins since), absent while the room was empty."""
        present = self.view.live(space)[self.since] + self.presence_last_minute(space, "joins")
        return _ratio(self.presence_last_minute(space, "drops"), present)

    def join_success(self, space: str) -> NightColumn:
        """Return joins / (joins + fails) of the last minute, absent while no attempt was answered."""
        joins = self.presence_last_minute(space, "joins")
        return _ratio(joins, joins + self.presence_last_minute(space, "fails"))

    def distinct_listeners(self, space: str = ALL) -> Ints:
        """Return how many different people have been in a space, or in any."""
        return self.presence(space, "first_joins")

    def waited_20m(self) -> Ints:
        """Return how many people have waited 20 minutes or more for the talk."""
        return self.presence(ALL, "waited_20m")

    def durations_so_far(self, family: str, bound: int | None = None) -> NightColumn:
        """Return the durations of a family so far, or those below a bound (ms); absent before the first."""
        bins = self._durations[family]
        counts = bins.totals() if bound is None else bins.below(bound)
        return NightColumn(counts.astype(np.float64), bins.totals() > 0)

    @cached_property
    def _durations(self) -> dict[str, Bins]:
        return {family: durations.so_far(self.until) for family, durations in self.view.durations.items()}

    def duration(self, family: str, share: float) -> NightColumn:
        """Return the seconds that a share of the last minute's durations do not exceed, absent if there were none."""
        found = self.view.durations[family].between(self.since, self.until).quantile(share)
        return NightColumn(found / 1000, ~np.isnan(found))

    def exit_ratio(self) -> NightColumn:
        """Return exits before join / first waits ended, of the last minute, absent if no wait ended."""
        exits, joins = (
            self.view.durations[family].between(self.since, self.until).totals()
            for family in (TIME_TO_EXIT, TIME_TO_JOIN)
        )
        return _ratio(exits, exits + joins)

    def client_audience(self, client: str) -> NightColumn:
        """Return the listeners with a client in any room, absent before the first of them has joined."""
        seen = self._broken_down(JOINS_BY_CLIENT, client)[self.until] > 0
        return NightColumn(self._client_audience(client, self.until).astype(np.float64), seen)

    def client_drop_ratio(self, client: str) -> NightColumn:
        """Return the drop ratio of the listeners with a client, over all spaces, absent while there were none."""
        present = self._client_audience(client, self.since) + self._newly(JOINS_BY_CLIENT, client)
        return _ratio(self._newly(DROPS_BY_CLIENT, client), present)

    def client_join_success(self, client: str) -> NightColumn:
        """Return joins / (joins + fails) of a client in the last minute, absent while no attempt was answered."""
        joins = self._newly(JOINS_BY_CLIENT, client)
        return _ratio(joins, joins + self._newly(FAILS_BY_CLIENT, client))

    def reason_last_minute(self, family: str, reason: str) -> NightColumn:
        """Return the fails or drops of a reason in the last minute, over all spaces, absent before the first."""
        seen = self._broken_down(family, reason)[self.until] > 0
        return NightColumn(self._newly(family, reason).astype(np.float64), seen)

    def _broken_down(self, family: str, member: str) -> Steps:
        return self.view.breakdowns.get(family + member, ZERO)

    def _newly(self, family: str, member: str) -> Ints:
        """Return a breakdown of the last minute."""
        steps = self._broken_down(family, member)
        return steps[self.until] - steps[self.since]

    def _client_audience(self, client: str, until: Ints) -> Ints:
        joins, drops, leaves = (
            self._broken_down(family, client)[until] for family in (JOINS_BY_CLIENT, DROPS_BY_CLIENT, LEAVES_BY_CLIENT)
        )
        return joins - drops - leaves

    def tweets(self, subject: str, count: str) -> Ints:
        """Return a count or an estimate of the tweets so far."""
        return self.view.reaction[subject].column(count)[self.until]

    def tweets_last_minute(self, subject: str, count: str) -> Ints:
        """Return a count or an estimate of the tweets in the last minute."""
        column = self.view.reaction[subject].column(count)
        return column[self.until] - column[self.since]

    def distinct_authors(self, subject: str = ALL) -> Ints:
        """Return how many different people have tweeted on a subject, or at all."""
        return self.tweets(subject, "first_authors")

    def hashtags(self) -> dict[str, Ints]:
        """Return nothing: the most used ones change over the night, ``top_hashtags`` has them."""
        return {}

    def top_hashtags(self, most: int) -> dict[str, NightColumn]:
        """Return the tweets that carry each hashtag, present while it is one of the ``most`` used ones."""
        totals: dict[str, Ints] = {}
        for subject in self.view.subjects:
            for window, word, change in self.view.reaction[subject].extra.cells():
                if word.startswith(HASHTAG):
                    total = totals.setdefault(word.removeprefix(HASHTAG), np.zeros(len(self.until) + 1, np.int64))
                    total[self.until.searchsorted(window, "right")] += change
        tags = sorted(totals)
        if not tags:
            return {}
        table = np.stack([np.cumsum(totals[tag])[:-1] for tag in tags])
        order = np.argsort(-table, axis=0, kind="stable")  # ties in the order of the alphabet
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(len(tags))[:, None], axis=0)
        present = (rank < most) & (table > 0)
        return {tag: NightColumn(table[row].astype(np.float64), present[row]) for row, tag in enumerate(tags)}


def _ratio(part: Ints, whole: Ints) -> NightColumn:
    present = whole > 0
    return NightColumn(np.divide(part, whole, out=np.zeros(len(part)), where=present), present)


Columns: TypeAlias = dict[tuple[str, Labels], NightColumn]
"""Columns by metric and labels."""


def night_columns(info: RunInfo, view: ResultsView, moments: Sequence[int]) -> Columns:
    """Return every series of a night as an exact engine named ``truth`` shows it.

    Args:
        info: The run that stands for the night.
        view: Its counts.
        moments: Event times (ms), growing.
    """
    found = NightColumns(len(moments))
    times = np.asarray(moments, np.int64)
    now = _at(view, times)
    _add_run(found, info, times)
    _add_progress(found, info, now, times)
    _add_engine(found, TRUTH, info, now)
    return found.columns


def run_columns(info: RunInfo, moments: Ints) -> Columns:
    """Return the series of the run itself: its constants, its phases and where its replay is (``moments``, ms)."""
    found = NightColumns(len(moments))
    _add_run(found, info, moments)
    return found.columns


def engine_columns(info: RunInfo, engine: str, view: ResultsView, moments: Ints) -> Columns:
    """Return the values of the night as one engine counted it, as of each of the ``moments`` (ms, growing)."""
    found = NightColumns(len(moments))
    _add_engine(found, engine, info, _at(view, moments))
    return found.columns


def _at(view: ResultsView, times: Ints) -> ManyMoments:
    grid = view.grid
    return ManyMoments(view, np.clip((times - grid.start) // grid.window_ms, 0, grid.windows))


def _add_engine(found: NightColumns, engine: str, info: RunInfo, now: ManyMoments) -> None:
    families, as_one = cast("Families", found), cast("ResultsAt", now)  # arrays where one moment has numbers
    samples.add_audience(families, engine, as_one, now.view.spaces)
    samples.add_durations(families, engine, as_one)
    samples.add_breakdowns(families, engine, as_one)
    samples.add_tweets(families, engine, as_one)
    for tag, column in now.top_hashtags(TOP_HASHTAGS).items():
        found.add(m.HASHTAGS, column, engine, tag)
    _add_reaction(found, engine, info, now)


def _add_run(found: NightColumns, info: RunInfo, times: Ints) -> None:
    """Add the run's constants, where the night is, and its phase."""
    samples.add_run(cast("Families", found), info)
    found.add(m.REPLAY_TIME, times / 1000)
    found.add(m.CAPACITY, _capacity(info, times))
    phase = np.maximum(0, np.searchsorted([one.start for one in info.phases], times, "right") - 1)
    for number, one in enumerate(info.phases):
        found.add(m.PHASE, (phase == number).astype(np.float64), one.name)


def _capacity(info: RunInfo, times: Ints) -> NightColumn:
    """Return the capacity of the rooms at each moment, absent where it is unknown."""
    place = np.searchsorted([step.start for step in info.capacity], times, "right")
    listeners = np.array([0, *(step.listeners for step in info.capacity)], np.float64)
    return NightColumn(listeners[place], place > 0)


def _add_progress(found: NightColumns, info: RunInfo, now: ManyMoments, times: Ints) -> None:
    """Add how far the engine is with the night: always at its moment."""
    presence = ("attempts", "joins", "fails", "leaves", "give_ups", "drops")
    events = {
        PRESENCE: sum(now.presence(space, count) for space in now.view.spaces for count in presence),
        TWEETS: sum(now.tweets(subject, kind) for subject in now.view.subjects for kind in TWEET_KINDS.values()),
    }
    found.add(m.WATERMARK, times / 1000, TRUTH)
    found.add(m.PROGRESS, sum(events.values()) / info.events if info.events else 1.0, TRUTH)
    found.add(m.ENGINE_ENDED, 0.0, TRUTH)
    for topic, count in events.items():
        found.add(m.ENGINE_EVENTS, count, TRUTH, topic)


class _OneMoment:
    """Takes the samples of one moment into columns."""

    def __init__(self, moments: int) -> None:
        self.columns: dict[tuple[Metric, tuple[str, ...]], NightColumn] = {}
        self.moments = moments
        self.place = slice(0, 0)

    def add(self, metric: Metric, value: float | None, *labels: str, at: float | None = None) -> None:  # noqa: ARG002
        if value is not None:
            column = self.columns.setdefault(
                (metric, labels), NightColumn(np.zeros(self.moments), np.zeros(self.moments, np.bool_))
            )
            column.values[self.place], column.present[self.place] = value, True


def _add_reaction(found: NightColumns, engine: str, info: RunInfo, now: ManyMoments) -> None:
    """Add the estimate of the reaction: once for all moments behind which there are as many windows."""
    if info.announced is None:
        return
    stage = _OneMoment(found.moments)
    first = int(np.searchsorted(now.until, now.view.grid.until(info.announced)))
    windows, starts = np.unique(now.until[first:], return_index=True)
    ends = np.append(starts[1:] + first, found.moments)[: len(starts)]
    for until, start, end in zip(windows.tolist(), (starts + first).tolist(), ends.tolist(), strict=True):
        estimate = samples.reaction_at(info, now.view, until)
        if estimate is not None:
            stage.place = slice(start, end)
            minutes = samples.minutes_since_announced(info, ResultsAt(now.view, until))
            samples.add_reaction(cast("Families", stage), engine, estimate, minutes)
    for (metric, labels), column in stage.columns.items():
        found.add(metric, column, *labels)
