"""A scoreboard as text, JSON, a picture and a page."""

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from joinstorm.compare.fullspeed import Throughput
from joinstorm.compare.scores import Score, Scoreboard
from streams.visible import escape, visible

_EXACT, _WRONG, _PALE = "#1d6f42", "#9c1c1c", "#9bbfaa"
_MORE, _LESS = "↑", "↓"
_DIRECTIONS: Final = f"{_MORE} more is better, {_LESS} less is better"
_WHOLE_FROM: Final = 100
"""Smaller numbers on bars have a decimal."""
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;
  background: #fff }
table { border-collapse: collapse; width: 100% } th, td { text-align: right; padding: .35rem .6rem }
th:first-child, td:first-child { text-align: left } tr { border-bottom: 1px solid #ddd } img { width: 100% }
pre { white-space: pre-wrap; font-size: .85rem } .no { color: #9c1c1c; font-weight: 600 }
p { overflow-wrap: anywhere }
@media screen and (max-width: 700px) {
  .wide { overflow-x: auto } .wide img { min-width: 820px }
  tr:first-child { display: none } tr { display: block; padding: .5rem 0 }
  td { display: flex; justify-content: space-between; gap: 1rem; padding: .1rem 0 }
  td:first-child { font-weight: 600; font-size: 1.1rem } td:empty { display: none }
  td:not(:first-child)::before { content: attr(data-head); color: #555; font-weight: 400 }
}
@media print {
  @page { size: landscape } body { margin: 0; max-width: none; font-size: 10pt }
  .wide, tr, pre { break-inside: avoid } h1, h1 + p { break-after: avoid }
}
"""


def answers(score: Score) -> str:
    """Return a short text: whether the engine's counts are right."""
    if score.throughput is None:
        return "failed"
    if score.exact:
        return "exact"
    return f"{score.mismatches:,} of {score.compared:,} differ" if score.mismatches else "incomplete"


def _number(part: Any, text: Callable[[Any], str]) -> str:
    return "" if part is None else text(part)


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"


def keeps_up_with(score: Score) -> str:
    """Return the largest load the engine kept up with, as a rate and as a speed."""
    if score.sustained is None:
        return ""
    more = "≥ " if score.sustained_limit else ""
    return f"{more}{score.sustained.events_per_second:,.0f}/s (speed {score.sustained.speed:,.0f})"


def cpu_microseconds(throughput: Throughput) -> str:
    """Return the processor time of an event as text."""
    rate = throughput.events_per_cpu_second
    return f"{1e6 / rate:,.2f}" if rate else ""


COLUMNS: Final[tuple[tuple[str, Callable[[Score], str]], ...]] = (
    ("engine", lambda score: score.engine),
    ("answers", answers),
    (
        f"events/s per CPU s {_MORE}",
        lambda score: _number(score.throughput, lambda t: f"{t.events_per_cpu_second:,.0f}"),
    ),
    (f"CPU µs an event {_LESS}", lambda score: _number(score.throughput, cpu_microseconds)),
    (f"events/s {_MORE}", lambda score: _number(score.throughput, lambda t: f"{t.events_per_second:,.0f}")),
    (f"start {_LESS}", lambda score: _number(score.throughput, lambda t: f"{t.start_seconds:.1f} s")),
    (f"memory {_LESS}", lambda score: _number(score.throughput, lambda t: f"{t.peak_mib:,.0f} MiB")),
    (f"latency 50 % {_LESS}", lambda score: _number(score.latency, lambda p: _seconds(p.p50))),
    (f"99 % {_LESS}", lambda score: _number(score.latency, lambda p: _seconds(p.p99))),
    (
        f"after kill -9 {_LESS}",
        lambda score: _number(score.recovery, lambda r: "-" if r.seconds is None else f"{r.seconds:.1f} s"),
    ),
    (f"keeps up with {_MORE}", keeps_up_with),
)


def to_text(board: Scoreboard) -> str:
    """Return it as a table for a terminal, followed by the problems."""
    table = [[head for head, _ in COLUMNS], *([cell(score) for _, cell in COLUMNS] for score in board.scores)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    lines = [
        "  ".join(
            text.ljust(width) if not column else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]
    return "\n".join([_title(board), *lines, _DIRECTIONS, *_problems(board), _made_with(board)])


def _title(board: Scoreboard) -> str:
    return (
        f"{board.events:,} events ({board.scenario}, scale {board.scale:g}, seed {board.seed}), "
        f"{board.workers} worker{'s' if board.workers > 1 else ''} each, one engine at a time"
    )


def _problems(board: Scoreboard) -> list[str]:
    problems = [f"{score.engine}: {problem}" for score in board.scores for problem in score.problems]
    return problems + [
        f"{score.engine}: the search for the sustained load was limited by {score.sustained_limit}"
        for score in board.scores
        if score.sustained_limit
    ]


def _made_with(board: Scoreboard) -> str:
    facts = [
        *(f"{name} {value}" for name, value in board.versions.items()),
        *(f"{score.engine} with {score.version}" for score in board.scores if score.version),
        *(f"{name} {value}" for name, value in board.machine.items()),
    ]
    return f"{', '.join(facts)}; {board.made}, {board.seconds:.0f} s in total"


def to_json(board: Scoreboard) -> bytes:
    """Return it as JSON, indented."""
    whole = {"exact": board.exact, **msgspec.structs.asdict(board)}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def picture(board: Scoreboard) -> bytes:
    """Return it as a PNG: a bar per engine in five panels; an engine that is not exact is red, whatever its speed."""
    figure = Figure(figsize=(13, 1.2 + 0.5 * len(board.scores)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 5, sharey=True)
    scores = list(reversed(board.scores))
    rates = [score.throughput.events_per_cpu_second if score.throughput else 0.0 for score in scores]
    _bars(panels[0], scores, "events per CPU second", rates)
    _latency_bars(panels[1], scores)
    _bars(
        panels[2], scores, "memory, MiB", [score.throughput.peak_mib if score.throughput else 0.0 for score in scores]
    )
    recoveries = [(score.recovery.seconds if score.recovery else None) or 0.0 for score in scores]
    _bars(panels[3], scores, "recovery after kill -9, s", recoveries)
    sustained = [score.sustained.events_per_second if score.sustained else 0.0 for score in scores]
    at_least = ["≥ " if score.sustained and score.sustained_limit else "" for score in scores]
    _bars(panels[4], scores, "keeps up with, events/s", sustained, at_least)
    figure.suptitle(_drawn(_title(board)), fontsize=9)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def _bars(axes: Axes, scores: list[Score], title: str, values: list[float], signs: Sequence[str] | None = None) -> None:
    bars = axes.barh(_names(scores), values, color=[_EXACT if score.exact else _WRONG for score in scores])
    labels = [sign + _label(number) for sign, number in zip(signs or [""] * len(values), values, strict=True)]
    axes.bar_label(bars, labels=labels, padding=2, fontsize=8)
    _plain_axes(axes, title, max(values, default=0.0))


def _names(scores: list[Score]) -> list[str]:
    return [_drawn(score.engine) for score in scores]


def _drawn(text: str) -> str:
    """Return a text that matplotlib draws as it is: no character without a picture, and no formula."""
    return visible(text).replace("$", r"\$")


def _label(number: float) -> str:
    return (f"{number:,.0f}" if number >= _WHOLE_FROM else f"{number:.1f}") if number else "-"


def _latency_bars(axes: Axes, scores: list[Score]) -> None:
    """Draw the median on top of the 99th percentile."""
    names = _names(scores)
    p99s = [(score.latency.p99 if score.latency else None) or 0.0 for score in scores]
    p50s = [(score.latency.p50 if score.latency else None) or 0.0 for score in scores]
    bars = axes.barh(names, p99s, color=_PALE)
    axes.barh(names, p50s, color=[_EXACT if score.exact else _WRONG for score in scores], height=0.4)
    labels = [f"{a:.2f} / {b:.2f}" if b else "-" for a, b in zip(p50s, p99s, strict=True)]
    axes.bar_label(bars, labels=labels, padding=2, fontsize=8)
    _plain_axes(axes, "latency 50 % / 99 %, s", max(p99s, default=0.0))


def _plain_axes(axes: Axes, title: str, most: float) -> None:
    axes.set_title(title, fontsize=9)
    axes.set_xlim(0, 1.45 * most or 1.0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(labelsize=8, bottom=False, labelbottom=False)


def to_html(board: Scoreboard) -> str:
    """Return it as one self-contained page."""
    head = "".join(f"<th>{escape(name)}</th>" for name, _ in COLUMNS)
    alt = escape("; ".join(map(_in_words, board.scores)))
    rows = "".join(_row(score) for score in board.scores)
    image = base64.b64encode(picture(board)).decode()
    problems = "".join(f"<pre>{escape(line)}</pre>" for line in _problems(board))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Engines compared</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style></head><body>\n<h1>Engines compared</h1>\n<p>{escape(_title(board))}</p>\n"
        f'<div class="wide"><img alt="{alt}" src="data:image/png;base64,{image}"></div>\n'
        f"<table><tr>{head}</tr>\n{rows}</table>\n<p>{_DIRECTIONS}</p>\n{problems}<p>{escape(_made_with(board))}</p>\n</body></html>\n"
    )


def _in_words(score: Score) -> str:
    """Return an engine's figures as a sentence, for readers who hear the page."""
    figures = [f"{name} {text}" for name, cell in COLUMNS[2:] if (text := cell(score))]
    return ", ".join([f"{score.engine}: {answers(score)}", *figures])


def _row(score: Score) -> str:
    wrong = "" if score.exact else " class=no"
    cells = "".join(f'<td{wrong} data-head="{escape(name)}">{escape(cell(score))}</td>' for name, cell in COLUMNS)
    return f"<tr>{cells}</tr>\n"


def write(board: Scoreboard, folder: Path) -> list[Path]:
    """Write ``compare.json``, ``.txt``, ``.png`` and ``.html`` into a folder and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "json": to_json(board),
        "txt": to_text(board).encode() + b"\n",
        "png": picture(board),
        "html": to_html(board).encode(),
    }
    paths = []
    for suffix, content in contents.items():
        path = folder / f"compare.{suffix}"
        path.write_bytes(content)
        paths.append(path)
    return paths
