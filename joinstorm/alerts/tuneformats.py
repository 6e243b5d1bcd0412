"""A tuning as text, as JSON and as a picture."""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import msgspec
from matplotlib.figure import Figure

from dashboards import palette
from joinstorm.alerts.durations import duration_text
from joinstorm.alerts.tuning import TunedPoint, Tuning, better
from streams.contract.names import MINUTE_MS
from streams.errors import UsageError

SUFFIXES: Final = (".png", ".svg")


def as_text(tuning: Tuning) -> str:
    """Return the front, and how the shipped setting compares with it."""
    shipped = tuning.shipped
    lines = [f"{tuning.alert}: {len(tuning.points)} settings, {len(shipped.score.nights)} nights", "the front:"]
    lines += [f"  {_line(tuning, point)}{'  <- as it stands' if point.shipped else ''}" for point in tuning.front]
    if shipped.best:
        return "\n".join([*lines, "As it stands it lies on the front."])
    lines += ["as it stands:", f"  {_line(tuning, shipped)}", "better in every respect or as good:"]
    return "\n".join([*lines, *(f"  {_line(tuning, point)}" for point in better(tuning))])


def _line(tuning: Tuning, point: TunedPoint) -> str:
    settings = " ".join(f"{dial.name}={value}" for dial, value in zip(tuning.dials, point.chosen, strict=True))
    detect = "never" if point.detect is None else duration_text(point.detect)
    return f"{settings}: detects after {detect}, misses {point.missed}, {point.false_pages:.2f} false pages a night"


def as_json(tuning: Tuning) -> str:
    """Return every point; times in milliseconds."""
    return msgspec.json.encode(
        {"alert": tuning.alert, "points": [_figures(tuning, point) for point in tuning.points]}
    ).decode()


def _figures(tuning: Tuning, point: TunedPoint) -> dict[str, Any]:
    return {
        "settings": {dial.name: value for dial, value in zip(tuning.dials, point.chosen, strict=True)},
        "shipped": point.shipped,
        "front": point.best,
        "detect_ms": point.detect,
        "missed": point.missed,
        "incidents": len(point.score.incidents),
        "false_pages_per_night": point.false_pages,
        "recall": point.score.recall,
        "precision": point.score.precision,
    }


def draw(tuning: Tuning, path: Path) -> None:
    """Draw detection time against false pages; the file's suffix says PNG or SVG.

    Raises:
        UsageError: The file cannot be written.
    """
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    whole = [point for point in tuning.points if point.detect is not None and not point.missed]
    partly = [point for point in tuning.points if point.detect is not None and point.missed]
    for points, words, marker in ((whole, "detects every incident", "o"), (partly, "misses some", "x")):
        axes.scatter(*_places(points), marker=marker, s=30, color=palette.TRUTH, label=words, alpha=0.7)
    front = [point for point in tuning.front if point.detect is not None]
    axes.plot(*_places(front), "o-", color=palette.GOOD, label="the front", linewidth=1.2)
    axes.scatter(*_places([tuning.shipped]), marker="*", s=220, color=palette.BAD, zorder=3, label="as it stands")
    for point in front:
        settings = "\n".join(f"{dial.name} {value}" for dial, value in zip(tuning.dials, point.chosen, strict=True))
        where = (point.false_pages, (point.detect or 0) / MINUTE_MS)
        axes.annotate(settings, where, (6, 6), textcoords="offset points", fontsize=7)
    axes.set_xlabel("false pages and flaps per night")
    axes.set_ylabel("detection time, minutes (median)")
    axes.set_title(f"{tuning.alert}: {len(tuning.points)} settings over {len(tuning.shipped.score.nights)} nights")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    try:
        with mpl.rc_context({"svg.hashsalt": "joinstorm"}):
            figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error}") from None


def _places(points: list[TunedPoint]) -> tuple[list[float], list[float]]:
    shown = [point for point in points if point.detect is not None]
    return [point.false_pages for point in shown], [(point.detect or 0) / MINUTE_MS for point in shown]
