"""A drill as text: the boards as lines of blocks, the choices, the score and the explanation."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from joinstorm.alerts.durations import duration_text
from joinstorm.drill.drillboards import Panel
from joinstorm.drill.drillscore import DrillScore, clock
from joinstorm.drill.sitting import Sitting
from joinstorm.drill.situations import WHATS, WHERES, Situation
from joinstorm.terminal.picture import spark

WIDEST: Final = 80
"""Most blocks of a line."""
_CLOCKS, _NOW, _RANGE = 17, 12, 22
"""Cells for the two times of the axis, for the value now, and for the range, each with its gap."""
_FINE: Final = 1000
"""Steps of the tallest block's value."""
COMMANDS: Final = "later 2m (let the night go on), zoom 10m (the last ten minutes), boards, answer, quit"


def boards_text(sitting: Sitting, back: int, width: int) -> str:
    """Return the boards as lines, one for each panel: its blocks, its value now, and the range of the values shown.

    Args:
        sitting: The sitting.
        back: Milliseconds shown.
        width: Of the terminal, in cells.
    """
    panels = sitting.boards(back)
    names = max(len(panel.name) for panel in panels)
    ranges = width >= names + _CLOCKS + _NOW + _RANGE
    room = max(_CLOCKS, min(WIDEST, width - names - _NOW - _RANGE * ranges))
    first, last = (int(panels[0].times[place]) for place in (0, -1))
    span = duration_text(last - first) if room > _CLOCKS + _NOW else ""
    axis = f"{clock(first)}{span:^{room - _CLOCKS + 1}}{clock(last)}"
    rows = [("", axis, "now", "from … to"), *(_row(panel, room, sitting.now) for panel in panels)]
    return "\n".join(
        f"{name:>{names}}  {blocks:<{room}} {now:>{_NOW - 3}}{shown:>{_RANGE}}"[: None if ranges else -_RANGE]
        for name, blocks, now, shown in rows
    )


def _row(panel: Panel, room: int, now: int) -> tuple[str, str, str, str]:
    """Return name, blocks, value now and the range of what is shown."""
    known = panel.values[~np.isnan(panel.values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (None, None)
    shown = f"{value_text(low, panel.unit)} … {value_text(high, panel.unit)}" if len(known) else "-"
    return panel.name, _blocks(panel, room), value_text(panel.at(now), panel.unit), shown


def _blocks(panel: Panel, room: int) -> str:
    """Return blocks from zero up to the greatest value; each stands for the greatest one of its part."""
    edges = np.linspace(0, len(panel.values), room + 1).astype(int)
    parts = [panel.values[begin : max(end, begin + 1)] for begin, end in itertools.pairwise(edges)]
    tops = [0.0 if np.isnan(part).all() else float(np.nanmax(part)) for part in parts]
    most = max(tops, default=0.0)
    return spark(round(top / most * _FINE) if most else 0 for top in tops)


def value_text(value: float | None, unit: str) -> str:
    """Return a value with its unit, as short as it can be read."""
    if value is None:
        return "-"
    if unit == "ratio":
        return f"{value:.1%}"
    return f"{value:,.1f} s" if unit == "seconds" else f"{value:,.0f}"


def choices_text(choices: dict[str, str]) -> str:
    """Return the choices of a question, a line each."""
    widest = max(map(len, choices))
    return "\n".join(f"  {name:<{widest}}  {meaning}" for name, meaning in choices.items())


def score_text(score: DrillScore, truth: Situation, others: Sequence[Situation]) -> str:
    """Return the score part by part, what happened, and what else did."""
    lines = [f"{score.points} of 100 points"]
    lines += [f"  {part.part:<6} {part.points:>3} of {part.most:>2}  {part.why}" for part in score.parts]
    lines += _story(truth, others)
    return "\n".join(lines)


def _story(truth: Situation, others: Sequence[Situation]) -> Iterator[str]:
    yield f"the night: {truth.told}"
    for one in others:
        if one is not truth and one.start is not None:
            harm = "an incident" if one.harm else "a decoy"
            yield f"also in this night, {harm} at {clock(one.start)}: {WHATS[one.what]} ({WHERES[one.where]})"
