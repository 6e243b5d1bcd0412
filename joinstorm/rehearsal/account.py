"""Pages as of the night: when of event time each fired, and what that is worth by the truth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from joinstorm.alerts.expectation import Expectation
from joinstorm.alerts.nightsamples import NightInfo
from joinstorm.alerts.rulesfile import Rule, RulesFile
from joinstorm.alerts.scoring import AlertScore, judge_night
from joinstorm.pages.delivery import Delivery
from joinstorm.prometheus.server import Prometheus
from streams.metrics.definitions import REPLAY_TIME

_SLACK_MS: Final = 2000
"""How far from a sample of the replay's position a moment may lie and still be of the night."""


@dataclass(frozen=True, eq=False)
class NightClock:
    """Which event time it was at a moment of the wall clock, from the scraped position of the replay.

    Args:
        wall: Wall clock times (ms), growing.
        night: Event times (ms).
    """

    wall: Sequence[float]
    night: Sequence[float]

    @classmethod
    def read(cls, prometheus: Prometheus, began: float, now: float) -> Self:
        """Read it from a Prometheus that has scraped the run between two times (seconds since the epoch)."""
        series = prometheus.samples(REPLAY_TIME.name, f"{round(now - began) + 60}s", now)
        samples = sorted(pair for one in series.values() for pair in one)
        return cls([at * 1000 for at, _ in samples], [value * 1000 for _, value in samples])

    def at(self, wall: float) -> int | None:
        """Return the event time (ms) at a wall clock time (ms); None before and after the replay."""
        if not len(self.wall) or not self.wall[0] - _SLACK_MS <= wall <= self.wall[-1] + _SLACK_MS:
            return None
        return round(float(np.interp(wall, self.wall, self.night)))


def scores(
    rules: RulesFile, expected: Mapping[Rule, Expectation], delivery: Delivery, night: NightInfo, clock: NightClock
) -> Iterator[AlertScore]:
    """Yield the score of every alert on this night, as of the pages Prometheus fired."""
    for rule in rules.alerts:
        spans = merged_spans(list(_spans(rule.name, delivery, clock)))
        yield AlertScore(rule.name, rule.line, expected[rule], (judge_night(spans, night, expected[rule]),))


def _spans(name: str, delivery: Delivery, clock: NightClock) -> Iterator[tuple[int, int | None]]:
    """Yield from when until when of event time an alert fired."""
    for page in delivery.pages:
        if page.alert == name and (start := clock.at(page.fired)) is not None:
            yield start, None if page.ended is None else clock.at(page.ended)


def merged_spans(spans: Sequence[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """Return the stretches in which any of them lasts; an end of None is that of the night."""
    found: list[tuple[int, int | None]] = []
    for start, end in sorted(spans, key=lambda span: span[0]):
        if found and (found[-1][1] is None or start <= found[-1][1]):
            last = found[-1][1]
            found[-1] = (found[-1][0], None if last is None or end is None else max(last, end))
        else:
            found.append((start, end))
    return found
