"""The picture of the launch: rooms and waiting, the difference from the truth, joins and drops, and their ratios."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

from dashboards import palette
from joinstorm.report import picturestyle as style
from joinstorm.report.pictures import KEY, TRUTH, Floats, PictureData, Stretch
from streams.contract.names import MINUTE_MS
from streams.read.derive import ResultsView
from streams.read.ledger import Ints


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
    busy = sum((data.truth.audience[s].column("attempts") for s in data.truth.spaces), data.truth.waiting * 0)
    seen = np.flatnonzero(np.diff(busy))
    if not len(seen):
        return data.info.start, data.info.end
    last = data.grid.start + (int(seen[-1]) + 1) * data.grid.window_ms
    return data.info.start, min([last, *quiet])


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
    panel.set_ylim(bottom=0, top=1.16 * max(1, *(int(engine.max()) for engine, *_ in curves)))
    for engine, _, name, colour in curves:
        index = int(engine.argmax())
        at, most = int(data.grid.ends()[index]), int(engine[index])
        if most:
            style.label(panel, f"{name}: {most:,} at {data.wording.clock(at)}", at, most, colour, shift=(8, 9))
    style.thousands(panel)
    style.title(head, "People", [*((name, colour) for *_, name, colour in curves), KEY])


def _draw_gap(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    gaps = [data.engine.live(space) - data.truth.live(space) for space in data.engine.spaces]
    gaps.append(data.engine.waiting - data.truth.waiting)
    most = 0
    for gap, colour in zip(gaps, [*data.colours().values(), palette.WAITING], strict=True):
        far = stretch.farthest(gap)
        panel.plot(stretch.times(), far, color=colour)
        most = max(most, int(np.abs(far).max()))
    panel.set_ylim(-max(most, 1) * 1.2, max(most, 1) * 1.2)
    panel.set_yticks([-most, 0, most] if most else [0])
    style.thousands(panel)
    style.title(panel, "Engine minus truth", [("0 at every moment" if most == 0 else f"up to {most:,}", style.INK)])


def _draw_minutes(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    kinds = {"attempts": palette.ATTEMPT, "joins": palette.JOIN, "fails": palette.FAIL, "drops": palette.DROP}
    for view, truth in ((data.engine, False), (data.truth, True)):
        for kind, colour in kinds.items():
            total = sum((view.audience[space].column(kind) for space in view.spaces), view.waiting * 0)
            line = TRUTH if truth else {"color": colour}
            panel.plot(*stretch.per_minute(total), **line)
    panel.set_ylim(bottom=0)
    style.thousands(panel)
    style.title(panel, "Events per minute", [*kinds.items(), KEY])


def _trailing(view: ResultsView, values: Ints) -> tuple[Ints, Ints]:
    """Return the prefix sums a minute before the end of every window, and the growth since."""
    step = max(1, MINUTE_MS // view.grid.window_ms)
    before = np.concatenate([np.zeros(min(step, len(values)), np.int64), values[:-step]])
    return before, values - before


def _ratio(part: Ints, whole: Ints) -> Floats:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def join_success(view: ResultsView, space: str) -> Floats:
    """Return joins / (joins + fails) of the minute before the end of every window; NaN where there are none."""
    joins, fails = (_trailing(view, view.audience[space].column(count))[1] for count in ("joins", "fails"))
    return _ratio(joins, joins + fails)


def drop_ratio(view: ResultsView, space: str) -> Floats:
    """Return drops / (audience a minute ago + joins since) at the end of every window; NaN while the room is empty."""
    joins, drops = (_trailing(view, view.audience[space].column(count))[1] for count in ("joins", "drops"))
    return _ratio(drops, _trailing(view, view.live(space))[0] + joins)


def _draw_ratio(panel: Axes, data: PictureData, stretch: Stretch, ratio: Callable[[ResultsView, str], Floats]) -> None:
    for space, colour in data.colours().items():
        panel.plot(stretch.times(), stretch.thin(ratio(data.engine, space)), color=colour)
        panel.plot(stretch.times(), stretch.thin(ratio(data.truth, space)), **TRUTH)


def _limit_drops(panel: Axes, data: PictureData, stretch: Stretch) -> None:
    """Cut off the moments in which a closed room drops everyone: they would flatten all others."""
    ratios = np.concatenate([stretch.thin(drop_ratio(data.truth, space)) for space in data.truth.spaces])
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
