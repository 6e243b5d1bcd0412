"""The picture of the launch: rooms and waiting, the difference to the truth, joins and drops, and their ratios."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from dashboards import palette
from joinstorm.report import picturestyle as style
from joinstorm.report.pictures import KEY, TRUTH, Floats, PictureData, Stretch
from streams.contract.names import MINUTE_MS
from streams.read.derive import ResultsView
from streams.read.ledger import Ints


def launch(sight: PictureData) -> str:
    """Return the rooms and the waiting, the difference to the truth, joins and drops, and their ratios, as SVG."""
    span = launch_span(sight)
    stretch = Stretch.of(sight.grid, span)
    with style.sheet(sight.info, span, (3.2, 0.4, 1.7, 1.0, 1.0)) as sheet:
        rooms, gap, counts, success, drops = sheet.panels
        _draw_rooms(rooms, sheet.head, sight, stretch)
        _draw_gap(gap, sight, stretch)
        _draw_minutes(counts, sight, stretch)
        _draw_ratio(success, sight, stretch, join_success)
        style.percent(success, 1.05)
        style.title(success, "Join success", [("share of the attempts answered within a minute", style.INK)])
        _draw_ratio(drops, sight, stretch, drop_ratio)
        _limit_drops(drops, sight, stretch)
        style.title(drops, "Drop rate", [("share of the room thrown out within a minute", style.INK)])
        return style.svg(
            sheet.figure, "Listeners of each room and people waiting; attempts, joins, fails and drops a minute"
        )


def launch_span(sight: PictureData) -> tuple[int, int]:
    """Return the stretch of the night in which the rooms are busy, event time in ms."""
    quiet = [phase.start for phase in sight.info.phases if phase.quiet]
    busy = sum((sight.truth.audience[s].column("attempts") for s in sight.truth.spaces), sight.truth.waiting * 0)
    seen = np.flatnonzero(np.diff(busy))
    if not len(seen):
        return sight.info.start, sight.info.end
    last = sight.grid.start + (int(seen[-1]) + 1) * sight.grid.window_ms
    return sight.info.start, min([last, *quiet])


def _draw_rooms(panel: Axes, head: Axes, sight: PictureData, stretch: Stretch) -> None:
    times, colours = stretch.times(), sight.colours()
    curves = [(sight.engine.live(s), sight.truth.live(s), f"{s} room", colour) for s, colour in colours.items()]
    curves.append((sight.engine.waiting, sight.truth.waiting, "waiting", palette.WAITING))
    for engine, truth, _, colour in curves:
        panel.fill_between(times, stretch.thin(engine), color=colour, alpha=0.16, linewidth=0)
        panel.plot(times, stretch.thin(engine), color=colour)
        panel.plot(times, stretch.thin(truth), **TRUTH)
    panel.set_ylim(bottom=0, top=1.16 * max(1, *(int(engine.max()) for engine, *_ in curves)))
    for engine, _, words, colour in curves:
        index = int(engine.argmax())
        at, most = int(sight.grid.ends()[index]), int(engine[index])
        if most:
            style.label(panel, f"{words}: {most:,} at {style.clock(at)}", at, most, colour, shift=(8, 9))
    style.thousands(panel)
    style.title(head, "People", [*((words, colour) for *_, words, colour in curves), KEY])


def _draw_gap(panel: Axes, sight: PictureData, stretch: Stretch) -> None:
    gaps = [sight.engine.live(space) - sight.truth.live(space) for space in sight.engine.spaces]
    gaps.append(sight.engine.waiting - sight.truth.waiting)
    most = 0
    for gap, colour in zip(gaps, [*sight.colours().values(), palette.WAITING], strict=True):
        far = stretch.farthest(gap)
        panel.plot(stretch.times(), far, color=colour)
        most = max(most, int(np.abs(far).max()))
    panel.set_ylim(-max(most, 1) * 1.2, max(most, 1) * 1.2)
    panel.set_yticks([-most, 0, most] if most else [0])
    style.thousands(panel)
    style.title(panel, "Engine less truth", [("0 at every moment" if most == 0 else f"up to {most:,}", style.INK)])


def _draw_minutes(panel: Axes, sight: PictureData, stretch: Stretch) -> None:
    kinds = {"attempts": palette.ATTEMPT, "joins": palette.JOIN, "fails": palette.FAIL, "drops": palette.DROP}
    for view in (sight.engine, sight.truth):
        for kind, colour in kinds.items():
            total = sum((view.audience[space].column(kind) for space in view.spaces), view.waiting * 0)
            look = TRUTH if view is sight.truth else {"color": colour}
            panel.plot(*stretch.per_minute(total), **look)
    panel.set_ylim(bottom=0)
    style.thousands(panel)
    style.title(panel, "Events a minute", [*kinds.items(), KEY])


def _trailing(view: ResultsView, values: Ints) -> tuple[Ints, Ints]:
    """Return prefix sums as they were a minute before the end of every window, and what was added since."""
    step = max(1, MINUTE_MS // view.grid.window_ms)
    before = np.concatenate([np.zeros(min(step, len(values)), np.int64), values[:-step]])
    return before, values - before


def _ratio(part: Ints, whole: Ints) -> Floats:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def join_success(view: ResultsView, space: str) -> Floats:
    """Return joins / (joins + fails) of the minute before the end of every window; not a number without any."""
    joins, fails = (_trailing(view, view.audience[space].column(count))[1] for count in ("joins", "fails"))
    return _ratio(joins, joins + fails)


def drop_ratio(view: ResultsView, space: str) -> Floats:
    """Return drops / (audience a minute ago + joins since) at the end of every window; not a number while empty."""
    joins, drops = (_trailing(view, view.audience[space].column(count))[1] for count in ("joins", "drops"))
    return _ratio(drops, _trailing(view, view.live(space))[0] + joins)


def _draw_ratio(panel: Axes, sight: PictureData, stretch: Stretch, ratio: Callable[[ResultsView, str], Floats]) -> None:
    for space, colour in sight.colours().items():
        panel.plot(stretch.times(), stretch.thin(ratio(sight.engine, space)), color=colour)
        panel.plot(stretch.times(), stretch.thin(ratio(sight.truth, space)), **TRUTH)


def _limit_drops(panel: Axes, sight: PictureData, stretch: Stretch) -> None:
    """Leave out the moments in which a room is closed and everybody thrown out: they would flatten all others."""
    ratios = np.concatenate([stretch.thin(drop_ratio(sight.truth, space)) for space in sight.truth.spaces])
    seen = ratios[np.isfinite(ratios)]
    if not len(seen) or seen.max() == 0:
        style.percent(panel)
        return
    top = min(1.05, max(0.001, 2.0 * float(np.quantile(seen, 0.95))))
    style.percent(panel, top)
    if seen.max() > top:
        over = stretch.times()[int(np.nanargmax(np.nan_to_num(ratios)) % len(stretch.times()))]
        style.label(panel, f"↑ {seen.max():.0%}", over * style.DAY_MS, top * 0.88, style.INK, shift=(10, 0))
