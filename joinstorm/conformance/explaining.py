"""Explains why an engine is wrong: the fewest events that show it, found by playing smaller and smaller nights."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from joinstorm.conformance.certificate import PointOutcome, play
from joinstorm.conformance.nights import simulated
from joinstorm.conformance.partnight import is_mark, part_of
from joinstorm.conformance.points import Point
from joinstorm.conformance.shrinking import minimal
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.verdict.comparison import Mismatch
from streams.golden import GoldenNight, InputRecord
from streams.kafka.connection import Connection

WRONG: Final = ("wrong", "failed")
GUESSES: Final = 8
"""How many people of a wrong window are tried alone before the whole night is halved."""
ANYBODY: Final = 3
"""How many people are tried alone where no count is wrong."""


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
        jobs: Nights played at once.
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
        self.simulated = simulated(folder)

    def explain(self, points: Sequence[Point]) -> Explanation | None:
        """Return why the engine is wrong on the first of these points on which it is; None where it is on none."""
        for point in points:
            night = point.night(self.simulated)
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
        search = _Search(self, point, night, outcome)
        everything = [place for place, record in enumerate(night.records) if not is_mark(record)]
        start = search.guessed(everything) or everything
        left = minimal(start, search.first_failing) if start else start
        return Explanation(search.smallest(left), part_of(night, frozenset(left)), self.runs)


class _Search:
    """Parts of one night that fail like the whole."""

    def __init__(self, explainer: Explainer, point: Point, night: GoldenNight, outcome: PointOutcome) -> None:
        self.explainer, self.point, self.night, self.outcome = explainer, point, night, outcome
        self.found: dict[tuple[int, ...], PointOutcome] = {}

    def first_failing(self, candidates: Sequence[Sequence[int]]) -> int | None:
        """Return the index of a candidate that fails, several tried at once; None if none does."""
        with ThreadPoolExecutor(self.explainer.jobs, thread_name_prefix="explain") as pool:
            for batch in _batches(candidates, self.explainer.jobs):
                outcomes = list(pool.map(self._outcome, (candidate for _, candidate in batch)))
                for (index, candidate), outcome in zip(batch, outcomes, strict=True):
                    if kind_of(outcome) == kind_of(self.outcome):
                        self.explainer.notify(f"{len(candidate)} events: {outcome.status}")
                        return index
        return None

    def _outcome(self, candidate: Sequence[int]) -> PointOutcome:
        key = tuple(candidate)
        if key not in self.found:
            self.found[key] = self.explainer.play(self.point, part_of(self.night, frozenset(key)))
        return self.found[key]

    def smallest(self, left: Sequence[int]) -> PointOutcome:
        """Return the outcome of the smallest part."""
        return self._outcome(left) if tuple(left) in self.found or not left else self.outcome

    def guessed(self, everything: Sequence[int]) -> list[int] | None:
        """Return a small part that fails: no event, the dead letters, people of a wrong count; None if none does."""
        guesses = [guess for guess in self._guesses(everything) if len(guess) < len(everything)]
        index = self.first_failing(guesses) if guesses else None
        return None if index is None else list(guesses[index])

    def _guesses(self, everything: Sequence[int]) -> Iterator[list[int]]:
        yield []
        if bad := [place for place in everything if self.night.records[place].reason]:
            yield bad
        people: dict[tuple[str, bytes | None], list[int]] = {}
        for place in everything:
            record = self.night.records[place]
            if not record.reason:
                people.setdefault((record.topic, record.key), []).append(place)
        windows = [one.window for one in self.outcome.named]
        close = [own for own in people.values() if any(self._touches(place, windows) for place in own)]
        close.sort(key=len)
        yield from close[:GUESSES]
        if not windows:  # what is wrong is no count: perhaps anybody shows it
            yield from list(people.values())[:ANYBODY]
        if close:
            yield sorted(place for own in close for place in own)

    def _touches(self, place: int, windows: Sequence[int]) -> bool:
        at = self.night.records[place].timestamp
        return any(window <= at < window + self.night.info.window_ms for window in windows)


def kind_of(outcome: PointOutcome) -> tuple[str, str]:
    """Return how an engine failed, without numbers: two nights show one bug only if they fail alike."""
    if outcome.status != "failed":
        return outcome.status, ""
    cause = outcome.detail.partition(";")[0].splitlines()[:1]
    return outcome.status, re.sub(r"\d+", "", "".join(cause))


def _batches(candidates: Sequence[Sequence[int]], size: int) -> Iterator[list[tuple[int, Sequence[int]]]]:
    numbered = list(enumerate(candidates))
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
