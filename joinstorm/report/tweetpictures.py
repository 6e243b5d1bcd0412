"""The pictures of the tweets: by subject, by stance, and the reaction to the announcement with its baseline."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from dashboards import palette
from joinstorm.report import picturestyle as style
from joinstorm.report.pictures import KEY, TRUTH, Floats, PictureData, Stretch
from streams.contract.names import MINUTE_MS
from streams.contract.results import STANCE, STANCES
from streams.effect.baseline import fit
from streams.exporter.samples import reaction_counts
from streams.read.steps import combined

STANCE_MINUTES: Final = 15
"""Minutes over which shares of stances are taken."""
_FEW: Final = 20
"""Shares of fewer tweets than this are noise, and not drawn."""


def tweets(data: PictureData, text: str) -> str:
    """Return the tweets per minute by subject and the share of each stance, as SVG; ``text`` is it in words."""
    span, posts = (data.info.start, data.info.end), data.wording.posts.capitalize()
    stretch = Stretch.of(data.grid, span)
    with style.sheet(data.info, data.wording.clocks, span, (2.2, 1.6)) as sheet:
        _draw_subjects(sheet.panels[0], data, stretch)
        subjects = {name: palette.SUBJECTS.get(name, palette.TRUTH) for name in data.engine.subjects}
        style.title(sheet.head, f"{posts} per minute", [*subjects.items(), KEY])
        _draw_stances(sheet.panels[1], data, stretch)
        return style.svg(sheet.figure, text)


def any_posts(data: PictureData) -> bool:
    """Return whether anything was written in the night."""
    return any(data.truth.posted(subject)[data.grid.windows] > 0 for subject in data.truth.subjects)


def _draw_subjects(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    below: Any = 0.0
    below_truth: Any = 0.0
    for subject in data.engine.subjects:
        times, counts = stretch.per_minute(data.engine.posted(subject), 5)
        truth = stretch.per_minute(data.truth.posted(subject), 5)[1]
        colour = palette.SUBJECTS.get(subject, palette.TRUTH)
        panel.fill_between(times, below, below + counts, color=colour, alpha=0.75, linewidth=0)
        below, below_truth = below + counts, below_truth + truth
        panel.plot(times, below_truth, **TRUTH)
    panel.set_ylim(bottom=0)
    style.thousands(panel)


def stance_shares(data: PictureData, stretch: Stretch) -> Iterator[tuple[str, Floats]]:
    """Yield the share of each stance per quarter of an hour; NaN where there are too few posts."""
    view = data.engine
    drawn = []
    for name in STANCES:
        column = combined([(view.reaction[subject].column(STANCE + name), 1) for subject in view.subjects])
        drawn.append(stretch.per_minute(column, STANCE_MINUTES)[1])
    total = np.sum(drawn, axis=0)
    for name, counts in zip(STANCES, drawn, strict=True):
        share: Floats = np.where(total * STANCE_MINUTES >= _FEW, counts / np.maximum(total, 1e-9), np.nan)
        yield name, share


def _draw_stances(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    times = stretch.per_minute(data.engine.waiting, STANCE_MINUTES)[0]
    below: Any = np.zeros_like(times)
    for name, share in stance_shares(data, stretch):
        panel.fill_between(times, below, below + share, color=palette.STANCES[name], alpha=0.75, linewidth=0)
        below = below + share
    style.percent(panel)
    keys = [(name, palette.STANCES[name]) for name in STANCES]
    style.title(panel, "Stances", [*keys, ("an estimate by the engine from the texts", style.INK)])


@dataclass(frozen=True)
class ReactionCurve:
    """What was posted on the announcement per minute, and what would have been without it.

    Args:
        stretch: The part of the night.
        times: The middles of the five-minute means, as ``picturestyle.when`` gives them.
        counts: The engine's.
        truth: The oracle's.
        expected: The baseline.
    """

    stretch: Stretch
    times: Floats
    counts: Floats
    truth: Floats
    expected: Floats


def reaction_curve(data: PictureData) -> ReactionCurve | None:
    """Return the reaction with its baseline from two hours before the announcement on; None without an estimate."""
    announced, grid = data.info.announced, data.grid
    if data.reaction is None or announced is None:
        return None
    stretch = Stretch.of(grid, (max(data.info.start, announced - 2 * 60 * MINUTE_MS), data.info.end))
    times, counts = stretch.per_minute(data.engine.posted(data.subject), 5)
    truth = stretch.per_minute(data.truth.posted(data.subject), 5)[1]
    before, width_ms = reaction_counts(data.engine, data.subject, grid.until(announced))
    baseline = fit(before.astype(float), grid.start + len(before) * width_ms, width_ms)
    expected = baseline.expected(times * style.DAY_MS, MINUTE_MS).astype(np.float64)
    return ReactionCurve(stretch, times, counts, truth, expected)


def moments(data: PictureData) -> Iterator[tuple[float, str]]:
    """Yield the peak of the reaction and the moment by which half of it had arrived, event time in ms."""
    found = data.reaction
    if found is None or found.peak is None or found.half_life_ms is None:
        return
    peak, half = found.peak.value, found.peak.value + found.half_life_ms.value
    yield peak, f"peak at {data.wording.clock(peak)}"
    yield half, f"half of the excess had arrived by {data.wording.clock(half)}"


def announcement(data: PictureData, text: str) -> str | None:
    """Return the reaction with its baseline, peak and half-life, as SVG; None without an estimate.

    ``text`` is the picture in words.
    """
    curve = reaction_curve(data)
    if curve is None:
        return None
    posts, info, grid = data.wording.posts.capitalize(), data.info, data.grid
    span = (grid.start + curve.stretch.since * grid.window_ms, info.end)
    with style.sheet(info, data.wording.clocks, span, (2.6,)) as sheet:
        _draw_reaction(sheet.panels[0], data, curve)
        _mark(sheet.panels[0], data)
        colour = palette.SUBJECTS.get(data.subject, palette.REACTION)
        keys = [("the reaction", colour), ("expected without it", palette.BASELINE), KEY]
        style.title(sheet.head, f"{posts} per minute on the announcement", keys)
        return style.svg(sheet.figure, text)


def _draw_reaction(panel: Axes, data: PictureData, curve: ReactionCurve) -> None:
    colour = palette.SUBJECTS.get(data.subject, palette.REACTION)
    times, counts, expected = curve.times, curve.counts, curve.expected
    panel.fill_between(times, expected, np.maximum(counts, expected), color=colour, alpha=0.25, linewidth=0)
    panel.plot(times, counts, color=colour)
    panel.plot(times, curve.truth, **TRUTH)
    panel.plot(times, expected, color=palette.BASELINE, linewidth=2.2)
    panel.set_ylim(bottom=0, top=1.12 * max(1.0, float(counts.max())))
    style.thousands(panel)


def _mark(panel: Axes, data: PictureData) -> None:
    top = panel.get_ylim()[1]
    for (at, text), height in zip(moments(data), (0.95, 0.72), strict=False):
        panel.axvline(style.when(at), color=style.INK, linewidth=0.8, linestyle=(0, (4, 3)), ymax=height)
        style.label(panel, text, at, top * height, style.INK, shift=(6, -4))
