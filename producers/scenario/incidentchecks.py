"""What no single field of an incident shows: its order, its phase, whom it concerns, and what the truth speaks of."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

from producers.scenario.incidentspec import Incident, Outage
from producers.scenario.spec import Scenario
from streams.contract.names import PhaseName

Condition: TypeAlias = tuple[tuple[str | int, ...], bool, str]
"""The path of a field, whether it is as it has to be, and what was expected."""
_EVENING: Final = frozenset(map(str, PhaseName))


def incident_conditions(scenario: Scenario) -> Iterator[Condition]:
    """Yield what has to hold for the sections ``incidents`` and ``expect``."""
    schedule = scenario.schedule
    opens = (schedule.opens - schedule.scheduled_start) / timedelta(minutes=1)
    ends = (schedule.ends - schedule.scheduled_start) / timedelta(minutes=1)
    for number, one in enumerate(scenario.incidents):
        place, over = ("incidents", number), one.at + one.minutes
        yield (*place, "at"), one.at >= opens, f"a minute at or after the opening ({opens:g})"
        yield (*place, "minutes"), over <= ends, f"an end no later than the night's ({ends:g} minutes past the start)"
        beside = one.at > 0 or over < 0
        yield (*place, "at"), beside, "an incident that ends before the scheduled start or begins after it"
        if isinstance(one, Outage):
            yield from _cut_off(scenario, one, place)
    for number, (one, other) in enumerate(itertools.pairwise(scenario.incidents), start=1):
        free = other.at >= one.at + one.minutes
        yield (
            ("incidents", number, "at"),
            free,
            f"a minute after the end of the incident before ({one.at + one.minutes:g})",
        )
    yield from _phases(scenario.incidents)
    known = phases_of(scenario.incidents)
    yield from _truth(scenario, known)


def phases_of(incidents: Sequence[Incident]) -> frozenset[str]:
    """Return every phase that a night with these incidents can have."""
    return _EVENING | {one.name for one in incidents} | {one.after for one in incidents}


def _cut_off(scenario: Scenario, one: Outage, place: tuple[str | int, ...]) -> Iterator[Condition]:
    yield place, (one.client is None) != (one.region is None), "either client or region"
    for field, value, known in (
        ("client", one.client, scenario.crowd.clients),
        ("region", one.region, scenario.crowd.regions),
    ):
        named = ", ".join(known) or f"none: crowd.{field}s is empty"
        yield (*place, field), value is None or value in known, f"one of crowd.{field}s ({named})"


def _phases(incidents: Sequence[Incident]) -> Iterator[Condition]:
    seen = set(_EVENING)
    for number, one in enumerate(incidents):
        path = ("incidents", number, "phase" if one.phase else "kind")
        yield path, seen.isdisjoint((one.name, one.after)), f"a phase of its own: the night has {one.name} already"
        seen |= {one.name, one.after}


def _truth(scenario: Scenario, known: frozenset[str]) -> Iterator[Condition]:
    expect = scenario.expected
    words = f"a phase of this night: {', '.join(sorted(known - _EVENING))} or one of the evening"
    for number, group in enumerate(expect.fire):
        for place, phase in enumerate(group):
            yield ("expect", "fire", number, place), phase in known, words
    for place, phase in enumerate(expect.may):
        twice = any(phase in group for group in expect.fire)
        yield ("expect", "may", place), phase in known, words
        yield ("expect", "may", place), not twice, "a phase that is not under fire as well"
