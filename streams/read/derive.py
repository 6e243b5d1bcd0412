"""Derived values: from an engine's counts to the values at any event time, late corrections included.

``EngineResults`` accepts results in any order. ``ResultsView`` is its content at one instant. ``ResultsAt`` has the
values as of event time T: sums over the windows that end at or before T (docs/architecture.md, "Derived values").
Rates and values of the "last minute" cover the last 60 s of event time before T.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from streams.contract.breakdowns import DROPS_BY_CLIENT, FAILS_BY_CLIENT, JOINS_BY_CLIENT, LEAVES_BY_CLIENT
from streams.contract.durations import TIME_TO_EXIT, TIME_TO_JOIN
from streams.contract.names import ALL, MINUTE_MS, OTHER
from streams.contract.results import (
    AUDIENCE_COUNTS,
    HASHTAG,
    REACTION_COUNTS,
    STANCE,
    STANCES,
    AudienceResult,
    Counts,
    Result,
)
from streams.contract.runinfo import RunInfo
from streams.read.breakdowns import breakdowns_of
from streams.read.durations import Bins, Durations, durations_of
from streams.read.ledger import FEW, NOTHING, Grid, Ledger, Running
from streams.read.steps import ZERO, Steps, combined

_ESTIMATES = tuple(STANCE + name for name in STANCES)
Rows: TypeAlias = dict[tuple[int, str], Counts]
"""Counts by window and space or subject."""
Stray: TypeAlias = tuple[str, int, str, str]
"""A result for a window or name that does not exist: ``audience`` or ``reaction``, window, name and shard."""
POSTED = ("posts", "replies", "quotes", "reposts")
"""The counts whose sum is all tweets."""


class EngineResults:
    """The results of one engine for one run; accepts records and versions in any order."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.grid = Grid.of(info)
        self.audience = Ledger(self.grid, (*info.spaces, ALL), AUDIENCE_COUNTS)
        subjects = dict.fromkeys((*(rule.subject for rule in info.subjects), OTHER, ALL))
        self.reaction = Ledger(self.grid, tuple(subjects), REACTION_COUNTS, _ESTIMATES)
        self._view: ResultsView | None = None

    def put(self, record: Result) -> None:
        """Add one result record.

        Raises:
            ContractError: A count is beyond what a night can hold.
        """
        if isinstance(record, AudienceResult):
            self.audience.put(record.window, record.space, record.shard, record.version, record.counts)
        else:
            self.reaction.put(
                record.window, record.subject, record.shard, record.version, record.counts, record.estimates
            )

    def strays(self) -> dict[Stray, Counts]:
        """Return the results for windows, spaces or subjects that do not exist."""
        return {
            (table, *key): counts
            for table, ledger in (("audience", self.audience), ("reaction", self.reaction))
            for key, (_, counts) in ledger.strays.items()
        }

    def view(self) -> "ResultsView":
        """Return the current results, as a view that never changes; the same object until a new record arrives."""
        audience = {name: self.audience.running(name) for name in self.audience.names}
        reaction = {name: self.reaction.running(name) for name in self.reaction.names}
        known = self._view
        if known is None or not (_same(known.audience, audience) and _same(known.reaction, reaction)):
            known = self._view = ResultsView(self.grid, audience, reaction)
        return known


@dataclass(frozen=True)
class FinalCounts:
    """Final counts for the digest and the verdict, by window and space or subject, without zeros.

    Args:
        audience: Counts of ``results.audience``.
        reaction: Counts of ``results.reaction``.
        estimates: Estimates of ``results.reaction``, ``stance:<name>``.
    """

    audience: Rows
    reaction: Rows
    estimates: Rows


def _same(before: Mapping[str, Running], now: Mapping[str, Running]) -> bool:
    return all(before[name] is running for name, running in now.items())


