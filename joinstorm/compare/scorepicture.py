"""A scoreboard as a picture: a panel per figure, a bar per engine, a line from the least to the most of the repeats."""

import io
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Drawing

from joinstorm.compare.scorefigures import FIGURES, ScoreFigure
from joinstorm.compare.scores import Score, Scoreboard
from joinstorm.compare.scoretext import DIRECTIONS, median_text, title
from streams.visible import visible

EXACT, WRONG = "#1d6f42", "#9c1c1c"
_COLUMNS: Final = 3
_DRAWN: Final = (
    "events_per_cpu_second", "cpu_us_per_event", "peak_mib", "latency_p50_seconds", "recovery_seconds",
    "sustained_events_per_second",
)  # fmt: skip


def picture(board: Scoreboard) -> bytes:
    """Return it as a PNG; an engine that is not exact is red, whatever its speed."""
    figures = [figure for figure in FIGURES if figure.name in _DRAWN]
    rows = len(figures) // _COLUMNS
    drawing = Drawing(figsize=(13, rows * (0.9 + 0.45 * len(board.scores)) + 0.8), layout="constrained")
    FigureCanvasAgg(drawing)
    panels = drawing.subplots(rows, _COLUMNS, sharey=True)
    for axes, figure in zip(panels.flat, figures, strict=True):
        _panel(axes, figure, list(reversed(board.scores)))
    drawing.suptitle(_drawn(f"{title(board)}; {DIRECTIONS}"), fontsize=9)
    out = io.BytesIO()
    drawing.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def _panel(axes: Axes, figure: ScoreFigure, scores: list[Score]) -> None:
    spreads = [figure.spread(score) for score in scores]
    medians = [(spread.median if spread else None) or 0.0 for spread in spreads]
    colors = [EXACT if score.exact else WRONG for score in scores]
    axes.barh([_drawn(score.engine) for score in scores], medians, color=colors)
    for place, (score, spread) in enumerate(zip(scores, spreads, strict=True)):
        end = max(medians[place], (spread.most if spread else None) or 0.0)
        text = _drawn(median_text(figure, score) or "not measured")
        axes.annotate(text, (end, place), (4, 0), textcoords="offset points", fontsize=8, va="center")
        if spread and spread.least is not None and spread.most is not None and spread.most > spread.least:
            axes.plot([spread.least, spread.most], [place, place], color="#222222", linewidth=1.5)
    axes.set_title(f"{figure.head} {figure.arrow}", fontsize=9)
    axes.set_xlim(0, 1.4 * max((spread.most or 0.0 for spread in spreads if spread), default=0.0) or 1.0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(labelsize=8, bottom=False, labelbottom=False)


def _drawn(text: str) -> str:
    """Return a text that matplotlib draws as it is: no character without a picture, and no formula."""
    return visible(text).replace("$", r"\$")
