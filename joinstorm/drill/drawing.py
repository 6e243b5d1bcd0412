"""Draws a drill from a seed: the night, its own seed, by how much its incidents are moved, and when one looks."""

import random
from dataclasses import dataclass
from typing import Final

import msgspec

from joinstorm.alerts.nightlibrary import NightSource, samples_of
from joinstorm.alerts.nightsamples import NightInfo, NightSamples
from joinstorm.drill.drillboards import STEP_MS, Panel, boards_of
from joinstorm.drill.situations import Situation, situations
from producers.scenario import loading
from producers.scenario.incidentchecks import incident_conditions
from producers.scenario.spec import Scenario
from streams.contract.names import MINUTE_MS

PLAIN: Final = "premiere"
"""The night in which nothing happens."""
SCALE: Final = 0.05
_MOVES: Final = range(-4, 5)
"""Minutes by which the incidents of a night may be moved: who knows the scenarios does not know the answer."""
_LOOKS_MS: Final = (2 * MINUTE_MS, 5 * MINUTE_MS)
"""How long after the beginning of an incident the trainee first looks."""


@dataclass(frozen=True)
class DrillNight:
    """A drill: a night, what happens in it, and when the trainee first looks.

    Args:
        seed: What it was drawn from.
        scenario: The night's scenario, its incidents moved.
        source: Where its samples come from.
        info: The night.
        boards: All its panels, whole.
        truths: What happens.
        began: The event time (ms) at which the trainee first looks.
    """

    seed: int
    scenario: Scenario
    source: NightSource
    info: NightInfo
    boards: tuple[Panel, ...]
    truths: tuple[Situation, ...]
    began: int


def pool() -> list[str]:
    """Return the names of the nights that drills are drawn from: those with incidents or decoys, and a plain one."""
    return [name for name in loading.names() if name == PLAIN or loading.load(name).incidents]


def draw_drill(seed: int, scale: float = SCALE) -> DrillNight:
    """Draw a drill; the same seed and scale give the same one.

    Raises:
        ScenarioError: A shipped scenario cannot be simulated.
    """
    chance = random.Random(seed)  # noqa: S311 - a drill, no secret
    scenario = moved(loading.load(chance.choice(pool())), chance)
    source = NightSource(scenario=scenario, scale=scale, seed=chance.randrange(1, 1000))
    samples = NightSamples.open(samples_of(source, STEP_MS), "")
    boards = tuple(boards_of(samples))
    truths = tuple(situations(scenario, samples.info, boards))
    began = _first_look(chance.choice(truths), samples.info, chance)
    return DrillNight(seed, scenario, source, samples.info, boards, truths, began)


def moved(scenario: Scenario, chance: random.Random) -> Scenario:
    """Return a scenario whose incidents happen some minutes earlier or later, if it is possible that way."""
    for minutes in chance.sample(_MOVES, len(_MOVES)):
        incidents = tuple(msgspec.structs.replace(one, at=one.at + minutes) for one in scenario.incidents)
        changed = msgspec.structs.replace(scenario, incidents=incidents)
        if all(holds for _, holds, _ in incident_conditions(changed)):
            return changed
    return scenario


def _first_look(situation: Situation, night: NightInfo, chance: random.Random) -> int:
    """Return when the trainee first looks: minutes after something began, or at any time of the talk."""
    if situation.start is None or situation.end is None:
        low = next(phase.start for phase in night.phases if phase.name == "talk")
        at = low + chance.randrange(5 * MINUTE_MS, 40 * MINUTE_MS)
    else:
        low, high = _LOOKS_MS
        at = situation.start + chance.randrange(low, min(high, max(low + 1, situation.end - situation.start)))
    return night.start + (at - night.start) // STEP_MS * STEP_MS
