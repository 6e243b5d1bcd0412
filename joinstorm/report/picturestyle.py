"""The style of the report's pictures: colours of the page's theme, phases as bands, time in UTC and US Eastern."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter

from joinstorm.report.wording import ReportClock
from streams.contract.runinfo import RunInfo
from streams.visible import escape

DAY_MS: Final = 86_400_000
INK, FAINT, BAND = "#010203", "#010204", "#010205"
"""Placeholders replaced by the page's colours, so that the pictures follow a dark theme."""
_THEME: Final = {INK: "var(--ink)", FAINT: "var(--faint)", BAND: "var(--band)"}
WIDTH: Final = 11.0
"""Inches; the page scales pictures to its column."""
LEFT, RIGHT = 0.078, 0.976
_GAP: Final = 0.6
"""Inches between panels, room for a title."""
_ROW: Final = 0.16
"""Inches per row of phase names."""
ROWS: Final = 4
_HOUR: Final = 1 / 24
_SETTINGS: Final[Any] = {
    "text.parse_math": False,  # names are plain text: a dollar sign starts no formula
    "svg.fonttype": "path",  # glyphs as shapes: the same layout on every system
    "svg.hashsalt": "joinstorm",  # reproducible byte for byte
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 8,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "grid.alpha": 0.45,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "path.simplify_threshold": 0.4,
}


@dataclass(frozen=True)
class Sheet:
    """A picture under construction.

    Args:
        figure: The whole figure.
        head: The strip with the names of the phases, right above the first panel; the first title goes above it.
        panels: The panels, top to bottom.
    """

    figure: Figure
    head: Axes
    panels: list[Axes]


@contextmanager
def sheet(
    info: RunInfo, clocks: Sequence[ReportClock], span: tuple[int, int], heights: Sequence[float]
) -> Iterator[Sheet]:
    """Yield a sheet with panels of these heights (inches), stacked over one time axis.

    Args:
        info: The run; its phases are named above the panels and shaded on them.
        clocks: The clocks shown below the last panel.
        span: Event time (ms) shown.
        heights: The heights of the panels.
    """
    with mpl.rc_context(_SETTINGS):
        names = _rows(info, span)
        ribbon = _ROW * (1 + max((row for *_, row in names), default=0))
        total = ribbon + sum(heights) + _GAP * len(heights) + 0.3
        made = Figure(figsize=(WIDTH, total), facecolor="none")
        FigureCanvasSVG(made)
        head = _panel(made, (_GAP / 2, ribbon), total, span)
        panels, top = [], _GAP / 2 + ribbon
        for height in heights:
            panels.append(_panel(made, (top, height), total, span))
            top += height + _GAP
        _name(head, names, ribbon)
        _shade(panels, info, span)
        _time_axis(panels[-1], span, clocks)
        yield Sheet(made, head, panels)


def _panel(made: Figure, place: tuple[float, float], total: float, span: tuple[int, int]) -> Axes:
    top, height = place
    panel = made.add_axes((LEFT, 1 - (top + height) / total, RIGHT - LEFT, height / total))
    panel.set_facecolor("none")
    panel.grid(visible=True, axis="y")
    panel.set_axisbelow(True)
    panel.set_xlim(when(span[0]), when(span[1]))
    panel.tick_params(axis="x", labelbottom=False, length=0)
    return panel


def svg(made: Figure, description: str) -> str:
    """Return a figure as an SVG element for a page; ``description`` is its text for screen readers."""
    out = io.StringIO()
    with mpl.rc_context(_SETTINGS):
        made.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    for placeholder, colour in _THEME.items():
        text = text.replace(placeholder, colour)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'width="100%"', text, count=1)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(description)}" ', 1)


def when(at: Any) -> Any:
    """Return event times (ms, a number or an array) in matplotlib's unit: days since the epoch."""
    return at / DAY_MS


def _time_axis(panel: Axes, span: tuple[int, int], clocks: Sequence[ReportClock]) -> None:
    """Label the time axis of a panel by each clock, one below the other, with the date where a day begins."""
    panel.xaxis.set_major_locator(_locator(when(span[1]) - when(span[0])))
    edge = when(span[0]) + 0.02 * (when(span[1]) - when(span[0]))  # room for the names of the time zones
    panel.xaxis.set_major_formatter(FuncFormatter(lambda days, _: "" if days < edge else _tick(days, clocks)))
    panel.tick_params(axis="x", labelbottom=True, length=3)
    first = f"{clocks[0].moment(when(span[0])):%-d %b %Y}"
    names = "\n".join([*(clock.name for clock in clocks), first])
    panel.annotate(names, (0, 0), (-8, -5.5), "axes fraction", "offset points", ha="right", va="top", fontsize=8)


