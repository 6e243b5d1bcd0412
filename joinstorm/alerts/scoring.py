"""From when an alert fired and what it is meant for to its score; pure.

A *page* is a stretch in which the alert fires, whichever of its series. It counts by the phase in which it begins:
right in a phase the alert is meant for, false elsewhere, neither where it may fire, unless it goes on into a phase the
alert is meant for: then it is right. An *incident* is a group of phases
the alert is meant for; it is detected when a right page fires in it. The four figures are those of the SRE workbook:

- precision: right pages / (right + false pages);
- recall: incidents detected / incidents;
- detection time: from the start of the incident to the page;
- reset time: how long the page goes on after the end of the incident.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from joinstorm.alerts.evaluation import RuleOutcome
from joinstorm.alerts.expectation import Expectation
from joinstorm.alerts.nightsamples import NightInfo
from joinstorm.alerts.statemachine import merged

Kind = Literal["right", "false", "allowed"]


@dataclass(frozen=True)
class Page:
    """A stretch in which an alert fires; times in milliseconds since the epoch.

    Args:
        start: The evaluation at which it fires.
        end: The first evaluation at which it does not; the end of the night where there is none.
        kind: Whether it should.
        phase: The phase it begins in.
        resolved: It ended before the night did.
    """

    start: int
    end: int
    kind: Kind
    phase: str
    resolved: bool


@dataclass(frozen=True)
class Incident:
    """What became of an incident; times in milliseconds.

    Args:
        phases: The phases of it that the night has.
        start: Event time of its start.
        end: Event time of its end.
        detect: From its start to the page; None where it was missed.
        reset: From its end to the end of the last page that fired in it; None where it was missed.
        flaps: Pages in it after the first.
    """

    phases: tuple[str, ...]
    start: int
    end: int
    detect: int | None
    reset: int | None
    flaps: int


@dataclass(frozen=True)
class AlertNight:
    """An alert in one night."""

    night: NightInfo
    pages: tuple[Page, ...]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True)
class AlertScore:
    """An alert over all nights.

    Args:
        name: The alert.
        line: Where it stands in the rules file.
        expected: What it is meant for.
        nights: What it did, night by night; empty where it reads what no night has.
        unserved: Metrics it reads that no night has.
    """

    name: str
    line: int
    expected: Expectation
    nights: tuple[AlertNight, ...]
    unserved: tuple[str, ...] = ()

    @property
    def incidents(self) -> list[Incident]:
        """All incidents."""
        return [one for night in self.nights for one in night.incidents]

    def pages(self, kind: Kind) -> int:
        """Return the number of pages of a kind."""
        return sum(page.kind == kind for night in self.nights for page in night.pages)

    @property
    def recall(self) -> float | None:
        """Incidents detected / incidents; None without an incident."""
        found = self.incidents
        return sum(one.detect is not None for one in found) / len(found) if found else None

    @property
    def precision(self) -> float | None:
        """Right pages / (right + false pages); None without a page."""
        right, false = self.pages("right"), self.pages("false")
        return right / (right + false) if right + false else None

    @property
    def flaps(self) -> int:
        """Pages in incidents after the first of each."""
        return sum(one.flaps for one in self.incidents)

    def times(self, what: Literal["detect", "reset"]) -> tuple[float, float] | None:
        """Return the median and the greatest detection or reset time (ms); None where nothing was detected."""
        found = [value for one in self.incidents if (value := getattr(one, what)) is not None]
        return (median(found), max(found)) if found else None

    def pages_per_night(self, *, incident: bool) -> float | None:
        """Return the pages per night with an incident, or without one; None where there is no such night."""
        found = [night for night in self.nights if bool(night.incidents) == incident]
        return sum(len(night.pages) for night in found) / len(found) if found else None


def alert_night(outcome: RuleOutcome, night: NightInfo, expected: Expectation) -> AlertNight:
    """Judge what one alert did in one night."""
    at, count = outcome.evaluations.at, outcome.evaluations.count
    fired = merged(outcome.lives.values())
    return judge_night([(at(first), at(after) if after < count else None) for first, after in fired], night, expected)


def judge_night(fired: Iterable[tuple[int, int | None]], night: NightInfo, expected: Expectation) -> AlertNight:
    """Judge when one alert fired in one night.

    Args:
        fired: Event times (ms) from which and until which it fired; None where it still did at the end of the night.
        night: The night.
        expected: What the alert is meant for.
    """
    expected = expected.on(night.expect)
    pages = tuple(_page(night, expected, start, end) for start, end in fired)
    right = [page for page in pages if page.kind == "right"]
    found = (_incident(night, phases, right) for phases in expected.incidents)
    return AlertNight(night, pages, tuple(one for one in found if one is not None))


def _page(night: NightInfo, expected: Expectation, start: int, end: int | None) -> Page:
    until = night.end if end is None else end
    phase = night.phase_at(start)
    kind: Kind = "false"
    if phase in expected.phases:
        kind = "right"
    elif phase in expected.may:
        met = any(start < begin < until for begin in (one.start for one in night.phases if one.name in expected.phases))
        kind = "right" if met else "allowed"
    return Page(start, until, kind, phase, resolved=end is not None)


def _incident(night: NightInfo, phases: Sequence[str], right: Iterable[Page]) -> Incident | None:
    spans = [(phase.start, end) for phase, end in zip(night.phases, night.ends(), strict=True) if phase.name in phases]
    if not spans:
        return None
    start, end = spans[0][0], spans[-1][1]
    inside = [page for page in right if page.start < end and page.end > start]
    return Incident(
        phases=tuple(phase.name for phase in night.phases if phase.name in phases),
        start=start,
        end=min(end, night.end),
        detect=max(0, inside[0].start - start) if inside else None,
        reset=max(0, inside[-1].end - end) if inside else None,
        flaps=max(0, len(inside) - 1),
    )
