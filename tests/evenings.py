"""Evenings for tests: played once per process, as arrays, with a checker that walks every listener's path."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from producers.recording import simulate
from producers.scenario.loading import load
from producers.scenario.spec import Scenario
from producers.simulation import presencelog as log
from producers.simulation.demand import Demand
from producers.simulation.presencelog import Events
from producers.simulation.simulate import Evening

SMALL = {"quiet": 1.0, "storm": 0.0002}
"""Scales at which a scenario is small enough for a test, where 0.002 is not."""


FAIL_REASONS = {log.OVERLOADED, log.ROOM_CLOSED, log.CONNECTION_LOST, log.LOGIN_FAILED, log.TIMED_OUT}


@dataclass(frozen=True)
class Played:
    """One evening: what happened, and what made it happen."""

    scenario: Scenario
    demand: Demand
    evening: Evening
    events: Events

    def count(self, kind: int, reason: int | None = None) -> int:
        """Return how many events of a kind (and reason) there were."""
        found = self.events["kind"] == kind
        if reason is not None:
            found &= self.events["reason"] == reason
        return int(np.count_nonzero(found))

    @property
    def attempts_peak(self) -> int:
        """Most attempts within ten seconds."""
        return int(np.convolve(self.evening.history.attempts, np.ones(10, dtype=np.int64)).max())


def play(scenario: Scenario, scale: float = 1.0, seed: int = 1) -> Played:
    """Play an evening."""
    with tempfile.TemporaryFile() as file:
        demand, evening = simulate(scenario, scale=scale, seed=seed, file=file)
        events = np.concatenate(list(evening.events.read()))
    return Played(scenario, demand, evening, events)


@lru_cache(maxsize=32)
def shipped(name: str, seed: int = 1, capacity: float = 1.0) -> Played:
    """Play a shipped scenario at a small scale, its rooms multiplied with ``capacity``."""
    return play(with_capacity(load(name), capacity), SMALL.get(name, 0.002), seed)


def with_capacity(scenario: Scenario, factor: float) -> Scenario:
    """Return the scenario with rooms that carry ``factor`` times as much."""
    server = scenario.server
    more = msgspec.structs.replace(
        server, held=server.held * factor, admissions_per_second=server.admissions_per_second * factor
    )
    return msgspec.structs.replace(scenario, server=more)


def burst(**changes: dict[str, Any]) -> Scenario:
    """Return a short night that melts: a thousand people, a room for six hundred, ten minutes of talk.

    Args:
        changes: By section, fields with other values.
    """
    base = _launch()
    moment = datetime(2023, 5, 24, 22, 0, tzinfo=UTC)
    sections: dict[str, dict[str, Any]] = {
        "schedule": {"opens": moment.replace(hour=21, minute=52), "thread": None, "ends": moment.replace(hour=23)},
        "crowd": {"listeners": 1000, "arrivals": ((-8, 1), (0, 10), (4, 1)), "linger_minutes": 1, "follow_minutes": 1},
        "server": {"held": 600, "admissions_per_second": 5},
        "retry": {"base_seconds": 30},
        "hosts": {
            "close_after_minutes": 4,
            "closing_seconds": 30,
            "reopen_after_minutes": 1,
            "settle_minutes": 1,
            "latest_start_minutes": 9,
            "talk_minutes": 10,
        },
    }
    parts = {
        name: msgspec.structs.replace(getattr(base, name), **{**fields, **changes.get(name, {})})
        for name, fields in sections.items()
    }
    return msgspec.structs.replace(base, name="burst", facts=(), **parts)


@lru_cache(maxsize=1)
def _launch() -> Scenario:
    return load("launch")


AWAY, KNOCKING, INSIDE, OUTSIDE = range(4)


def walk(events: Events) -> dict[int, int]:
    """Follow every listener's path and return where each one ends; an illegal step fails the test."""
    state: dict[int, tuple[int, int, int, int, int]] = {}
    for at, person, since, tries, kind, room, reason in events.tolist():
        where, last, count, inside, dropped = state.get(person, (AWAY, -1, 0, log.NONE, log.NONE))
        step = f"listener {person} at {at}"
        assert at > last, f"{step}: not later than the event before"
        if kind == log.ATTEMPT:
            assert where in {AWAY, OUTSIDE}, f"{step}: attempt while {where}"
            assert tries == count + 1, f"{step}: try {tries} after {count}"
            where, count = KNOCKING, tries
        else:
            assert tries == count, f"{step}: try {tries}, the attempt's was {count}"
            where, inside, dropped = _after(kind, step, (where, inside, dropped), (at, room, reason, since))
            count = 0 if where == AWAY else count
        state[person] = (where, at, count, inside, dropped)
    return {person: where for person, (where, *_) in state.items()}


def _after(kind: int, step: str, now: tuple[int, int, int], event: tuple[int, int, int, int]) -> tuple[int, int, int]:
    where, inside, dropped = now
    at, room, reason, since = event
    if kind in {log.JOIN, log.FAIL}:
        assert where == KNOCKING, f"{step}: an answer without a knock"
        if kind == log.FAIL:
            assert reason in FAIL_REASONS, f"{step}: failed for {reason}"
            return OUTSIDE, log.NONE, dropped
        assert since == (log.NONE if dropped == log.NONE else at - dropped), f"{step}: dropped {since} ms ago"
        return INSIDE, room, dropped
    if kind == log.LEAVE and reason == log.GAVE_UP:
        assert where == OUTSIDE, f"{step}: gave up while {where}"
        return AWAY, log.NONE, log.NONE
    assert where == INSIDE, f"{step}: out of a room they are not in"
    assert room == inside, f"{step}: out of room {room}, they are in {inside}"
    return (AWAY, log.NONE, log.NONE) if kind == log.LEAVE else (OUTSIDE, log.NONE, at)
