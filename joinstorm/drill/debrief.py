"""The debrief of a drill: the score, the timeline, what the alerts said, and what the boards showed, as one page."""

import io
from collections.abc import Sequence
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from dashboards import palette
from joinstorm.alerts.expectation import expectations
from joinstorm.alerts.scoreformats import night_text
from joinstorm.alerts.scorepage import timeline
from joinstorm.alerts.scorerun import NightSettings, score
from joinstorm.alerts.scoring import AlertScore
from joinstorm.alerts.shipped import load_shipped, shipped_expectations
from joinstorm.drill.drillboards import STEP_MS, Panel
from joinstorm.drill.drillscore import clock, since_of
from joinstorm.drill.drilltext import score_text, value_text
from joinstorm.drill.sitting import Sitting
from joinstorm.drill.situations import WHATS, WHERES
from joinstorm.report.stylesheet import CSS
from streams.contract.names import MINUTE_MS
from streams.visible import escape

_LEGEND: Final = (
    "Shaded: what happened. The dashed line is your first look, the full one your answer, the dotted one the time you "
    "gave."
)
_TICK: Final = 15.0
"""Minutes between two times of the axis."""
_STYLE: Final = "svg text { fill: var(--ink); } th { text-align: left; } td, th { padding-right: 16px; }"


def alerts_of(sitting: Sitting) -> list[AlertScore]:
    """Return what the shipped alerts did in the night of a drill, those that are about the night.

    Raises:
        EnvironmentMissingError: prometheus or promtool is not installed; the text says how to get it.
    """
    rules = load_shipped()
    expected = expectations(rules, {}, shipped_expectations())
    settings = NightSettings(STEP_MS, STEP_MS)
    return [one for one in score(rules, expected, [sitting.drill.source], settings) if one.nights]


def alert_lines(alerts: Sequence[AlertScore]) -> list[str]:
    """Return what each alert said that said anything; one line where none did."""
    said = [f"{one.name}: {night_text(one.nights[0])}" for one in alerts if one.nights[0].pages]
    return said or ["every alert was silent"]


def debrief_page(sitting: Sitting, alerts: Sequence[AlertScore], left_out: str = "") -> str:
    """Return the page; it needs nothing from elsewhere.

    Args:
        sitting: A sitting that is over.
        alerts: What the alerts did.
        left_out: Why there are none.
    """
    if sitting.score is None or sitting.truth is None:
        raise AssertionError("the sitting goes on")
    title = f"Drill {sitting.drill.seed}: {sitting.score.points} of 100 points"
    parts = [
        f"<h1>{title}</h1><p class='soft'>{escape(sitting.truth.told)}</p>",
        f"<pre>{escape(score_text(sitting.score, sitting.truth, sitting.drill.truths))}</pre>",
        f"<h2>The timeline</h2>{_timeline(sitting)}",
        "<h2>What the alerts said</h2>",
        "".join(f"<p>{escape(line)}</p>" for line in ([left_out] if left_out else alert_lines(alerts))),
        *(f'<figure class="scroll">{timeline(one)}</figure>' for one in alerts if one.nights[0].pages),
        f"<h2>What the boards showed</h2><p>{_LEGEND}</p>",
        f"<figure>{_picture(sitting)}</figure>",
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{CSS}{_STYLE}</style>'
        f"<main>{''.join(parts)}</main></html>\n"
    )


def events_of(sitting: Sitting) -> list[tuple[int, str]]:
    """Return what happened and what the trainee did, by event time (ms)."""
    found = [(phase.start, f"phase {phase.name.replace('_', ' ')}") for phase in sitting.drill.info.phases]
    for one in sitting.drill.truths:
        if one.start is not None and one.end is not None:
            kind = "the incident" if one.harm else "the decoy"
            found.append((one.start, f"{kind} begins: {WHATS[one.what]} ({WHERES[one.where]})"))
            found.append((one.end, f"{kind} is over"))
    found.append((sitting.drill.began, "your first look"))
    if sitting.answer is not None:
        page = "page" if sitting.answer.page else "no page"
        since = f"since {sitting.answer.since}"
        found.append((sitting.now, f"your answer: {page}, {sitting.answer.what}, {sitting.answer.where}, {since}"))
    return sorted(found, key=lambda event: event[0])


def _timeline(sitting: Sitting) -> str:
    rows = "".join(f"<tr><td>{clock(at)}</td><td>{escape(text)}</td></tr>" for at, text in events_of(sitting))
    return f'<div class="scroll"><table>{rows}</table></div>'


def _picture(sitting: Sitting) -> str:
    """Return the boards as one SVG, a panel each, all over the same time."""
    panels = sitting.drill.boards
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "joinstorm"}):
        figure = Figure(figsize=(11, 1.25 * len(panels)), layout="constrained")
        every = figure.subplots(len(panels), 1, sharex=True)
        for axes, panel in zip(every, panels, strict=True):
            _draw(axes, panel, sitting)
        every[-1].xaxis.set_major_locator(MultipleLocator(_TICK))
        every[-1].xaxis.set_major_formatter(lambda minutes, _: clock(round(minutes * MINUTE_MS))[:5])
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _draw(axes: Axes, panel: Panel, sitting: Sitting) -> None:
    evening = panel.between(sitting.drill.info.start, _until(sitting))
    axes.plot([_time(at) for at in evening.times.tolist()], evening.values, color=palette.TRUTH, linewidth=1.3)
    for one in sitting.drill.truths:
        if one.start is not None and one.end is not None:
            colour = palette.BAD if one.harm else palette.GOOD
            axes.axvspan(_time(one.start), _time(one.end), color=colour, alpha=0.18, linewidth=0)
    axes.axvline(_time(sitting.drill.began), color="black", linestyle="--", linewidth=0.8)
    axes.axvline(_time(sitting.now), color="black", linewidth=0.8)
    since = since_of(sitting.answer.since, sitting.now) if sitting.answer is not None else None
    if since is not None and since >= sitting.drill.info.start:
        axes.axvline(_time(since), color="black", linestyle=":", linewidth=1.2)
    now = value_text(panel.at(sitting.now), panel.unit)
    axes.set_title(f"{panel.name} ({now} at your answer)", fontsize=9, loc="left")
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.3)


def _until(sitting: Sitting) -> int:
    """Return until when the boards are drawn: to the end of the evening, before the quiet night."""
    quiet = [phase.start for phase in sitting.drill.info.phases if phase.quiet]
    return max(sitting.now, min(quiet, default=sitting.drill.info.end))


def _time(at: int) -> float:
    """Return an event time (ms) in minutes since the epoch, as the axis counts."""
    return at / MINUTE_MS
