"""Incidents: what each kind changes, what it leaves alone, and listeners conserved whatever happens, room by room."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.recording import night_of
from producers.scenario.incidentspec import (
    Autoscaling,
    CapacityLost,
    CrowdPeak,
    Deploy,
    Exodus,
    Incident,
    LoginOutage,
    Outage,
    SlowAnswers,
)
from producers.scenario.loading import load, names
from producers.scenario.spec import Scenario
from producers.simulation import presencelog as log
from producers.simulation.autoscaler import Autoscaler
from producers.simulation.incidentphases import Window, interrupted
from streams.contract.names import AFTER_INCIDENT, MINUTE_MS, SHIPPED_PHASES, IncidentName
from streams.contract.runinfo import Phase
from tests.evenings import AWAY, Played, burst, play, shipped, walk

WITH_INCIDENTS = [name for name in names() if load(name).incidents]
CALM: Mapping[str, dict[str, Any]] = {
    "crowd": {"regions": {"north": 1, "south": 1}, "patience_minutes": 60.0, "short_share": 0.0, "long_minutes": 90.0},
    "server": {
        "held": 1500.0,
        "attempt_weight": 20.0,
        "admissions_per_second": 20.0,
        "losses_per_hour": 0.0,
        "drops_per_minute": 1.0,
        "refuse_share": 0.9,
    },
    "retry": {"base_seconds": 20.0},
}


def evening(*incidents: Incident, **changes: dict[str, Any]) -> Scenario:
    """Return a short night of a thousand people in a room for fifteen hundred, with incidents."""
    sections = {name: {**fields, **changes.get(name, {})} for name, fields in CALM.items()}
    return msgspec.structs.replace(burst(**sections), incidents=incidents)


def at(played: Played, kind: int, first: float, last: float, reason: int | None = None) -> int:
    """Return how many events of a kind lie between two minutes after the scheduled start."""
    opens = played.evening.hosts.scheduled
    times = (played.events["at"] - opens) / MINUTE_MS
    found = (played.events["kind"] == kind) & (times >= first) & (times < last)
    if reason is not None:
        found &= played.events["reason"] == reason
    return int(np.count_nonzero(found))


def audience(played: Played, minute: float) -> int:
    """Return the listeners in the rooms at a minute after the scheduled start."""
    return played.evening.history.audience[(played.evening.hosts.scheduled + round(minute * MINUTE_MS)) // 1000]


def test_without_incidents_the_room_is_calm() -> None:
    """The evening all others here are compared with: nobody is dropped or refused."""
    calm = play(evening())
    assert max(calm.evening.history.strain) == 0
    assert (calm.count(log.DROP), calm.count(log.FAIL)) == (0, 0)
    assert audience(calm, 5) > 800


def test_lost_capacity_overloads_what_is_left() -> None:
    """The listeners of the failed servers fall out at once; the rest overloads only where it is too little."""
    lost = play(evening(CapacityLost(at=4, minutes=3, share=0.5)))
    held = audience(lost, 4)
    at_once = at(lost, log.DROP, 4, 4 + 6 / 60, log.CONNECTION_LOST)
    assert abs(at_once - held / 2) < 0.1 * held
    assert at(lost, log.DROP, 4, 7, log.OVERLOADED) > 50
    assert at(lost, log.FAIL, 4, 7, log.OVERLOADED) > 50
    assert at(lost, log.DROP, -8, 4) == 0
    spare = play(evening(CapacityLost(at=4, minutes=3, share=0.5, disconnects=0.0), server={"held": 6000.0}))
    assert (spare.count(log.DROP), spare.count(log.FAIL), max(spare.evening.history.strain)) == (0, 0, 0)


@pytest.mark.parametrize(("field", "name"), [("client", "ios"), ("region", "north")])
def test_an_outage_cuts_off_a_client_or_a_region(field: str, name: str) -> None:
    """They all fall out and none gets in until it is over, while nobody else notices; then they come back."""
    cut = play(evening(Outage(at=4, minutes=3, within_seconds=10, **{field: name})))  # type: ignore[arg-type]
    demand = cut.demand
    theirs = demand.client == demand.clients.index(name) if field == "client" else demand.region == 0
    opens = cut.evening.hosts.scheduled
    during = cut.events[
        (cut.events["at"] >= opens + 4 * MINUTE_MS + 11_000) & (cut.events["at"] < opens + 7 * MINUTE_MS)
    ]
    joined = during["person"][during["kind"] == log.JOIN]
    assert not theirs[joined].any()
    struck = cut.events["person"][cut.events["reason"] == log.CONNECTION_LOST]
    assert theirs[struck].all()
    assert at(cut, log.DROP, 4, 4.2, log.CONNECTION_LOST) > 0.25 * audience(cut, 4)
    assert at(cut, log.FAIL, 4, 7, log.CONNECTION_LOST) > 0
    assert audience(cut, 9) > 0.9 * audience(cut, 4)


def test_an_outage_can_strike_a_part_of_them() -> None:
    """A share of the clients keeps its connection."""
    cut = play(evening(Outage(at=4, minutes=3, client="ios", share=0.5)))
    struck = np.unique(cut.events["person"][cut.events["reason"] == log.CONNECTION_LOST])
    ios = int(np.count_nonzero(cut.demand.client == 0))
    assert 0.35 * ios < len(struck) < 0.6 * ios


def test_a_deploy_drops_each_listener_who_is_not_moved_once() -> None:
    """Batch by batch; with every listener moved nobody notices, and a version that holds less overloads the room."""
    deploy = Deploy(at=3, minutes=5, batches=10, moved=0.4)
    moved = play(evening(deploy))
    drops = at(moved, log.DROP, 3, 8.2)
    assert abs(drops - 0.6 * audience(moved, 3)) < 0.15 * audience(moved, 3)
    halves = [at(moved, log.DROP, 3, 5.5), at(moved, log.DROP, 5.5, 8.2)]
    assert min(halves) > 0.3 * drops
    unnoticed = play(evening(msgspec.structs.replace(deploy, moved=1.0)))
    assert (unnoticed.count(log.DROP), unnoticed.count(log.FAIL)) == (0, 0)
    worse = play(evening(msgspec.structs.replace(deploy, moved=1.0, held=0.3)))
    assert at(worse, log.DROP, 3, 9, log.OVERLOADED) > 50
    assert worse.count(log.DROP, log.CONNECTION_LOST) == 0


def test_capacity_that_comes_late_melts_and_in_time_does_not() -> None:
    """The same crowd and the same servers: the delay alone decides, and the phase runs from first to last strain."""
    scaling = Autoscaling(at=-8, minutes=7, least=0.2, target=0.4, delay_minutes=3)
    crowd = {"arrivals": ((-8, 1), (-6, 10), (-4, 3), (4, 1))}
    late, in_time = (
        play(
            evening(msgspec.structs.replace(scaling, delay_minutes=delay), crowd=crowd, server={"attempt_weight": 20.0})
        )
        for delay in (3.0, 0.0)
    )
    assert at(late, log.DROP, -8, 0, log.OVERLOADED) > 50
    assert at(in_time, log.DROP, -8, 0, log.OVERLOADED) < 20
    night = night_of(late.scenario, late.evening.hosts, late.evening.history)
    begin = next(phase.start for phase in night.phases if phase.name == "autoscaling")
    assert late.evening.history.strain[(begin - night.start) // 1000] >= late.scenario.hosts.calm_below
    assert begin > night.start


def test_an_autoscaler_orders_once_a_minute_and_never_less() -> None:
    """What is ordered is there after the delay; a falling load orders nothing."""
    scaler = Autoscaler(Autoscaling(at=-8, minutes=7, least=0.2, target=0.5, delay_minutes=2), 0)
    there = [
        scaler.step(second * 1000, wanted) for second, wanted in enumerate([0.3] + [0.5] * 59 + [0.4] + [0.1] * 300)
    ]
    assert there[0] == there[119] == 0.2
    assert there[120] == 0.6
    assert there[180] == there[-1] == 0.8


def test_a_login_outage_keeps_out_who_is_outside() -> None:
    """No attempt gets in, nobody inside is dropped, and what fails does not load the rooms."""
    shut = play(evening(LoginOutage(at=-4, minutes=3)))
    assert at(shut, log.JOIN, -3.9, -1) == 0
    assert at(shut, log.FAIL, -4, -1, log.LOGIN_FAILED) > 100
    assert at(shut, log.DROP, -8, -1) == 0
    assert max(shut.evening.history.strain[: 7 * 60]) == 0
    some = play(evening(LoginOutage(at=-4, minutes=3, share=0.5)))
    failed, joined = at(some, log.FAIL, -4, -1), at(some, log.JOIN, -4, -1)
    assert 0.4 < failed / (failed + joined) < 0.6


def test_slow_answers_come_late_or_not_at_all() -> None:
    """Answers take between half and one and a half times the mean, and what takes too long fails at the timeout."""
    slow = play(evening(SlowAnswers(at=-4, minutes=3, answer_seconds=10, timeout_seconds=10)))
    failed = at(slow, log.FAIL, -4, -1, log.TIMED_OUT)
    joined = at(slow, log.JOIN, -3.7, -1)
    assert failed > 50
    assert joined > 50
    heavy = play(
        evening(SlowAnswers(at=-4, minutes=3, answer_seconds=1, timeout_seconds=9, weight=20), server={"held": 1500.0})
    )
    assert max(heavy.evening.history.strain) > 0


def test_a_peak_moves_a_part_of_the_crowd() -> None:
    """As many people come as without it, a part of them in its minutes; a room that carries them drops nobody."""
    peak, calm = play(evening(CrowdPeak(at=4, minutes=2, share=0.4))), play(evening())
    assert len(peak.demand) == len(calm.demand)
    moved = peak.demand.arrival != calm.demand.arrival
    assert 0.35 < moved.mean() < 0.45
    minutes = (peak.demand.arrival[moved] - peak.evening.hosts.scheduled) / MINUTE_MS
    assert (minutes.min() >= 4, minutes.max() <= 6) == (True, True)
    assert (peak.count(log.DROP), peak.count(log.FAIL)) == (0, 0)


def test_an_exodus_empties_the_room_without_a_drop() -> None:
    """They leave of their own accord, within its minutes."""
    gone = play(evening(Exodus(at=4, minutes=2, share=0.7)))
    assert audience(gone, 6.1) < 0.5 * audience(gone, 4)
    assert (gone.count(log.DROP), gone.count(log.FAIL)) == (0, 0)


@pytest.mark.parametrize("name", WITH_INCIDENTS)
def test_the_people_of_a_night_are_those_of_the_premiere(name: str) -> None:
    """An incident happens to the same crowd: clients, regions and patience are those of the night without it."""
    other, plain = shipped(name).demand, shipped("premiere").demand
    assert (other.client == plain.client).all()
    assert (other.region == plain.region).all()
    assert (other.patience.level == plain.patience.level).all()


def test_the_boards_know_every_phase_of_the_shipped_nights() -> None:
    """The list of incidents that boards and rules know has exactly those of the shipped scenarios."""
    assert {one.name for name in names() for one in load(name).incidents} == set(map(str, IncidentName))
    for name in WITH_INCIDENTS:
        played = shipped(name)
        night = night_of(played.scenario, played.evening.hosts, played.evening.history)
        assert {phase.name for phase in night.phases} <= set(SHIPPED_PHASES)


@pytest.mark.parametrize("name", WITH_INCIDENTS)
def test_a_night_has_the_phases_its_truth_speaks_of(name: str) -> None:
    """Every incident that alerts have to answer to happens, and all phases have names and times of their own."""
    played = shipped(name)
    night = night_of(played.scenario, played.evening.hosts, played.evening.history)
    found = [phase.name for phase in night.phases]
    assert len(set(found)) == len(found)
    assert all(a.start < b.start for a, b in zip(night.phases, night.phases[1:], strict=False))
    for group in played.scenario.expected.fire:
        assert set(group) & set(found)


def test_an_incident_interrupts_the_evening() -> None:
    """The phase after it bears its name, unless one of the evening begins in it or right at its end."""
    phases = [Phase("open", 0), Phase("talk", 100), Phase("end", 200, quiet=True)]

    def shown(*windows: tuple[str, int, int]) -> Sequence[tuple[str, int]]:
        made = interrupted(
            phases, [Window(name, f"{AFTER_INCIDENT}{name}", begin, end) for name, begin, end in windows]
        )
        return [(phase.name, phase.start) for phase in made]

    assert shown(("a", 110, 120)) == [("open", 0), ("talk", 100), ("a", 110), ("after_a", 120), ("end", 200)]
    assert shown(("a", 90, 120)) == [("open", 0), ("a", 90), ("talk", 120), ("end", 200)]
    assert shown(("a", 150, 200)) == [("open", 0), ("talk", 100), ("a", 150), ("end", 200)]
    assert shown(("a", 90, 210)) == [("open", 0), ("a", 90), ("end", 210)]
    assert shown(("a", 110, 120), ("b", 120, 130)) == [
        ("open", 0), ("talk", 100), ("a", 110), ("b", 120), ("after_b", 130), ("end", 200)
    ]  # fmt: skip


MINUTES = st.floats(0.1, 4)
SHARES = st.floats(0.05, 0.9)
KINDS = (
    st.builds(CapacityLost, at=st.just(0), minutes=MINUTES, share=SHARES, disconnects=st.floats(0, 1)),
    st.builds(
        Outage, at=st.just(0), minutes=MINUTES, region=st.sampled_from(["north", "south"]), share=SHARES,
        within_seconds=st.floats(0, 60),
    ),
    st.builds(Outage, at=st.just(0), minutes=MINUTES, client=st.sampled_from(["ios", "web"]), share=SHARES),
    st.builds(
        Deploy, at=st.just(0), minutes=MINUTES, batches=st.integers(2, 300), moved=st.floats(0, 1),
        held=st.floats(0.1, 2),
    ),
    st.builds(
        Autoscaling, at=st.just(0), minutes=MINUTES, least=SHARES, target=SHARES, delay_minutes=st.floats(0, 3)
    ),
    st.builds(LoginOutage, at=st.just(0), minutes=MINUTES, share=SHARES),
    st.builds(
        SlowAnswers, at=st.just(0), minutes=MINUTES, answer_seconds=st.floats(0.1, 60),
        timeout_seconds=st.floats(0.1, 60),
        weight=st.floats(1, 50),
    ),
    st.builds(CrowdPeak, at=st.just(0), minutes=MINUTES, share=SHARES),
    st.builds(Exodus, at=st.just(0), minutes=MINUTES, share=SHARES),
)  # fmt: skip


@st.composite
def incidents(draw: st.DrawFn) -> list[Incident]:
    """Draw up to three incidents, one after the other, anywhere in the evening."""
    found: list[Incident] = []
    free = -7.9
    for kind in draw(st.lists(st.one_of(*KINDS), min_size=1, max_size=3)):
        begin = free + draw(st.floats(0, 4))
        found.append(msgspec.structs.replace(kind, at=begin))
        free = begin + kind.minutes
    return found


@settings(max_examples=25)
@given(incidents(), st.floats(300, 2000), st.integers(0, 1000))
def test_listeners_are_conserved_whatever_happens(drawn: list[Incident], held: float, seed: int) -> None:
    """In every room joined = left + dropped + still in, at every event; every path is legal and ends outside."""
    played = play(evening(*drawn, server={"held": held}), 0.3, seed)
    events = played.events
    assert set(walk(events).values()) <= {AWAY}
    assert (np.diff(events["at"]) >= 0).all()
    kind, reason = events["kind"], events["reason"]
    out = (kind == log.DROP) | ((kind == log.LEAVE) & (reason != log.GAVE_UP))
    for room in (0, 1):
        inside = np.cumsum(((kind == log.JOIN).astype(np.int64) - out) * (events["room"] == room))
        assert inside.min() >= 0
        assert inside[-1] == 0
    arrived = int(np.count_nonzero((kind == log.ATTEMPT) & (events["try"] == 1)))
    assert arrived == int(np.count_nonzero(kind == log.LEAVE))
