"""Where a night becomes slow, and what is said about alerts that wait too long for it."""

from joinstorm.alerts.nightsamples import NightInfo
from joinstorm.alerts.rulesfile import Rule
from joinstorm.rehearsal.pacing import moment_text, paces, stretches, warnings
from producers.scenario.incidentspec import ExpectSpec
from streams.contract.runinfo import Phase

BASE = 1_700_000_000_000
MINUTE = 60_000


def night(expect: ExpectSpec, *phases: tuple[str, int]) -> NightInfo:
    """Return a night of an hour with phases that begin at some minutes."""
    made = tuple(Phase(name, BASE + at * MINUTE) for name, at in phases)
    return NightInfo("n", 1.0, 1, "", BASE, BASE + 60 * MINUTE, made, simulated=True, spaces=("a",), expect=expect)


def minutes(found: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """Return stretches in minutes."""
    return [((start - BASE) / MINUTE, (end - BASE) / MINUTE) for start, end in found]


MELTING = night(
    ExpectSpec((("melting", "closed"), ("outage",))),
    ("open", 0), ("melting", 10), ("closed", 20), ("talk", 25), ("outage", 40), ("end", 45),
)  # fmt: skip


def test_incidents_are_slow() -> None:
    """Phases of an incident that touch are one stretch."""
    assert minutes(stretches(MELTING)) == [(10, 25), (40, 45)]


def test_a_night_without_incident_is_slow_at_its_decoys() -> None:
    """An alert must be silent there, and shows that at the pace at which it would fire."""
    decoy = night(ExpectSpec(), ("open", 0), ("routine_deploy", 10), ("after_routine_deploy", 20))
    assert minutes(stretches(decoy, ["routine_deploy"])) == [(10, 20)]
    assert not stretches(decoy)


def test_the_speed_changes_at_each_end() -> None:
    """Slow from the start of an incident, a lead earlier if asked, and fast again from its end."""
    found = paces(MELTING, stretches(MELTING), 2 * MINUTE, 60, 1)
    expected = [(8, 1), (25, 60), (38, 1), (45, 60)]
    assert found == tuple((moment_text(BASE + at * MINUTE), float(speed)) for at, speed in expected)


def test_a_lead_that_reaches_the_incident_before_joins_them() -> None:
    """Nothing is fast in between, and nothing begins before the night."""
    found = paces(MELTING, stretches(MELTING), 20 * MINUTE, 60, 1)
    assert found == ((moment_text(BASE), 1.0), (moment_text(BASE + 45 * MINUTE), 60.0))


def test_a_wait_longer_than_the_incident_is_named() -> None:
    """At ten times real time ``for: 2m`` is twenty minutes of the night; at real time it is two."""
    rule = Rule("g", "Slow", "up", 7, hold=2 * MINUTE)
    parts = stretches(MELTING)
    (line,) = warnings([rule], parts, 10)
    assert line.startswith("Slow (line 7) waits 2m00s by the clock, which at speed 10 is 20m00s of the night")
    assert not list(warnings([rule], parts, 1))