@dataclass(frozen=True, eq=False)
class ResultsView:
    """One engine's results for a night at one instant; immutable, compared by identity.

    Args:
        grid: The windows of the night.
        audience: Prefix sums by space, ``*`` included.
        reaction: Prefix sums by subject, ``*`` included.
    """

    grid: Grid
    audience: Mapping[str, Running] = field(repr=False)
    reaction: Mapping[str, Running] = field(repr=False)

    @property
    def spaces(self) -> tuple[str, ...]:
        """The spaces, without ``*``."""
        return tuple(name for name in self.audience if name != ALL)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects, without ``*``."""
        return tuple(name for name in self.reaction if name != ALL)

    def at(self, at: int) -> "ResultsAt":
        """Return the values as of event time ``at`` (ms)."""
        return ResultsAt(self, self.grid.until(at))

    def tables(self) -> FinalCounts:
        """Return the counts of every window; windows with equal counts may share them."""
        tables = FinalCounts({}, {}, {})
        for name, running in self.audience.items():
            _fill(tables.audience, running, name, AUDIENCE_COUNTS, self.grid)
        for name, running in self.reaction.items():
            _fill(tables.reaction, running, name, REACTION_COUNTS, self.grid)
            _fill(tables.estimates, replace(running, extra=NOTHING), name, _ESTIMATES, self.grid)
        return tables

    def live(self, space: str) -> Steps:
        """Return the live audience of a space at the ends of windows."""
        return self.audience[space].weighted(LIVE)

    def posted(self, subject: str) -> Steps:
        """Return all tweets on a subject so far, at the ends of windows."""
        return combined([(self.reaction[subject].column(kind), 1) for kind in POSTED])

    @cached_property
    def durations(self) -> Mapping[str, Durations]:
        """How long people waited, by family of ``streams.contract.durations``."""
        return durations_of(running.extra for running in self.audience.values())

    @cached_property
    def breakdowns(self) -> Mapping[str, Steps]:
        """Counts by client and by reason so far, over all spaces, at the ends of windows; only those with events."""
        return breakdowns_of(running.extra for running in self.audience.values())

    @cached_property
    def waiting(self) -> Steps:
        """People waiting at the ends of windows, over all spaces."""
        return combined([(self.audience[space].weighted(_WAITING), 1) for space in self.spaces])


LIVE = {"joins": 1, "drops": -1, "leaves": -1}
"""The live audience, as factors of counts."""
_WAITING = {"arrivals": 1, "drops": 1, "joins": -1, "give_ups": -1}


def _fill(rows: Rows, running: Running, name: str, counts: Sequence[str], grid: Grid) -> None:
    found: dict[int, Counts] = {}
    for count in counts:
        windows, changes = running.column(count).changed()
        for window, change in zip(grid.end_of(windows).tolist(), changes.tolist(), strict=True):
            found.setdefault(window, {})[count] = change
    for index, label, value in running.extra.cells():
        found.setdefault(grid.start + index * grid.window_ms, {})[label] = value
    shared: dict[tuple[tuple[str, int], ...], Counts] = {}
    for window, row in found.items():
        rows[window, name] = shared.setdefault(tuple(row.items()), row) if len(row) <= FEW else row


class ResultsAt:
    """The values of one engine as of one event time.

    Args:
        view: The engine's results.
        until: Number of windows that end at or before that time.
    """

    def __init__(self, view: ResultsView, until: int) -> None:
        self.view = view
        self.until = until
        self.since = max(0, until - max(1, MINUTE_MS // view.grid.window_ms))
        """The first window of the last minute."""
        self._bins: dict[tuple[str, bool], Bins] = {}

    @property
    def at(self) -> int:
        """End of the last included window, event time in ms."""
        return self.view.grid.start + self.until * self.view.grid.window_ms

    def presence(self, space: str, count: str) -> int:
        """Return a count of ``AUDIENCE_COUNTS`` so far."""
        return self.view.audience[space].total(count, self.until)

    def presence_last_minute(self, space: str, count: str) -> int:
        """Return a count of ``AUDIENCE_COUNTS`` in the last minute."""
        return self.view.audience[space].change(count, self.since, self.until)

    def audience(self, space: str) -> int:
        """Return the number of listeners in the room."""
        return self._live(space, self.until)

    def peak(self, space: str) -> tuple[int, int]:
        """Return the highest audience at the end of a window so far, and the end of the first such window (ms)."""
        most, until = self.view.live(space).known(self.until).peak()
        return most, self.view.grid.start + until * self.view.grid.window_ms

    def waiting(self) -> int:
        """Return the number of people waiting, over all spaces."""
        return self.view.waiting[self.until]

    def waiting_peak(self) -> int:
        """Return the greatest number of people waiting at the end of a window so far."""
        return self.view.waiting.known(self.until).peak()[0]

    def drop_ratio(self, space: str) -> float | None:
        """Return drops / (audience a minute ago + joins since); None while the room was empty."""
        present = self._live(space, self.since) + self.presence_last_minute(space, "joins")
        return self.presence_last_minute(space, "drops") / present if present > 0 else None

    def join_success(self, space: str) -> float | None:
        """Return joins / (joins + fails) of the last minute; None if no attempt was answered."""
        joins = self.presence_last_minute(space, "joins")
        answered = joins + self.presence_last_minute(space, "fails")
        return joins / answered if answered > 0 else None

    def distinct_listeners(self, space: str = ALL) -> int:
        """Return the number of distinct people who have been in a space, or in any."""
        return self.presence(space, "first_joins")

    def waited_20m(self) -> int:
        """Return the number of people who have waited 20 minutes or more for the talk."""
        return self.presence(ALL, "waited_20m")

    def durations_so_far(self, family: str, bound: int | None = None) -> int | None:
        """Return how many durations of a family there are so far, or are below a bound (ms); None before the first."""
        bins = self._durations(family, last_minute=False)
        total = int(bins.totals()[0])
        if not total:
            return None
        return total if bound is None else int(bins.below(bound)[0])

    def duration(self, family: str, share: float) -> float | None:
        """Return the seconds that a share of the last minute's durations do not exceed; None if there were none."""
        found = float(self._durations(family, last_minute=True).quantile(share)[0])
        return None if np.isnan(found) else found / 1000

    def exit_ratio(self) -> float | None:
        """Return exits before join / first waits ended, of the last minute; None if no wait ended."""
        exits, joins = (
            int(self._durations(family, last_minute=True).totals()[0]) for family in (TIME_TO_EXIT, TIME_TO_JOIN)
        )
        return exits / (exits + joins) if exits + joins > 0 else None

    def _durations(self, family: str, *, last_minute: bool) -> Bins:
        """Return the durations of the last minute, or so far; a scrape asks for the same ones many times."""
        bins = self._bins.get((family, last_minute))
        if bins is None:
            until, durations = np.array([self.until]), self.view.durations[family]
            bins = durations.between(np.array([self.since]), until) if last_minute else durations.so_far(until)
            self._bins[family, last_minute] = bins
        return bins

    def client_audience(self, client: str) -> int | None:
        """Return the listeners with a client in any room; None before the first of them has joined."""
        return self._client_audience(client, self.until) if self._broken_down(JOINS_BY_CLIENT, client) else None

    def client_drop_ratio(self, client: str) -> float | None:
        """Return the drop ratio of the listeners with a client, over all spaces; None while there were none."""
        present = self._client_audience(client, self.since) + self._newly(JOINS_BY_CLIENT, client)
        return self._newly(DROPS_BY_CLIENT, client) / present if present > 0 else None

    def client_join_success(self, client: str) -> float | None:
        """Return joins / (joins + fails) of a client in the last minute; None if no attempt was answered."""
        joins = self._newly(JOINS_BY_CLIENT, client)
        answered = joins + self._newly(FAILS_BY_CLIENT, client)
        return joins / answered if answered > 0 else None

    def reason_last_minute(self, family: str, reason: str) -> int | None:
        """Return the fails or drops of a reason in the last minute, over all spaces; None before the first of them."""
        return self._newly(family, reason) if self._broken_down(family, reason) else None

    def _broken_down(self, family: str, member: str) -> int:
        return self.view.breakdowns.get(family + member, ZERO)[self.until]

    def _newly(self, family: str, member: str) -> int:
        """Return a breakdown of the last minute."""
        steps = self.view.breakdowns.get(family + member, ZERO)
        return steps[self.until] - steps[self.since]

    def _client_audience(self, client: str, until: int) -> int:
        joins, drops, leaves = (
            self.view.breakdowns.get(family + client, ZERO)[until]
            for family in (JOINS_BY_CLIENT, DROPS_BY_CLIENT, LEAVES_BY_CLIENT)
        )
        return joins - drops - leaves

    def tweets(self, subject: str, count: str) -> int:
        """Return a count of ``REACTION_COUNTS`` or an estimate ``stance:<name>`` so far."""
        return self.view.reaction[subject].total(count, self.until)

    def tweets_last_minute(self, subject: str, count: str) -> int:
        """Return a count or an estimate in the last minute."""
        return self.view.reaction[subject].change(count, self.since, self.until)

    def tweets_per_minute(self) -> int:
        """Return the tweets of all subjects and kinds in the last minute."""
        return sum(self.tweets_last_minute(subject, kind) for subject in self.view.subjects for kind in POSTED)

    def distinct_authors(self, subject: str = ALL) -> int:
        """Return the number of distinct people who have tweeted on a subject, or at all."""
        return self.tweets(subject, "first_authors")

    def hashtags(self) -> Counts:
        """Return the number of tweets with each hashtag so far, over all subjects, most used first."""
        totals: Counts = {}
        for subject in self.view.subjects:
            for label, total in self.view.reaction[subject].extra.totals(self.until).items():
                if label.startswith(HASHTAG):
                    tag = label.removeprefix(HASHTAG)
                    totals[tag] = totals.get(tag, 0) + total
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    def _live(self, space: str, until: int) -> int:
        running = self.view.audience[space]
        return running.total("joins", until) - running.total("drops", until) - running.total("leaves", until)
