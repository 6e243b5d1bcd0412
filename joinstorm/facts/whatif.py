"""What-if: several nights of the same crowd, compared in figures and in one picture."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import matplotlib as mpl
import numpy as np
import pyarrow.dataset
from matplotlib.figure import Figure

from dashboards import palette
from joinstorm.facts.facttable import measure
from producers.recording import Recording
from producers.simulation.simulate import RoomHistory
from producers.tape.tapefile import Tape
from streams.contract.names import MINUTE_MS
from streams.errors import UsageError

ATTEMPTS_OVER: Final = 10
"""Attempts per second are means over so many seconds."""
_STYLES: Final = ("solid", "dashed", "dashdot", "dotted")
"""Different line styles keep nights with the same course apart."""
_COUNTS: Final = """
    SELECT
        count(*) FILTER (kind = 'attempt'), count(*) FILTER (kind = 'fail'),
        count(*) FILTER (kind = 'drop' AND reason = 'overloaded'), count(*) FILTER (kind = 'drop'),
        count(DISTINCT person) FILTER (kind = 'join')
    FROM tape WHERE topic = 'space.presence'
"""


@dataclass(frozen=True, kw_only=True)
class NightFigures:
    """One night of a what-if; counts are of the recorded size, not projected."""

    scenario: str
    events: int
    listeners: int
    peak: int
    """Largest number of people in a room at one time."""
    attempts: int
    attempts_peak: float
    """Per second, smoothed."""
    fails: int
    drops: int
    """Drops by an overloaded room."""
    drops_all: int
    """Including those of the closed room and of lost connections."""
    minutes_melted: float
    """With strain above the hosts' threshold for calm."""
    waited_20m: int
    talk_late_minutes: float
    rooms: int
    heard: int
    """Distinct people who were let in at least once."""
    start_minutes: float
    """Minutes from the scheduled start to the first second."""
    incidents: tuple[tuple[str, float, float], ...]
    """The phase of each incident, and its first and last minute after the scheduled start."""


@dataclass(frozen=True, kw_only=True)
class NightSummary(NightFigures):
    """The figures of one night, and its course."""

    held_by_second: tuple[int, ...]
    attempts_by_second: tuple[int, ...]


def outcome(recording: Recording, calm_below: float) -> NightSummary:
    """Measure a recorded night.

    Args:
        recording: The night.
        calm_below: Strain from which a room melts.
    """
    night, history = recording.night, recording.history
    with duckdb.connect() as connection:
        connection.register("tape", pyarrow.dataset.dataset(str(recording.path), format="parquet"))
        attempts, fails, drops, drops_all, heard = connection.execute(_COUNTS).fetchone() or (0, 0, 0, 0, 0)
    waited = measure(Tape.open(recording.path), ["waited_20m"], 1.0)["waited_20m"]
    return NightSummary(
        scenario=recording.info.name,
        events=recording.info.events,
        listeners=recording.listeners,
        peak=max(history.audience),
        attempts=attempts,
        attempts_peak=round(float(per_second(history).max()), 1),
        fails=fails,
        drops=drops,
        drops_all=drops_all,
        minutes_melted=round(sum(strain >= calm_below for strain in history.strain) / 60, 1),
        waited_20m=int(waited or 0),
        talk_late_minutes=round((night.talk_start - night.scheduled_start) / MINUTE_MS, 1),
        rooms=len(recording.info.spaces),
        heard=heard,
        held_by_second=tuple(history.audience),
        attempts_by_second=tuple(history.attempts),
        start_minutes=(night.start - night.scheduled_start) / MINUTE_MS,
        incidents=tuple(_incidents(recording)),
    )


