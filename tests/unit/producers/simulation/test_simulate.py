"""Every shipped evening, small: legal paths, no listener lost or invented, melting only if capacity is short."""

import hashlib

import msgspec
import numpy as np
import pytest

from producers.scenario.loading import load, names
from producers.simulation import presencelog as log
from tests.evenings import AWAY, Played, play, shipped, walk

MELTING = ("launch", "launch-jitter", "storm")
HEALTHY = ("control", "launch-double-capacity", "quiet")


def running(played: Played, room: int | None = None) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the number of people inside (a room, or all) after each event."""
    kind, reason = played.events["kind"], played.events["reason"]
    out = (kind == log.DROP) | ((kind == log.LEAVE) & (reason != log.GAVE_UP))
    change = (kind == log.JOIN).astype(np.int64) - out
    if room is not None:
        change = change * (played.events["room"] == room)
    return np.cumsum(change)


@pytest.mark.parametrize("name", names())
def test_every_listener_walks_a_legal_path(name: str) -> None:
    """From attempt to leave each step is one the contract allows, each later than the one before."""
    assert set(walk(shipped(name).events).values()) == {AWAY}


@pytest.mark.parametrize("name", names())
def test_events_are_in_order_of_time(name: str) -> None:
    """The simulation yields its events in order of time."""
    assert bool((np.diff(shipped(name).events["at"]) >= 0).all())


@pytest.mark.parametrize("name", names())
def test_listeners_are_conserved_at_every_instant(name: str) -> None:
    """Who has arrived and not left is inside or waiting; neither number is ever negative, both end at zero."""
    played = shipped(name)
    kind, reason, tries = played.events["kind"], played.events["reason"], played.events["try"]
    inside = running(played)
    gave_up = (kind == log.LEAVE) & (reason == log.GAVE_UP)
    arrived = np.cumsum((kind == log.ATTEMPT) & (tries == 1))
    waiting = np.cumsum(
        ((kind == log.ATTEMPT) & (tries == 1)).astype(np.int64) + (kind == log.DROP) - (kind == log.JOIN) - gave_up
    )
    gone = np.cumsum(kind == log.LEAVE)
    assert bool((arrived - gone == inside + waiting).all())
    assert inside.min() >= 0
    assert waiting.min() >= 0
    assert (inside[-1], waiting[-1]) == (0, 0)
    for room in (0, 1):
        assert running(played, room).min() >= 0


@pytest.mark.parametrize("name", names())
def test_nobody_comes_from_nowhere(name: str) -> None:
    """Only listeners of the crowd appear, and hardly one of them is missing."""
    played = shipped(name)
    people = np.unique(played.events["person"])
    assert people.min() >= 0
    assert people.max() < len(played.demand)
    assert len(people) > 0.95 * len(played.demand)


@pytest.mark.parametrize("name", HEALTHY)
def test_enough_capacity_melts_nothing(name: str) -> None:
    """With enough capacity there is no strain, no fail, no drop and no closed room."""
    played = shipped(name)
    assert max(played.evening.history.strain) == 0
    assert played.count(log.FAIL) == 0
    assert played.count(log.DROP) == played.count(log.DROP, log.CONNECTION_LOST)
    assert played.evening.hosts.closed is None
    assert played.evening.hosts.melting is None


@pytest.mark.parametrize("name", MELTING)
def test_short_capacity_melts(name: str) -> None:
    """With too little capacity, attempts fail and listeners are dropped for minutes on end."""
    played = shipped(name)
    assert played.count(log.DROP, log.OVERLOADED) > 0.5 * len(played.demand)
    assert sum(strain > 0.1 for strain in played.evening.history.strain) > 10 * 60


def test_melting_is_feedback() -> None:
    """The same crowd and capacity: when clients do not try again by themselves, the room recovers, never closed."""
    launch = load("launch")
    none = play(msgspec.structs.replace(launch, retry=msgspec.structs.replace(launch.retry, policy="none")), 0.002)
    fixed = shipped("launch")
    assert fixed.evening.hosts.closed is not None
    assert none.evening.hosts.closed is None
    assert none.count(log.DROP) < 0.2 * fixed.count(log.DROP)


def test_retries_are_the_load() -> None:
    """Backing off with jitter lowers the peak of attempts, the drops and the minutes melted."""
    for seed in (1, 2):
        fixed, jitter = shipped("launch", seed), shipped("launch-jitter", seed)
        assert jitter.attempts_peak < fixed.attempts_peak
        assert jitter.count(log.DROP, log.OVERLOADED) < fixed.count(log.DROP, log.OVERLOADED)


def test_more_capacity_never_drops_more() -> None:
    """From the launch's capacity upward, more capacity never means more drops."""
    drops = [shipped("launch", capacity=factor).count(log.DROP) for factor in (1, 1.05, 1.2, 3)]
    assert drops == sorted(drops, reverse=True)
    assert drops[-1] < drops[0] / 10


def test_the_crowd_is_the_same_in_every_scenario() -> None:
    """With one seed, launch and control have the same people arriving at the same times with the same clients."""
    launch, control = shipped("launch"), shipped("control")
    assert bool((launch.demand.arrival == control.demand.arrival).all())
    assert bool((launch.demand.client == control.demand.client).all())
    first = {}
    for played in (launch, control):
        attempts = played.events[played.events["kind"] == log.ATTEMPT]
        people, where = np.unique(attempts["person"], return_index=True)
        first[played.scenario.name] = dict(zip(people.tolist(), attempts["at"][where].tolist(), strict=True))
    both = first["launch"].keys() & first["control"].keys()
    assert len(both) > 0.9 * len(launch.demand)
    assert all(first["launch"][person] == first["control"][person] for person in both)


def test_closing_drops_everybody() -> None:
    """When the first room is closed, its audience is dropped for that reason, and the second room starts empty."""
    played = shipped("launch")
    first, second = running(played, 0), running(played, 1)
    closed, reopened = played.evening.hosts.closed, played.evening.hosts.reopened
    assert closed is not None
    assert reopened is not None
    at = played.events["at"]
    inside = int(first[np.searchsorted(at, closed) - 1])
    dropped = played.count(log.DROP, log.ROOM_CLOSED)
    assert abs(dropped - inside) < 0.02 * inside
    assert int(first[np.searchsorted(at, reopened)]) == 0
    assert int(second[np.searchsorted(at, reopened)]) == 0


GOLDEN = {
    "quiet": "e1b76014a7b0d85d9bf863e2373930ec69119535c71a5f6d75a23d6753a5c6a0",
    "launch": "05e42ca6777dcafc24133d5fd4db30784192f0d11a095cf24bcb8896c56e3f78",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_evening_is_the_same_on_every_machine(name: str) -> None:
    """The same scenario, scale and seed give the same events, byte for byte, here as where the hash was taken."""
    assert hashlib.sha256(shipped(name).events.tobytes()).hexdigest() == GOLDEN[name]


def test_another_seed_is_another_evening() -> None:
    """Another seed gives other events of the same kind of evening."""
    one, two = shipped("launch", 1), shipped("launch", 2)
    assert one.events.tobytes() != two.events.tobytes()
    assert abs(len(one.events) - len(two.events)) < 0.15 * len(one.events)
