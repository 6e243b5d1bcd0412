"""The phases of a night whose evening incidents interrupt; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from producers.scenario.incidentspec import Autoscaling
from producers.scenario.spec import Scenario
from producers.simulation.incidents import span
from streams.contract.runinfo import Phase


@dataclass(frozen=True)
class Window:
    """When an incident went on: ``begin <= at < end``."""

    name: str
    after: str
    """The name of the phase after it."""
    begin: int
    end: int


def windows(scenario: Scenario, opens: int, scheduled: int, strain: Sequence[float]) -> list[Window]:
    """Return when each incident went on, in event time; that of an autoscaler from first to last strain.

    Args:
        scenario: The night.
        opens: The opening.
        scheduled: The scheduled start, in ms after the opening.
        strain: That of the rooms, second by second.
    """
    found = []
    for one in scenario.incidents:
        begin, end = span(one, scheduled)
        if isinstance(one, Autoscaling):
            part = strain[begin // 1000 : end // 1000]
            strained = [place for place, level in enumerate(part) if level >= scenario.hosts.calm_below]
            if not strained:
                continue
            begin, end = begin + strained[0] * 1000, begin + (strained[-1] + 1) * 1000
        found.append(Window(one.name, one.after, opens + begin, opens + end))
    return found


def interrupted(phases: Sequence[Phase], incidents: Sequence[Window]) -> list[Phase]:
    """Return the phases of an evening with those of its incidents.

    Of the phases that would begin in an incident the last one begins at its end, in place of the phase after it, and
    the others are left out.

    Args:
        phases: Those of the evening, in order.
        incidents: In order, not overlapping, in event time.
    """
    found, evening = list(phases), set(phases)
    for one in incidents:
        before = [phase for phase in found if phase.start < one.begin]
        inside = [phase for phase in found if one.begin <= phase.start < one.end and phase in evening]
        later = [phase for phase in found if phase.start >= one.end]
        resumed = []
        if not later or later[0].start > one.end:
            under = (inside or before)[-1]
            name = under.name if inside else one.after
            resumed = [Phase(name, one.end, under.quiet)]
        found = [*before, Phase(one.name, one.begin), *resumed, *later]
    return found
