"""Explains why an engine is wrong: the fewest events that show it, found by playing smaller and smaller nights."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec

from joinstorm.conformance.certificate import PointOutcome, kernels_for, play
from joinstorm.conformance.nightmarks import is_mark
from joinstorm.conformance.nights import simulated
from joinstorm.conformance.partnight import part_of
from joinstorm.conformance.points import Point
from joinstorm.conformance.shrinking import minimal
from joinstorm.conformance.suspicion import Suspicion
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.verdict.comparison import Mismatch
from streams.golden import NIGHTS, GoldenNight, InputRecord, load
from streams.kafka.connection import Connection

WRONG: Final = ("wrong", "failed")
MORE_AT_ONCE: Final = 3
"""How many times as many nights are played at once where workers come and go: such a night waits more than it works."""


@dataclass(frozen=True)
class Explanation:
    """Why an engine is wrong.

    Args:
        outcome: The outcome of the point on the smallest night that shows it.
        night: That night.
        runs: How many nights were played.
    """

    outcome: PointOutcome
    night: GoldenNight
    runs: int

    @property
    def events(self) -> list[InputRecord]:
        """The records of the night that are no marks, in order of arrival."""
        return [record for record in self.night.records if not is_mark(record)]

    @property
    def first(self) -> Mismatch | None:
        """The first wrong count; None where no count is wrong."""
        return min(self.outcome.named, key=lambda one: one.window, default=None)

    @property
    def telling(self) -> InputRecord | None:
        """The event that tells right from wrong: without this last one the engine is right; None if there is none."""
        return self.events[-1] if self.events else None


class Explainer:
    """Plays points and parts of their nights.

    Args:
        connection: A broker.
        engine: The engine.
        folder: For the tape, logs and state.
        jobs: Nights played at once; more of them where workers come and go.
        notify: Called with a line on every step.
    """

    def __init__(
        self,
        connection: Connection,
        engine: EngineUnderTest,
        folder: Path,
        *,
        jobs: int = 2,
        notify: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.connection, self.engine, self.folder, self.notify = connection, engine, folder, notify
        self.jobs = jobs
        self.runs = 0
        self._numbers = itertools.count(1)
        folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def simulated(self) -> GoldenNight:
        """The night from which most points make theirs."""
        return simulated(self.folder)

    def explain(self, points: Sequence[Point]) -> Explanation | None:
        """Return why the engine is wrong on the first of these points on which it is; None where it is on none."""
        with kernels_for(self.engine, self.folder):
            pass
        for point in points:
            night = point.night(load(NIGHTS[0]) if point.golden else self.simulated)
            outcome = self.play(point, night)
            self.notify(f"{point.name}: {outcome.status}")
            if outcome.status in WRONG:
                return self._shrunk(point, night, outcome)
        return None

    def play(self, point: Point, night: GoldenNight) -> PointOutcome:
        """Play a night in place of the point's own."""
        self.runs += 1
        logs = self.folder / f"{next(self._numbers):03}-{point.name}"
        return play(replace(point, night=lambda _: night), self.connection, self.engine, night, logs)

    def _shrunk(self, point: Point, night: GoldenNight, outcome: PointOutcome) -> Explanation:
        at_once = MORE_AT_ONCE * self.jobs if point.needs == "rescale" else self.jobs
        search = _Search(self, point, night, outcome, at_once)
        start = search.guessed(Suspicion(night, outcome))

        def first_failing(candidates: Sequence[Sequence[int]]) -> int | None:
            return search.first_failing([replace(start, places=tuple(one)) for one in candidates])

        left = replace(start, places=tuple(minimal(start.places, first_failing)))
        return Explanation(search.outcome_of(left), search.night_of(left), self.runs)


@dataclass(frozen=True)
class _Part:
    """A part of a night: the places of its records that are no marks, and whether it has all marks or few."""

    places: tuple[int, ...]
    few_marks: bool = False


class _Search:
    """Parts of one night that fail like the whole."""

    def __init__(
        self, explainer: Explainer, point: Point, night: GoldenNight, outcome: PointOutcome, at_once: int
    ) -> None:
        self.explainer, self.point, self.night, self.outcome = explainer, point, night, outcome
        self.at_once = at_once
        everything = tuple(place for place, record in enumerate(night.records) if not is_mark(record))
        self.found = {_Part(everything): outcome}

    def night_of(self, part: _Part) -> GoldenNight:
        """Return the night of a part."""
        return part_of(self.night, frozenset(part.places), few_marks=part.few_marks)

    def outcome_of(self, part: _Part) -> PointOutcome:
        """Return the outcome of a part; it is played once."""
        if part not in self.found:
            self.found[part] = self.explainer.play(self.point, self.night_of(part))
        return self.found[part]

    def first_failing(self, parts: Sequence[_Part]) -> int | None:
        """Return the index of a part that fails, several tried at once; None if none does."""
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="explain") as pool:
            for batch in _batches(parts, self.at_once):
                outcomes = list(pool.map(self.outcome_of, (part for _, part in batch)))
                for (index, part), outcome in zip(batch, outcomes, strict=True):
                    if kind_of(outcome) == kind_of(self.outcome):
                        self.explainer.notify(f"{len(part.places)} events: {outcome.status}")
                        return index
        return None

    def guessed(self, suspicion: Suspicion) -> _Part:
        """Return a small part that fails, with few marks if it can be; the whole night if no guess fails."""
        guesses = [(), *map(tuple, suspicion.guesses())]
        few, every = (len(self.night_of(_Part((), few_marks)).records) for few_marks in (True, False))
        for few_marks in (True, False) if few < every else (False,):
            parts = [_Part(guess, few_marks) for guess in guesses]
            found = self.first_failing(parts)
            if found is not None:
                return parts[found]
        return _Part(tuple(suspicion.everything))


def kind_of(outcome: PointOutcome) -> tuple[str, str]:
    """Return how an engine failed, without numbers: two nights show one bug only if they fail alike."""
    if outcome.status != "failed":
        return outcome.status, ""
    cause = outcome.detail.partition(";")[0].splitlines()[:1]
    return outcome.status, re.sub(r"\d+", "", "".join(cause))


def _batches(parts: Sequence[_Part], size: int) -> Iterator[list[tuple[int, _Part]]]:
    numbered = list(enumerate(parts))
    for start in range(0, len(numbered), size):
        yield numbered[start : start + size]


def to_text(engine: str, found: Explanation) -> str:
    """Return an explanation as lines for a terminal."""
    outcome, events = found.outcome, found.events
    shown = f"shown by {len(events)} events ({found.runs} nights played)"
    lines = [f"{engine} is {outcome.status} on {outcome.point}, {shown}"]
    lines += [f"  {number}. {_shown(record)}" for number, record in enumerate(events, 1)]
    if found.first is not None:
        lines.append(f"first wrong count: {found.first}")
    elif outcome.detail:
        lines.append(f"what is wrong: {outcome.detail}")
    if found.telling is not None:
        lines.append(f"without event {len(events)} the engine is right")
    return "\n".join(lines)


def _shown(record: InputRecord) -> str:
    return f"{record.topic}[{record.partition}] {record.value.decode(errors='backslashreplace')}"


def to_json(engine: str, found: Explanation) -> bytes:
    """Return an explanation as JSON."""
    fields = {
        "engine": engine,
        "point": found.outcome.point,
        "status": found.outcome.status,
        "detail": found.outcome.detail,
        "events": [_shown(record) for record in found.events],
        "first": found.first,
        "runs": found.runs,
    }
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"