def _incidents(recording: Recording) -> Iterator[tuple[str, float, float]]:
    """Yield the incidents' phases, as those of the evening are known."""
    info, night = recording.info, recording.night
    own = {one["phase"] or one["kind"] for one in info.scenario.get("incidents", ())}
    for phase, end in zip(night.phases, [*(one.start for one in night.phases[1:]), night.end], strict=True):
        if phase.name in own:
            first, last = ((at - night.scheduled_start) / MINUTE_MS for at in (phase.start, end))
            yield phase.name, round(first, 1), round(last, 1)


def per_second(history: RoomHistory) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the attempts per second, smoothed."""
    return smoothed(history.attempts)


def smoothed(attempts: Sequence[int]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the mean of ``ATTEMPTS_OVER`` seconds around each."""
    return np.convolve(attempts, np.full(ATTEMPTS_OVER, 1 / ATTEMPTS_OVER), mode="same")


_ROWS: Final[tuple[tuple[str, Callable[[NightSummary], str]], ...]] = (
    ("events", lambda o: f"{o.events:,}"),
    ("people who may try to join", lambda o: f"{o.listeners:,}"),
    ("largest audience of a room", lambda o: f"{o.peak:,}"),
    ("attempts", lambda o: f"{o.attempts:,}"),
    ("attempts per second, peak", lambda o: f"{o.attempts_peak:,.1f}"),
    ("attempts failed", lambda o: f"{o.fails:,}"),
    ("dropped by an overloaded room", lambda o: f"{o.drops:,}"),
    ("dropped in total", lambda o: f"{o.drops_all:,}"),
    ("minutes melted", lambda o: f"{o.minutes_melted:,.1f}"),
    ("waited 20 minutes or more", lambda o: f"{o.waited_20m:,}"),
    ("minutes the talk was late", lambda o: f"{o.talk_late_minutes:,.1f}"),
    ("rooms", lambda o: f"{o.rooms}"),
    ("people let in at least once", lambda o: f"{o.heard:,}"),
    (
        "incidents, minutes past the start",
        lambda o: ", ".join(f"{name} {a:g}…{b:g}" for name, a, b in o.incidents) or "-",
    ),
)


def table(outcomes: Sequence[NightSummary]) -> str:
    """Return the nights side by side, one column each."""
    cells = [["", *(night.scenario for night in outcomes)]]
    cells += [[label, *(show(night) for night in outcomes)] for label, show in _ROWS]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = []
    for label, *figures in cells:
        right = "  ".join(f"{figure:>{width}}" for figure, width in zip(figures, widths[1:], strict=True))
        lines.append(f"{label:<{widths[0]}}  {right}".rstrip())
    return "\n".join(lines)


def picture(outcomes: Sequence[NightSummary], path: Path) -> None:
    """Draw the audience and the attempts of all nights over the evening; the suffix of the path selects PNG or SVG.

    Raises:
        UsageError: The file cannot be written.
    """
    figure = Figure(figsize=(11, 7), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    named: set[tuple[str, float]] = set()
    for night, style in zip(outcomes, itertools.cycle(_STYLES)):
        minutes = night.start_minutes + np.arange(len(night.held_by_second)) / 60
        above.plot(minutes, night.held_by_second, label=night.scenario, linestyle=style, linewidth=1.6)
        below.plot(minutes, smoothed(night.attempts_by_second), linestyle=style, linewidth=1.0)
        for name, first, last in night.incidents:
            above.axvspan(first, last, color=palette.DROP, alpha=0.12, linewidth=0)
            below.axvspan(first, last, color=palette.DROP, alpha=0.12, linewidth=0)
            if (name, first) not in named:  # nights may share an incident
                named.add((name, first))
                above.text(first, 0, f" {name}", rotation=90, va="bottom", fontsize=7)
    above.set_ylabel("people in the rooms")
    below.set_ylabel(f"attempts per second\n(mean of {ATTEMPTS_OVER} s)")
    below.set_xlabel("minutes after the scheduled start")
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter("{x:,.0f}")
    above.legend(frameon=False)
    try:
        with mpl.rc_context({"svg.hashsalt": "joinstorm"}):
            figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error}") from None
