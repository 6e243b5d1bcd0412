"""The pictures of the tweets: by subject, by stance, and the reaction to the announcement with its baseline."""

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from dashboards import palette
from joinstorm.report import picturestyle as style
from joinstorm.report.pictures import KEY, TRUTH, PictureData, Stretch
from joinstorm.report.wording import Wording
from streams.contract.names import MINUTE_MS
from streams.contract.results import STANCE, STANCES
from streams.effect.baseline import fit
from streams.effect.estimate import ReactionEstimate
from streams.read.derive import POSTED, ResultsView
from streams.read.ledger import Ints

_FEW: Final = 20
"""Shares of fewer tweets than this are noise, and not drawn."""


def tweets(data: PictureData) -> str:
    """Return the tweets per minute by subject and the share of each stance, as SVG."""
    span, posts = (data.info.start, data.info.end), data.wording.posts.capitalize()
    stretch = Stretch.of(data.grid, span)
    with style.sheet(data.info, data.wording.clocks, span, (2.2, 1.6)) as sheet:
        _draw_subjects(sheet.panels[0], data, stretch)
        subjects = {name: palette.SUBJECTS.get(name, palette.TRUTH) for name in data.engine.subjects}
        style.title(sheet.head, f"{posts} per minute", [*subjects.items(), KEY])
        _draw_stances(sheet.panels[1], data, stretch)
        return style.svg(sheet.figure, f"{posts} per minute by subject, and the share of each stance")


def any_posts(data: PictureData) -> bool:
    """Return whether anything was written in the night."""
    return any(_posted(data.truth, subject)[-1] > 0 for subject in data.truth.subjects)


def _posted(view: ResultsView, subject: str) -> Ints:
    return sum((view.reaction[subject].column(kind) for kind in POSTED), view.waiting * 0)


def _draw_subjects(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    below: Any = 0.0
    below_truth: Any = 0.0
    for subject in data.engine.subjects:
        times, counts = stretch.per_minute(_posted(data.engine, subject), 5)
        truth = stretch.per_minute(_posted(data.truth, subject), 5)[1]
        colour = palette.SUBJECTS.get(subject, palette.TRUTH)
        panel.fill_between(times, below, below + counts, color=colour, alpha=0.75, linewidth=0)
        below, below_truth = below + counts, below_truth + truth
        panel.plot(times, below_truth, **TRUTH)
    panel.set_ylim(bottom=0)
    style.thousands(panel)


def _draw_stances(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    view, minutes = data.engine, 15
    drawn = []
    for name in STANCES:
        column = sum((view.reaction[subject].column(STANCE + name) for subject in view.subjects), view.waiting * 0)
        drawn.append(stretch.per_minute(column, minutes))
    total = np.sum([counts for _, counts in drawn], axis=0)
    below = np.zeros_like(total)
    for (times, counts), name in zip(drawn, STANCES, strict=True):
        share = np.where(total * minutes >= _FEW, counts / np.maximum(total, 1e-9), np.nan)
        panel.fill_between(times, below, below + share, color=palette.STANCES[name], alpha=0.75, linewidth=0)
        below = below + share
    style.percent(panel)
    keys = [(name, palette.STANCES[name]) for name in STANCES]
    style.title(panel, "Stances", [*keys, ("an estimate by the engine from the texts", style.INK)])


def announcement(data: PictureData) -> str | None:
    """Return the reaction with its baseline, peak and half-life, as SVG; None without an estimate."""
    found, announced = data.reaction, data.info.announced
    if found is None or announced is None:
        return None
    posts = data.wording.posts.capitalize()
    span = (max(data.info.start, announced - 2 * 60 * MINUTE_MS), data.info.end)
    with style.sheet(data.info, data.wording.clocks, span, (2.6,)) as sheet:
        _draw_reaction(sheet.panels[0], data, Stretch.of(data.grid, span), announced)
        _mark(sheet.panels[0], found, data.wording)
        colour = palette.SUBJECTS.get(data.subject, palette.REACTION)
        keys = [("the reaction", colour), ("expected without it", palette.BASELINE), KEY]
        style.title(sheet.head, f"{posts} per minute on the announcement", keys)
        return style.svg(sheet.figure, f"{posts} per minute on the announcement, and the baseline without it")


def _draw_reaction(panel: Axes, data: PictureData, stretch: Stretch, announced: int) -> None:
    colour, grid = palette.SUBJECTS.get(data.subject, palette.REACTION), data.grid
    sums = _posted(data.engine, data.subject)
    times, counts = stretch.per_minute(sums, 5)
    first = grid.until(announced)
    baseline = fit(np.diff(sums[: first + 1]).astype(float), grid.start + first * grid.window_ms, grid.window_ms)
    expected = baseline.expected(times * style.DAY_MS, MINUTE_MS)
    panel.fill_between(times, expected, np.maximum(counts, expected), color=colour, alpha=0.25, linewidth=0)
    panel.plot(times, counts, color=colour)
    panel.plot(times, stretch.per_minute(_posted(data.truth, data.subject), 5)[1], **TRUTH)
    panel.plot(times, expected, color=palette.BASELINE, linewidth=2.2)
    panel.set_ylim(bottom=0, top=1.12 * max(1.0, float(counts.max())))
    style.thousands(panel)


def _mark(panel: Axes, found: ReactionEstimate, wording: Wording) -> None:
    if found.peak is None or found.half_life_ms is None:
        return
    top, peak, half = panel.get_ylim()[1], found.peak.value, found.peak.value + found.half_life_ms.value
    for at, height, text in (
        (peak, 0.95, f"peak at {wording.clock(peak)}"),
        (half, 0.72, f"half of the excess had arrived by {wording.clock(half)}"),
    ):
        panel.axvline(style.when(at), color=style.INK, linewidth=0.8, linestyle=(0, (4, 3)), ymax=height)
        style.label(panel, text, at, top * height, style.INK, shift=(6, -4))
