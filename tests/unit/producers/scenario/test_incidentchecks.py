"""Incidents in a scenario's file: what is accepted, and errors that name file, line, field and what is allowed."""

from pathlib import Path

import pytest

from producers.recording import expected_of, record
from producers.scenario.incidentspec import KINDS, MELTING, Outage
from producers.scenario.loading import load, names
from producers.tape.tapefile import Tape
from streams.errors import ScenarioError

HEAD = "extends: quiet\nname: own\nincidents:\n"
LOSS = "  - {kind: capacity_lost, at: 3, minutes: 2, share: 0.5"


def loaded(folder: Path, text: str) -> str:
    """Write a scenario file that extends ``quiet``, and return its path."""
    path = folder / "own.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "  - {kind: outge, at: 3, minutes: 2}",
            "own.yaml:4: incidents[0].kind: unknown kind 'outge'; did you mean 'outage'?",
        ),
        ("  - {at: 3, minutes: 2}", "own.yaml:4: incidents[0]: Object missing required field kind"),
        ("  - {kind: outage, minutes: 2}", "own.yaml:4: incidents[0]: Object missing required field at"),
        (
            f"{LOSS}, shar: 1}}",
            "own.yaml:4: incidents[0].shar: unknown field 'shar'; did you mean 'share'? Known: at, disc",
        ),
        (
            "  - {kind: login_outage, at: 3, minutes: 2, clien: x}",
            "unknown field 'clien'. Known: at, minutes, phase, share",
        ),
        ("  - {kind: capacity_lost, at: 3, minutes: 2, share: 1}", "incidents[0].share: Expected float < 1.0, found 1"),
        ("  - {kind: exodus, at: 3, minutes: 0, share: 1}", "incidents[0].minutes: Expected float > 0.0, found 0"),
        (
            "  - {kind: exodus, at: -11, minutes: 1, share: 1}",
            "incidents[0].at: expected a minute at or after the opening (-10)",
        ),
        (
            "  - {kind: exodus, at: 3, minutes: 900, share: 1}",
            "incidents[0].minutes: expected an end no later than the night's",
        ),
        (
            "  - {kind: exodus, at: -3, minutes: 4, share: 1}",
            "incidents[0].at: expected an incident that ends before the sched",
        ),
        (
            f"{LOSS}}}\n  - {{kind: exodus, at: 4, minutes: 2, share: 1}}",
            "own.yaml:5: incidents[1].at: expected a minute after",
        ),
        (f"{LOSS}}}\n{LOSS.replace('at: 3', 'at: 6')}}}", "own.yaml:5: incidents[1].kind: expected a phase of its own"),
        (
            f"{LOSS}, phase: talk}}",
            "own.yaml:4: incidents[0].phase: expected a phase of its own: the night has talk already",
        ),
        ("  - {kind: outage, at: 3, minutes: 2}", "own.yaml:4: incidents[0]: expected either client or region"),
        (
            "  - {kind: outage, at: 3, minutes: 2, client: io}",
            "incidents[0].client: expected one of crowd.clients (ios, android",
        ),
        (
            "  - {kind: outage, at: 3, minutes: 2, region: a}",
            "incidents[0].region: expected one of crowd.regions (none: crowd",
        ),
        (
            f"{LOSS}}}\nexpect: {{fire: [[outage]]}}",
            "own.yaml:5: expect.fire[0][0]: expected a phase of this night: after_cap",
        ),
        (f"{LOSS}}}\nexpect: {{fire: [[]]}}", "own.yaml:5: expect.fire[0]: Expected array of length >= 1"),
        (f"{LOSS}}}\nexpect: {{may: [tlak]}}", "own.yaml:5: expect.may[0]: expected a phase of this night"),
        (
            f"{LOSS}}}\nexpect: {{fire: [[talk]], may: [talk]}}",
            "expect.may[0]: expected a phase that is not under fire as well",
        ),
        (
            f"{LOSS}}}\nexpect: {{fires: []}}",
            "own.yaml:5: expect.fires: unknown field 'fires'; did you mean 'fire'? Known: fire, m",
        ),
    ],
)
def test_a_wrong_incident_is_named(tmp_path: Path, text: str, why: str) -> None:
    """One line with file, line, field, what was found and what is allowed."""
    with pytest.raises(ScenarioError) as caught:
        load(loaded(tmp_path, f"{text}\n"))
    assert why in str(caught.value).replace(f"{tmp_path}/", "")
    assert "\n" not in str(caught.value)


def test_incidents_come_in_order_and_are_named(tmp_path: Path) -> None:
    """The kind names the phase, unless the incident does."""
    text = f"{LOSS}}}\n  - {{kind: outage, at: 5, minutes: 1, client: ios, phase: app}}\n"
    one, two = load(loaded(tmp_path, text)).incidents
    assert (one.name, one.after, two.name) == ("capacity_lost", "after_capacity_lost", "app")
    assert two == Outage(at=5, minutes=1, client="ios", phase="app")
    assert len(KINDS) == 8


def test_a_scenario_says_what_alerts_have_to_answer_to(tmp_path: Path) -> None:
    """As given, or the melting where nothing is; a tape says the same as its scenario."""
    premiere = load("server-loss")
    assert premiere.expected.fire == (("capacity_lost",),)
    assert premiere.expected.may == ("after_capacity_lost",)
    assert load("launch").expected == load("quiet").expected == MELTING
    tape = record(premiere, tmp_path / "tape.parquet", scale=0.001).path
    assert expected_of(Tape.open(tape).info) == premiere.expected


def test_a_night_without_incidents_keeps_its_tape() -> None:
    """Its plain values have none of the fields about incidents, so its hash is what it was before there were any."""
    for name in names():
        values = load(name).as_builtins()
        told = {"incidents", "expect"} & set(values) | {"regions"} & set(values["crowd"])
        assert bool(told) == (load(name).crowd.regions != {})
