"""The curves of the report as data: what its interactive charts draw, and what its pictures say in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dashboards import palette
from joinstorm.report import launchpicture, tweetpictures
from joinstorm.report.pictures import PictureData, Stretch
from streams.read.derive import ResultsView
from streams.read.steps import combined

MOST_POINTS: Final = 4_000
"""Points of a curve: three windows per pixel of a wide screen; further detail takes a zoom that few need."""
MOST_NUMBERS: Final = 300_000
"""Numbers of one picture, so that a night of many rooms stays a page and no download."""
COUNT, SHARE = "count", "share"


@dataclass(frozen=True)
class ChartCurve:
    """One line of a chart.

    Args:
        name: Its label.
        colour: Its colour; empty for the ink of the page.
        values: A value for each point of the chart; NaN where there is none.
        truth: The truth's values; None where a curve has no truth of its own.
        filled: The area under it is filled.
    """

    name: str
    colour: str
    values: NDArray[Any]
    truth: NDArray[Any] | None = None
    filled: bool = False


@dataclass(frozen=True)
class ChartMark:
    """A moment named on a chart; event time in ms."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart over regular points in event time.

    Args:
        title: What it shows.
        start: Event time of the first point, ms.
        step: From one point to the next, ms.
        curves: Its lines.
        unit: ``count`` or ``share``.
        low: The chart begins at 0; else it is symmetric about 0.
        top: What lies higher is cut off until the reader zooms in; None for nothing.
        marks: Moments named on it.
    """

    title: str
    start: float
    step: float
    curves: Sequence[ChartCurve]
    unit: str = COUNT
    low: bool = True
    top: float | None = None
    marks: Sequence[ChartMark] = field(default_factory=tuple)

    def at(self, index: int) -> float:
        """Return the event time of a point, ms."""
        return self.start + index * self.step

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, times in seconds; a truth equal to its curve is ``true``."""
        return {
            "title": self.title,
            "start": self.start / 1000,
            "step": self.step / 1000,
            "unit": self.unit,
            "low": self.low,
            "top": self.top,
            "marks": [{"at": mark.at / 1000, "text": mark.text} for mark in self.marks],
            "curves": [
                {
                    "name": curve.name,
                    "colour": curve.colour,
                    "filled": curve.filled,
                    "values": _numbers(curve.values, self.unit),
                    "truth": None if curve.truth is None else _truth(curve, self.unit),
                }
                for curve in self.curves
            ],
        }


def launch(data: PictureData) -> list[Chart]:
    """Return rooms and waiting, the difference from the truth, events per minute, and the two ratios."""
    stretch = _stretch(data, launchpicture.launch_span(data), 2 * (2 * len(data.rooms) + 2))
    return [
        _regular("People", stretch, [*_rooms(data, stretch)]),
        _gap(data, stretch),
        _minutes(data, stretch),
        _ratio(data, stretch, "Join success: share of the attempts of the last minute let in", success=True),
        _ratio(data, stretch, "Drop rate: share of the room dropped within a minute", success=False),
    ]


def posts(data: PictureData) -> list[Chart]:
    """Return the posts per minute by subject and the share of each stance."""
    stretch = _stretch(data, (data.info.start, data.info.end), 2 * len(data.engine.subjects))
    subjects = [
        ChartCurve(
            subject,
            palette.SUBJECTS.get(subject, palette.TRUTH),
            stretch.per_minute(data.engine.posted(subject), 5)[1],
            stretch.per_minute(data.truth.posted(subject), 5)[1],
        )
        for subject in data.engine.subjects
    ]
    shares = [
        ChartCurve(name, palette.STANCES[name], values) for name, values in tweetpictures.stance_shares(data, stretch)
    ]
    return [
        _means(f"{data.wording.posts.capitalize()} per minute", stretch, subjects, 5),
        _means("Stances, an estimate by the engine from the texts", stretch, shares, 15, unit=SHARE),
    ]


def announcement(data: PictureData) -> list[Chart]:
    """Return the reaction with its baseline; empty without an estimate."""
    found = tweetpictures.reaction_curve(data)
    if found is None:
        return []
    colour = palette.SUBJECTS.get(data.subject, palette.REACTION)
    curves = [
        ChartCurve("the reaction", colour, found.counts, found.truth, filled=True),
        ChartCurve("expected without it", palette.BASELINE, found.expected),
    ]
    title = f"{data.wording.posts.capitalize()} per minute on the announcement"
    marks = [ChartMark(at, text) for at, text in tweetpictures.moments(data)]
    return [_means(title, found.stretch, curves, 5, marks=marks)]


