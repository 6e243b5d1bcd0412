"""The interactive part of the report: uPlot, its style and the data of the charts, all inside the page."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from joinstorm.report.curves import Chart
from joinstorm.report.pictures import PictureData
from joinstorm.report.wording import ReportClock
from streams.contract.runinfo import RunInfo
from streams.visible import escape

_FOLDER: Final = "interactive"
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
LIBRARY: Final = "uplot-1.6.32.min"
"""uPlot (MIT, ``uplot-LICENSE``): 51 kB, and what Grafana itself draws its time series with."""
_BUTTONS: Final = (("in", "+", "Zoom in"), ("out", "\N{MINUS SIGN}", "Zoom out"), ("whole", "Whole", "Show everything"))


@dataclass(frozen=True)
class Plot:
    """The charts of one picture, which share a cursor, a slider and a zoom.

    Args:
        id: Names it in the page.
        charts: From top to bottom.
        text: Their content in words.
    """

    id: str
    charts: Sequence[Chart]
    text: str


def place(plot: Plot) -> str:
    """Return the part of the page in which a plot is drawn; hidden where no script runs."""
    buttons = "".join(
        f'<button type="button" data-do="{do}" aria-label="{label}" title="{label}">{sign}</button>'
        for do, sign, label in _BUTTONS
    )
    charts = "".join(
        f'<h3>{escape(chart.title)}</h3><div class="chart" data-chart="{number}"></div>'
        for number, chart in enumerate(plot.charts)
    )
    return (
        f'<div class="live" id="live-{plot.id}" role="group" aria-label="{escape(plot.text)}" hidden>\n'
        f'<div class="deck"><output>\N{NO-BREAK SPACE}</output>'
        f'<label>Moment <input type="range" value="0"></label><span>{buttons}</span></div>\n{charts}</div>'
    )


def scripts(data: PictureData, plots: Sequence[Plot]) -> str:
    """Return the script elements: the data, the library, and what draws the one with the other."""
    content = json.dumps(_content(data, plots), separators=(",", ":"), ensure_ascii=True)
    # Inside a script element only "</script" and "<!--" have a meaning; without "<" there is neither.
    content = content.replace("<", "\\u003c")
    return f'<script type="application/json" id="curves">{content}</script>\n' + "".join(
        f"<script>{code}</script>\n" for code in _code()
    )


def style() -> str:
    """Return the library's style sheet."""
    return _text(f"{LIBRARY}.css")


def policy() -> str:
    """Return the page's content security policy: its own scripts run, nothing else does, and nothing is fetched."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" for code in _code()
    )
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:"


def _code() -> tuple[str, str]:
    return _text(f"{LIBRARY}.js"), _text("report.js")


def _text(name: str) -> str:
    return resources.files("joinstorm.report").joinpath(_FOLDER, name).read_text(encoding="utf-8")


def _names(clock: ReportClock, info: RunInfo) -> list[tuple[float, str]]:
    """Return the short names of a clock's zone in the night, each with the time (s) from which it holds."""
    found: list[tuple[float, str]] = []
    for at in range(info.start, info.end + 1, _HOUR_MS):
        name = clock.short or f"{clock.moment(at / _DAY_MS):%Z}"
        if not found or found[-1][1] != name:
            found.append((at / 1000, name))
    return found


def _content(data: PictureData, plots: Sequence[Plot]) -> dict[str, Any]:
    return {
        "clocks": [{"zone": str(clock.zone), "names": _names(clock, data.info)} for clock in data.wording.clocks],
        "phases": [{"at": phase.start / 1000, "name": phase.name.replace("_", " ")} for phase in data.info.phases],
        "plots": [{"id": plot.id, "charts": [chart.as_json() for chart in plot.charts]} for plot in plots],
    }
