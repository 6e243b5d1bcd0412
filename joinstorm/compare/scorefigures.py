"""The figures of a comparison: what each is, which direction is better, and its median and range over the repeats."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from joinstorm.compare.faultypart import FAULTS
from joinstorm.compare.paced import LATENCY_SECONDS, PROBE_SECONDS
from joinstorm.compare.scores import Answer, Score, Scoreboard, Turn

_WHOLE_FROM: Final = 100
"""Smaller numbers have decimals."""


class Spread(msgspec.Struct, frozen=True):
    """A figure over the repeats; null stands for never."""

    median: float | None
    least: float | None
    most: float | None


@dataclass(frozen=True)
class ScoreFigure:
    """One figure of an engine.

    Args:
        name: Its name in JSON.
        head: Its name for people, with its unit.
        unit: Its unit.
        better: Which direction is better.
        meaning: What it is, and under which load; may name fields of the scoreboard.
        value: Its value in one repeat; None where not measured, infinite where it never came.
    """

    name: str
    head: str
    unit: str
    better: Literal["more", "less"]
    meaning: str
    value: Callable[[Turn], float | None]

    @property
    def arrow(self) -> str:
        """The direction that is better."""
        return "↑" if self.better == "more" else "↓"

    def text(self, value: float | None) -> str:
        """Return a value, without its unit."""
        if value is None:
            return "never"
        return f"{value:,.0f}" if value >= _WHOLE_FROM or not value else f"{value:.2f}"

    def spread(self, score: Score) -> Spread | None:
        """Return its median and range; None where it was not measured."""
        values = [value for turn in score.turns if (value := self.value(turn)) is not None]
        if not values:
            return None
        return Spread(_finite(statistics.median(values)), _finite(min(values)), _finite(max(values)))


@dataclass(frozen=True)
class Property:
    """What is known of an engine in words.

    Args:
        head: Its name for people.
        meaning: What it is; may name fields of the scoreboard.
        value: Its text; empty where not known.
    """

    head: str
    meaning: str
    value: Callable[[Score], str]


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _of_throughput(field: str) -> Callable[[Turn], float | None]:
    return lambda turn: None if turn.throughput is None else float(getattr(turn.throughput, field))


def _cpu_microseconds(turn: Turn) -> float | None:
    rate = _of_throughput("events_per_cpu_second")(turn)
    return 1e6 / rate if rate else None


def _late(field: str) -> Callable[[Turn], float | None]:
    def value(turn: Turn) -> float | None:
        if turn.latency is None:
            return None
        found: float | None = getattr(turn.latency, field)
        return math.inf if found is None else found

    return value


FIGURES: Final = (
    ScoreFigure(
        "events_per_cpu_second", "events per CPU s", "events/s", "more",
        "events counted per second of processor time of all the engine's processes, from its first to its last "
        "progress record; the topics are full when it starts",
        _of_throughput("events_per_cpu_second"),
    ),
    ScoreFigure("cpu_us_per_event", "CPU µs an event", "µs", "less", "the same as time per event", _cpu_microseconds),
    ScoreFigure(
        "events_per_second", "events per s", "events/s", "more", "the same per second of wall clock",
        _of_throughput("events_per_second"),
    ),
    ScoreFigure(
        "start_seconds", "start, s", "s", "less",
        "from the start of the worker to its first progress record with events",
        _of_throughput("start_seconds"),
    ),
    ScoreFigure(
        "peak_mib", "memory, MiB", "MiB", "less", "largest sum of the resident memory of its processes",
        _of_throughput("peak_mib"),
    ),
    ScoreFigure(
        "latency_p50_seconds", "latency 50 %, s", "s", "less",
        f"the busiest {LATENCY_SECONDS:g} s of the evening at {{load:,.0f}} events/s: from the due time of an event to "
        "the first progress record that covers it; an engine that falls behind slows nothing down",
        _late("p50"),
    ),
    ScoreFigure("latency_p99_seconds", "latency 99 %, s", "s", "less", "the same of 99 % of the events", _late("p99")),
    ScoreFigure(
        "recovery_seconds", "back after kill, s", "s", "less",
        "SIGKILL at a fifth of the events, restart at once: until a new event is counted",
        lambda turn: None if turn.recovery is None else turn.recovery.seconds,
    ),
    ScoreFigure(
        "sustained_events_per_second", "keeps up with, /s", "events/s", "more",
        f"largest rate tried, in probes of {PROBE_SECONDS:g} s, at which latency does not grow; ≥ where the producer "
        "or the tape was the limit",
        lambda turn: None if turn.sustained is None else turn.sustained.events_per_second,
    ),
)  # fmt: skip
"""All figures, in the order of the table."""


def answers(score: Score) -> str:
    """Return whether the counts of the whole night are right, in every repeat."""
    if not score.counted:
        return "failed" if score.failed or not score.turns else ""
    return _judged(score, "throughput", [turn.answer for turn in score.turns])


def _judged(score: Score, part: str, found: list[Answer | None]) -> str:
    if part in score.failed:
        return "failed"
    judged = [one for one in found if one is not None]
    if not judged:
        return ""
    worst = max(judged, key=lambda one: one.mismatches)
    if worst.mismatches:
        return f"{worst.mismatches:,} differ"
    return "exact" if all(one.exact for one in judged) else "incomplete"


def _after_kill(score: Score) -> str:
    recoveries = [turn.recovery for turn in score.turns if turn.recovery is not None]
    if recoveries and all(one.seconds is None for one in recoveries):
        return "too fast to kill"
    return _judged(score, "recovery", [turn.after_kill for turn in score.turns])


PROPERTIES: Final = (
    Property("answers", "final counts of the whole night, compared with the oracle's, in every repeat", answers),
    Property(
        "after kill -9", "the same with a worker killed at a fifth of the events and restarted at once",
        _after_kill,
    ),
    Property(
        "with faults", f"the same for {{fault_events:,}} events of which {FAULTS}",
        lambda score: _judged(score, "faults", [turn.with_faults for turn in score.turns]),
    ),
    Property(
        "restart", "what a killed worker does by its design: go on from a checkpoint, or read the night again",
        lambda score: score.setup.restart,
    ),
    Property("licence", "of its library or program", lambda score: score.setup.licence),
)  # fmt: skip
"""All properties, in the order of the table."""


def meaning(one: ScoreFigure | Property, board: Scoreboard) -> str:
    """Return what a figure is, under the load of this comparison."""
    return one.meaning.format(load=board.load, fault_events=board.fault_events)


def at_least(one: ScoreFigure, score: Score) -> str:
    """Return the sign of a figure whose search something other than the engine ended."""
    limited = any(turn.sustained_limit for turn in score.turns)
    return "≥ " if limited and one.name == "sustained_events_per_second" else ""