def _stretch(data: PictureData, span: tuple[int, int], lines: int) -> Stretch:
    points = min(MOST_POINTS, max(500, MOST_NUMBERS // max(1, lines)))
    grid = data.grid
    return Stretch(grid, grid.until(span[0]), grid.until(span[1]), points)


def _regular(title: str, stretch: Stretch, curves: Sequence[ChartCurve], **more: Any) -> Chart:
    grid = stretch.grid
    return Chart(title, grid.start + stretch.since * grid.window_ms, stretch.step * grid.window_ms, curves, **more)


def _means(title: str, stretch: Stretch, curves: Sequence[ChartCurve], minutes: int, **more: Any) -> Chart:
    grid = stretch.grid
    step = stretch.interval(minutes) * grid.window_ms
    return Chart(title, grid.start + stretch.since * grid.window_ms + step / 2, step, curves, **more)


def _rooms(data: PictureData, stretch: Stretch) -> Iterator[ChartCurve]:
    for space, colour in data.colours().items():
        engine, truth = (stretch.thin(view.live(space)) for view in (data.engine, data.truth))
        yield ChartCurve(data.wording.room.format(space), colour, engine, truth, filled=True)
    waiting, truth = stretch.thin(data.engine.waiting), stretch.thin(data.truth.waiting)
    yield ChartCurve("waiting", palette.WAITING, waiting, truth, filled=True)


def _gap(data: PictureData, stretch: Stretch) -> Chart:
    curves = [*_gaps(data, stretch)]
    most = max((int(np.abs(curve.values).max()) for curve in curves if len(curve.values)), default=0)
    return _regular(
        f"Engine minus truth: {f'up to {most:,}' if most else '0 at every moment'}", stretch, curves, low=False
    )


def _gaps(data: PictureData, stretch: Stretch) -> Iterator[ChartCurve]:
    colours = data.colours()
    for space, gap in data.gaps().items():
        yield ChartCurve(data.wording.room.format(space), colours.get(space, ""), stretch.farthest(gap))
    yield ChartCurve("waiting", palette.WAITING, stretch.farthest(data.engine.waiting - data.truth.waiting))


def _minutes(data: PictureData, stretch: Stretch) -> Chart:
    def total(view: ResultsView, kind: str) -> NDArray[np.float64]:
        return stretch.per_minute(combined([(view.audience[space].column(kind), 1) for space in view.spaces]))[1]

    curves = [
        ChartCurve(kind, colour, total(data.engine, kind), total(data.truth, kind)) for kind, colour in KINDS.items()
    ]
    return _means("Events per minute", stretch, curves, 1)


KINDS: Final[Mapping[str, str]] = {
    "attempts": palette.ATTEMPT, "joins": palette.JOIN, "fails": palette.FAIL, "drops": palette.DROP,
}  # fmt: skip


def _ratio(data: PictureData, stretch: Stretch, title: str, *, success: bool) -> Chart:
    ratio = launchpicture.join_success if success else launchpicture.drop_ratio
    curves = [
        ChartCurve(
            data.wording.room.format(space),
            colour,
            ratio(data.engine, space, stretch.places),
            ratio(data.truth, space, stretch.places),
        )
        for space, colour in data.colours().items()
    ]
    top = None if success else launchpicture.drop_limit([curve.values for curve in curves])
    if top and max(float(np.nanmax(curve.values)) for curve in curves if np.isfinite(curve.values).any()) > top:
        title = f"{title}; cut off at {top:.0%} until you zoom in"
    return _regular(title, stretch, curves, unit=SHARE, top=top)


def _truth(curve: ChartCurve, unit: str) -> bool | list[float | None]:
    assert curve.truth is not None
    return True if np.array_equal(curve.values, curve.truth, equal_nan=True) else _numbers(curve.truth, unit)


def _numbers(values: NDArray[Any], unit: str) -> list[float | None]:
    if values.dtype.kind == "i":
        whole: list[float | None] = values.tolist()
        return whole
    rounded = np.round(values, 4 if unit == SHARE else 2).tolist()
    return [None if value != value else value for value in rounded]  # noqa: PLR0124 - a NaN equals nothing
