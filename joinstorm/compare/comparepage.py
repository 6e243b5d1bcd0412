"""A scoreboard as one self-contained page, for a wide screen, a phone and paper."""

from typing import Final

from joinstorm.compare.scorefigures import FIGURES, PROPERTIES, ScoreFigure, meaning
from joinstorm.compare.scores import Score, Scoreboard
from joinstorm.compare.scoretext import (
    DIRECTIONS,
    conditions,
    made_with,
    median_text,
    problems,
    range_text,
    title,
)
from streams.visible import escape

_STYLE: Final = """
:root { color-scheme: light; --exact: #1d6f42; --wrong: #9c1c1c; --pale: #e8ece9; --soft: #555 }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;
  background: #fff; overflow-wrap: anywhere }
h1 { margin-bottom: .2rem } h2 { margin-top: 2.2rem } h3 { font-size: 1rem; margin: 0 }
h3 small { font-weight: 400; color: var(--soft) }
p { margin: .3rem 0 } .soft { color: var(--soft); font-size: .875em }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .8rem .35rem 0;
  vertical-align: top } th { font-weight: 600; font-size: .875em } tbody tr { border-top: 1px solid #ddd }
.wrong { color: var(--wrong); font-weight: 600 } .right { color: var(--exact); font-weight: 600 }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 2rem 3rem }
.row { display: grid; grid-template-columns: 7.5rem 1fr 9.5rem; gap: .1rem .8rem; align-items: center;
  padding: .2rem 0 }
.value { text-align: right; font-variant-numeric: tabular-nums } .value small { display: block; color: var(--soft) }
.bar { position: relative; height: .9rem; background: var(--pale) }
.bar i { position: absolute; inset: 0 auto 0 0; background: var(--exact); print-color-adjust: exact;
  -webkit-print-color-adjust: exact } .bar i.no { background: var(--wrong) }
.bar b { position: absolute; top: 50%; height: 2px; margin-top: -1px; background: #111; min-width: 2px;
  print-color-adjust: exact; -webkit-print-color-adjust: exact }
dl { margin: 0 } dt { font-weight: 600; margin-top: .8rem } dd { margin: .1rem 0 }
pre { white-space: pre-wrap; font-size: .8rem; background: #f6f6f6; padding: .6rem }
@media screen and (max-width: 640px) {
  body { margin: 1rem auto } .row { grid-template-columns: 1fr auto } .row .bar { grid-column: 1 / -1; order: 3 }
  .row span:empty { display: none }
  thead { display: none } tbody tr { display: block; padding: .6rem 0 }
  td { display: flex; justify-content: space-between; gap: 1rem; padding: .1rem 0 } td:empty { display: none }
  td:first-child { font-weight: 600; font-size: 1.1rem }
  td:not(:first-child)::before { content: attr(data-head); color: var(--soft); font-weight: 400 }
}
@media print {
  @page { margin: 14mm } html, body { font-size: 9.5pt } body { margin: 0; max-width: none; padding: 0 }
  .figures { grid-template-columns: 1fr 1fr; gap: 1rem 1.5rem } h2 { margin-top: 1.4rem }
  .row { grid-template-columns: 8rem 1fr 9rem; padding: 0 }
  .figure, tr, dt, dd, pre { break-inside: avoid } h1, h2, dt { break-after: avoid }
}
"""


def to_html(board: Scoreboard) -> str:
    """Return the page."""
    figures = "\n".join(_figure(one, board) for one in FIGURES if any(one.spread(score) for score in board.scores))
    troubles = "".join(f"<pre>{escape(line)}</pre>" for line in problems(board))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Engines compared</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style></head><body>\n<h1>Engines compared</h1>\n<p>{escape(title(board))}</p>\n"
        f"<p>{escape(conditions(board))}. A line over a bar goes from the least to the most.</p>\n"
        f'<p class="soft">{escape(made_with(board))}</p>\n'
        f"<h2>Answers</h2>\n{_answers(board)}\n<h2>Figures</h2>\n<p>{DIRECTIONS}. An engine that is not exact is red, "
        f'whatever its speed.</p>\n<div class="figures">\n{figures}\n</div>\n'
        f"<h2>How each engine is set up</h2>\n{_setups(board)}\n"
        + (f"<h2>What went wrong, and what was the limit</h2>\n{troubles}\n" if troubles else "")
        + "</body></html>\n"
    )


def _answers(board: Scoreboard) -> str:
    """Return the properties as a table, and what they mean."""
    shown = [one for one in PROPERTIES if any(one.value(score) for score in board.scores)]
    heads = "".join(f"<th>{escape(name)}</th>" for name in ("engine", *(one.head for one in shown)))
    rows = []
    for score in board.scores:
        cells = [_cell(one.head, one.value(score)) for one in shown]
        rows.append(f"<tr><td>{escape(score.engine)}</td>{''.join(cells)}</tr>\n")
    texts = "; ".join(f"{one.head}: {meaning(one, board)}" for one in shown)
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n{''.join(rows)}</tbody></table>\n"
        f'<p class="soft">{escape(texts)}.</p>'
    )


def _cell(name: str, text: str) -> str:
    kind = "right" if text == "exact" else "wrong" if text.endswith(("differ", "failed", "incomplete")) else ""
    return f'<td class="{kind}" data-head="{escape(name)}">{escape(text)}</td>'


def _figure(one: ScoreFigure, board: Scoreboard) -> str:
    spreads = [one.spread(score) for score in board.scores]
    most = max((spread.most or 0.0 for spread in spreads if spread), default=0.0) or 1.0
    rows = "\n".join(_row(one, score, most) for score in board.scores)
    better = f"{one.arrow} {one.better} is better"
    return (
        f'<section class="figure"><h3>{escape(one.head)} <small>{better}</small></h3>\n'
        f'<p class="soft">{escape(meaning(one, board))}</p>\n{rows}</section>'
    )


def _row(one: ScoreFigure, score: Score, most: float) -> str:
    """Return an engine's row: its name, its bar and its figure."""
    spread, median = one.spread(score), median_text(one, score) or "not measured"
    bar = ""
    if spread and spread.median is not None:
        bar = f'<i{"" if score.exact else " class=no"} style="width:{spread.median / most:.2%}"></i>'
        if len(score.turns) > 1 and spread.least is not None and spread.most is not None:
            left, width = spread.least / most, (spread.most - spread.least) / most
            bar += f'<b style="left:{left:.2%};width:{width:.2%}"></b>'
    whole = f'<span class="bar" aria-hidden="true">{bar}</span>' if bar else "<span></span>"
    between = range_text(one, score)
    small = f"<small>{escape(between)}</small>" if between else ""
    return (
        f'<div class="row"><span>{escape(score.engine)}</span>{whole}'
        f'<span class="value">{escape(median)}{small}</span></div>'
    )


def _setups(board: Scoreboard) -> str:
    entries = []
    for score in board.scores:
        texts = "".join(f"<dd>{escape(line)}</dd>" for line in score.setup.lines())
        entries.append(f"<dt>{escape(score.engine)}</dt>{texts or '<dd>Not known.</dd>'}")
    return f"<dl>{''.join(entries)}</dl>"
