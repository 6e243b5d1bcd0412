"""The charts of the report in words, with their figures: for readers who hear the page instead of seeing it."""

from collections.abc import Sequence

import numpy as np

from joinstorm.report.curves import SHARE, Chart, ChartCurve
from joinstorm.report.wording import Wording


def described(charts: Sequence[Chart], wording: Wording) -> str:
    """Return what the charts show: the greatest value of every line and its time."""
    return " ".join(_chart(chart, wording) for chart in charts)


def _chart(chart: Chart, wording: Wording) -> str:
    parts = [part for curve in chart.curves if (part := _curve(chart, curve, wording))]
    marks = [mark.text for mark in chart.marks]
    return f"{chart.title}: {'; '.join([*parts, *marks]) or 'nothing'}."


def _curve(chart: Chart, curve: ChartCurve, wording: Wording) -> str:
    if not len(curve.values) or np.isnan(curve.values.astype(float)).all():
        return ""
    index = int(np.nanargmax(np.abs(curve.values)))
    value = curve.values[index]
    if value == 0:
        return f"{curve.name} 0 at every moment"
    most = f"{value:.1%}" if chart.unit == SHARE else f"{value:,.0f}"
    bound = "at most " if chart.low else "up to "
    differs = (
        "" if curve.truth is None or np.array_equal(curve.values, curve.truth, equal_nan=True) else ", not the truth"
    )
    return f"{curve.name} {bound}{most} at {wording.clock(chart.at(index))}{differs}"
