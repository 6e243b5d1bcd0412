"""A drill without a simulation: an hour of boards in which two fifths of a room are dropped at 19:20."""

import numpy as np

from joinstorm.alerts.nightlibrary import NightSource
from joinstorm.alerts.nightsamples import NightInfo
from joinstorm.drill.drawing import DrillNight
from joinstorm.drill.drillboards import PLANS, STEP_MS, Panel
from joinstorm.drill.situations import situations
from producers.scenario import loading
from producers.scenario.incidentspec import MELTING
from streams.contract.runinfo import Phase

START = 1_710_268_200_000
"""18:30 UTC on 12 March 2024, as in the shipped premieres."""
MINUTE = 60_000
LOST = START + 50 * MINUTE
END = START + 90 * MINUTE


def night() -> DrillNight:
    """Return a drill that is first looked at three minutes after servers failed."""
    scenario = loading.load("server-loss")
    phases = (
        Phase("open", START), Phase("talk", START + 32 * MINUTE), Phase("capacity_lost", LOST),
        Phase("after_capacity_lost", LOST + 10 * MINUTE), Phase("night", START + 80 * MINUTE, quiet=True),
    )  # fmt: skip
    info = NightInfo("server-loss", 1.0, 1, "", START, END, phases, True, ("first",), scenario.expect or MELTING)
    boards = tuple(panels())
    return DrillNight(
        7, scenario, NightSource(scenario=scenario), info, boards, tuple(situations(scenario, info, boards)),
        LOST + 3 * MINUTE,
    )  # fmt: skip


def panels() -> list[Panel]:
    """Return every panel: quiet, and from 19:20 on for ten minutes drops and refusals."""
    times = np.arange(START, END + 1, STEP_MS)
    hurt = (times >= LOST) & (times < LOST + 10 * MINUTE)
    shapes = {
        "in the room": np.where(hurt, 600.0, 1000.0),
        "drop rate": np.where(hurt, 0.2, 0.0),
        "join success": np.where(hurt, 0.3, np.nan),
    }
    return [Panel(plan.name, plan.unit, times, shapes.get(plan.name, np.where(hurt, 50.0, 5.0))) for plan in PLANS]
