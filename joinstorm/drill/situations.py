"""The truth of a drill: what happens in a night, when, where it hurts, and and whether a page is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from joinstorm.alerts.nightsamples import NightInfo
from joinstorm.drill.drillboards import Panel
from producers.scenario.incidentspec import KINDS, Incident, Outage
from producers.scenario.spec import Scenario

Where = Literal["inside", "door", "both", "one_app", "nobody"]
NOTHING: Final = "nothing"
WHATS: Final = {
    "capacity_lost": "servers failed",
    "outage": "a part of the listeners is cut off: a region or an app",
    "deploy": "a deploy restarts the servers batch by batch",
    "autoscaling": "the capacity comes later than the crowd",
    "login_outage": "nobody can log in",
    "slow_answers": "attempts are answered late",
    "crowd_peak": "more people come at once",
    "exodus": "listeners leave because they want to",
    NOTHING: "a night like any other",
}
"""What can be answered, and what it means."""
WHERES: Final = {
    "inside": "listeners in the room are dropped",
    "door": "people outside cannot get in",
    "both": "both",
    "one_app": "both, in one app alone",
    "nobody": "nobody is harmed",
}
FAMILIES: Final = (
    frozenset({"capacity_lost", "outage"}),
    frozenset({"deploy", "autoscaling"}),
    frozenset({"login_outage", "slow_answers"}),
    frozenset({"crowd_peak", "exodus", NOTHING}),
)
"""Kinds that look alike: the next best answer is of the same family."""
_MOST_DROPPED: Final = 0.015
"""The drop rate from which listeners inside are harmed, as in the rule LaunchMelting."""
_LEAST_JOINED: Final = 0.75
"""The join success below which people outside are harmed, as in the rule JoinSuccessLow."""
assert set(KINDS) == set(WHATS) - {NOTHING}


@dataclass(frozen=True)
class Situation:
    """Something that happens in a night; event times in milliseconds.

    Args:
        what: A key of ``WHATS``.
        harm: An alert has to fire.
        where: Whom it hurts, as the boards show.
        start: When it begins; None for nothing.
        end: When it ends.
        told: What happened, in words.
    """

    what: str
    harm: bool
    where: Where
    start: int | None
    end: int | None
    told: str


def situations(scenario: Scenario, night: NightInfo, boards: Sequence[Panel]) -> list[Situation]:
    """Return what happens in a night, in order; nothing is one situation, too."""
    harmful = {phase for phases in night.expect.fire for phase in phases}
    found = []
    for one in scenario.incidents:
        spans = [
            (phase.start, end)
            for phase, end in zip(night.phases, night.ends(), strict=True)
            if phase.name == one.name
        ]  # fmt: skip
        if spans:
            (start, end), harm = spans[0], one.name in harmful
            what = str(one.__struct_config__.tag)
            where = _where(one, boards, start, end) if harm else "nobody"
            found.append(Situation(what, harm, where, start, end, scenario.title))
    return found or [Situation(NOTHING, harm=False, where="nobody", start=None, end=None, told=scenario.title)]


def _where(one: Incident, boards: Sequence[Panel], start: int, end: int) -> Where:
    return "one_app" if isinstance(one, Outage) and one.client is not None else where_of(boards, start, end)


def where_of(boards: Sequence[Panel], start: int, end: int) -> Where:
    """Return whom a stretch of a night hurts, by the limits of the shipped rules."""
    panels = {panel.name: panel.between(start, end).values for panel in boards}
    inside = bool((panels["drop rate"] > _MOST_DROPPED).any())
    door = bool((panels["join success"] < _LEAST_JOINED).any())
    return "both" if inside and door else "inside" if inside else "door" if door else "nobody"