def _tick(days: float, clocks: Sequence[ReportClock]) -> str:
    here = clocks[0].moment(days)
    date = f"\n{here:%-d %b}" if (here.hour, here.minute) == (0, 0) else ""
    return "\n".join(f"{clock.moment(days):%H:%M}" for clock in clocks) + date


def _locator(days: float) -> Any:
    """Return a tick locator with as many ticks as fit side by side."""
    locators: Any = dates  # matplotlib's locators carry no types
    for minutes in (1, 2, 5, 10, 15, 30):
        if days <= minutes / 4 * _HOUR:
            return locators.MinuteLocator(byminute=range(0, 60, minutes))
    hours = next((hours for hours in (1, 2, 3, 6, 12) if days <= hours * 15 * _HOUR), 24)
    return locators.HourLocator(byhour=range(0, 24, hours))


def thousands(panel: Axes) -> None:
    """Abbreviate the numbers of a vertical axis."""
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def short(value: float) -> str:
    """Return a number in short form, as 1.5k or 2M."""
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.3g}"


def percent(panel: Axes, top: float = 1.0) -> None:
    """Make a vertical axis show percentages."""
    panel.set_ylim(0, top)
    digits = 0 if top >= 0.05 else 1  # noqa: PLR2004 - ticks of less than one in a hundred need a digit
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.{digits}%}"))


def title(panel: Axes, text: str, keys: Sequence[tuple[str, str]] = ()) -> None:
    """Title a panel, followed by the legend of its colours."""
    panel.set_title(text)
    x = _width(text, 11, "bold") + 16
    for key, colour in keys:
        weight = "normal" if colour == INK else "bold"
        panel.annotate(
            key, (0, 1), (x, 8), "axes fraction", "offset points", color=colour, fontweight=weight, va="baseline"
        )
        x += _width(key, 9, weight) + 12


def _width(text: str, size: float, weight: str) -> float:
    """Return the width of a text in points."""
    return float(TextPath((0, 0), text, size=size, prop=FontProperties(weight=weight)).get_extents().width)


def label(panel: Axes, text: str, at: float, height: float, colour: str, *, shift: tuple[float, float]) -> None:
    """Write a text next to a point, ``shift`` points away from it."""
    panel.annotate(
        text, (when(at), height), shift, textcoords="offset points", color=colour, fontweight="bold",
        ha="left" if shift[0] >= 0 else "right", va="center", annotation_clip=True,
    )  # fmt: skip


def _shown(info: RunInfo, span: tuple[int, int]) -> list[tuple[str, int, int]]:
    """Return the visible phases, each cut to its visible part."""
    ends = [*(phase.start for phase in info.phases[1:]), info.end]
    pairs = zip(info.phases, ends, strict=True)
    whole = [(phase.name.replace("_", " "), max(phase.start, span[0]), min(end, span[1])) for phase, end in pairs]
    return [(name, begin, end) for name, begin, end in whole if begin < end]


def _rows(info: RunInfo, span: tuple[int, int]) -> list[tuple[str, int, int]]:
    """Return name, start and row of the phases whose names fit; the longest phases are placed first."""
    per_point = (span[1] - span[0]) / (WIDTH * 72 * (RIGHT - LEFT))
    taken: list[list[tuple[float, float]]] = [[] for _ in range(ROWS)]
    found = []
    for name, begin, _ in sorted(_shown(info, span), key=lambda phase: phase[1] - phase[2]):
        until = begin + (_width(name, 8, "normal") + 9) * per_point
        for row, others in enumerate(taken):
            if until <= span[1] and all(until <= left or begin >= right for left, right in others):
                others.append((begin, until))
                found.append((name, begin, row))
                break
    return found


def _name(ribbon: Axes, names: Sequence[tuple[str, int, int]], height: float) -> None:
    ribbon.axis("off")
    ribbon.set_ylim(0, height / _ROW)
    for name, begin, row in names:
        ribbon.plot([when(begin)] * 2, [0, row + 0.8], color=FAINT, linewidth=0.6, alpha=0.8)
        place = (when(begin), row + 0.4)
        ribbon.annotate(name, place, (4, 0), textcoords="offset points", fontsize=8, fontstyle="italic", va="center")


def _shade(panels: Sequence[Axes], info: RunInfo, span: tuple[int, int]) -> None:
    """Shade every other phase on all panels."""
    for number, (_, begin, end) in enumerate(_shown(info, span)):
        for panel in panels:
            panel.axvline(when(begin), color=FAINT, linewidth=0.6, alpha=0.6, zorder=0.5)
            if number % 2:
                panel.axvspan(when(begin), when(end), facecolor=BAND, linewidth=0, zorder=0)
