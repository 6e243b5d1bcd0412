"""The picture of the launch: rooms and waiting, the difference from the truth, joins and drops, and their ratios."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

from dashboards import palette
from joinstorm.report import picturestyle as style
from joinstorm.report.pictures import KEY, TRUTH, Floats, PictureData, Stretch
from streams.contract.names import MINUTE_MS
from streams.read.derive import ResultsView
from streams.read.steps import Ints, Steps, combined


def launch(data: PictureData, text: str) -> str:
    """Return rooms and waiting, the difference from the truth, joins and drops, and their ratios, as SVG.

    ``text`` is the picture in words.
    """
    span = launch_span(data)
    stretch = Stretch.of(data.grid, span)
    with style.sheet(data.info, data.wording.clocks, span, (3.2, 0.4, 1.7, 1.0, 1.0)) as sheet:
        rooms, gap, counts, success, drops = sheet.panels
        _draw_rooms(rooms, sheet.head, data, stretch)
        _draw_gap(gap, data, stretch)
        _draw_minutes(counts, data, stretch)
        _draw_ratio(success, data, stretch, join_success)
        style.percent(success, 1.05)
        style.title(success, "Join success", [("share of the attempts of the last minute let in", style.INK)])
        _draw_ratio(drops, data, stretch, drop_ratio)
        _limit_drops(drops, data, stretch)
        style.title(drops, "Drop rate", [("share of the room dropped within a minute", style.INK)])
        return style.svg(sheet.figure, text)


def launch_span(data: PictureData) -> tuple[int, int]:
    """Return the part of the night in which the rooms are busy, event time in ms."""
    quiet = [phase.start for phase in data.info.phases if phase.quiet]
    busy = [data.truth.audience[space].column("attempts").changed()[0] for space in data.truth.spaces]
    last = max((int(windows[-1]) for windows in busy if len(windows)), default=None)
    if last is None:
        return data.info.start, data.info.end
    return data.info.start, min([data.grid.start + (last + 1) * data.grid.window_ms, *quiet])


def _draw_rooms(panel: Axes, head: Axes, data: PictureData, stretch: Stretch) -> None:
    times, colours = stretch.times(), data.colours()
    curves = [
        (data.engine.live(s), data.truth.live(s), data.wording.room.format(s), colour) for s, colour in colours.items()
    ]
    curves.append((data.engine.waiting, data.truth.waiting, "waiting", palette.WAITING))
    for engine, truth, _, colour in curves:
        panel.fill_between(times, stretch.thin(engine), color=colour, alpha=0.16, linewidth=0)
        panel.plot(times, stretch.thin(engine), color=colour)
        panel.plot(times, stretch.thin(truth), **TRUTH)
    panel.set_ylim(bottom=0, top=1.16 * max(1, *(engine.peak()[0] for engine, *_ in curves)))
    for engine, _, name, colour in curves:
        most, until = engine.peak()
        at = data.grid.start + until * data.grid.window_ms
        if most:
            style.label(panel, f"{name}: {most:,} at {data.wording.clock(at)}", at, most, colour, shift=(8, 9))
    style.thousands(panel)
    more = [(f"and {data.not_shown:,} smaller rooms, not shown", style.INK)] if data.not_shown else []
    style.title(head, "People", [*((name, colour) for *_, name, colour in curves), *more, KEY])


def _draw_gap(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    gaps = data.gaps()
    colours = data.colours()
    most = _draw_farthest(panel, stretch, data.engine.waiting - data.truth.waiting, palette.WAITING)
    for space, gap in gaps.items():
        most = max(most, _draw_farthest(panel, stretch, gap, colours.get(space, style.INK)))
    panel.set_ylim(-max(most, 1) * 1.2, max(most, 1) * 1.2)
    panel.set_yticks([-most, 0, most] if most else [0])
    style.thousands(panel)
    style.title(panel, "Engine minus truth", [("0 at every moment" if most == 0 else f"up to {most:,}", style.INK)])


def _draw_farthest(panel: Axes, stretch: Stretch, gap: Steps, colour: str) -> int:
    """Draw a difference, and return how far it is from zero."""
    far = stretch.farthest(gap)
    panel.plot(stretch.times(), far, color=colour)
    return int(np.abs(far).max())


def _draw_minutes(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    kinds = {"attempts": palette.ATTEMPT, "joins": palette.JOIN, "fails": palette.FAIL, "drops": palette.DROP}
    for view, truth in ((data.engine, False), (data.truth, True)):
        for kind, colour in kinds.items():
            total = combined([(view.audience[space].column(kind), 1) for space in view.spaces])
            line = TRUTH if truth else {"color": colour}
            panel.plot(*stretch.per_minute(total), **line)
    panel.set_ylim(bottom=0)
    style.thousands(panel)
    style.title(panel, "Events per minute", [*kinds.items(), KEY])


def _minute(view: ResultsView, space: str, count: str, points: Ints) -> Ints:
    """Return a count of the minute before each point."""
    column = view.audience[space].column(count)
    return column[points] - column[_minute_ago(view, points)]


def _minute_ago(view: ResultsView, points: Ints) -> Ints:
    return np.maximum(0, points - max(1, MINUTE_MS // view.grid.window_ms))


def _ratio(part: Ints, whole: Ints) -> Floats:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def join_success(view: ResultsView, space: str, points: Ints) -> Floats:
    """Return joins / (joins + fails) of the minute before each point; NaN where there are none."""
    joins, fails = (_minute(view, space, count, points) for count in ("joins", "fails"))
    return _ratio(joins, joins + fails)


def drop_ratio(view: ResultsView, space: str, points: Ints) -> Floats:
    """Return drops / (audience a minute ago + joins since) at each point; NaN while the room is empty."""
    joins, drops = (_minute(view, space, count, points) for count in ("joins", "drops"))
    return _ratio(drops, view.live(space)[_minute_ago(view, points)] + joins)


def _draw_ratio(
    panel: Axes, data: PictureData, stretch: Stretch, ratio: Callable[[ResultsView, str, Ints], Floats]
) -> None:
    for space, colour in data.colours().items():
        panel.plot(stretch.times(), ratio(data.engine, space, stretch.places), color=colour)
        panel.plot(stretch.times(), ratio(data.truth, space, stretch.places), **TRUTH)


def _limit_drops(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    """Cut off the moments in which a closed room drops everyone: they would flatten all others."""
    ratios = np.concatenate([drop_ratio(data.truth, space, stretch.places) for space in data.colours()])
    top = drop_limit([ratios])
    style.percent(panel, top or 1.0)
    seen = ratios[np.isfinite(ratios)]
    if top and seen.max() > top:
        over = stretch.times()[int(np.nanargmax(np.nan_to_num(ratios)) % len(stretch.times()))]
        style.label(panel, f"↑ {seen.max():.0%}", over * style.DAY_MS, top * 0.88, style.INK, shift=(10, 0))


def drop_limit(ratios: Sequence[Floats]) -> float | None:
    """Return where to cut off drop rates, about twice what all but the highest twentieth are; None without drops."""
    seen = np.concatenate([one[np.isfinite(one)] for one in ratios]) if ratios else np.zeros(0)
    if not len(seen) or seen.max() == 0:
        return None
    return min(1.05, max(0.001, 2.0 * float(np.quantile(seen, 0.95))))
