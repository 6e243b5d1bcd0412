"""A scoreboard as text: a row per figure, a column per engine, as many side by side as the terminal holds."""

import textwrap
from collections.abc import Iterator
from typing import Final

from joinstorm.compare.fullspeed import SHORT
from joinstorm.compare.scorefigures import FIGURES, PROPERTIES, Property, ScoreFigure, at_least, meaning
from joinstorm.compare.scores import Score, Scoreboard

WIDTH: Final = 80
"""Columns of a terminal that is not known to be wider."""
_GAP: Final = 2
DIRECTIONS: Final = "↑ more is better, ↓ less is better"


def to_text(board: Scoreboard, width: int = WIDTH) -> str:
    """Return it as tables of at most so many columns, and below them what everything means."""
    lines = [*wrapped(title(board), width), *wrapped(conditions(board), width), ""]
    for block in _blocks(board, width):
        lines += [*block, ""]
    lines += [DIRECTIONS, *(line for text in definitions(board) for line in wrapped(text, width))]
    for score in board.scores:
        if not score.setup.lines():
            continue
        lines += ["", *wrapped(" ".join([f"{score.engine}:", *score.setup.lines()]), width)]
    lines += [""] if problems(board) else []
    lines += problems(board)
    return "\n".join([*lines, "", *wrapped(made_with(board), width)])


def title(board: Scoreboard) -> str:
    """Return which night was counted."""
    seed = f"seed {board.seed} (of the {board.seed_from})"
    return f"{board.events:,} events: {board.scenario}, scale {board.scale:g}, {seed}"


def conditions(board: Scoreboard) -> str:
    """Return how it was counted."""
    workers = f"{board.workers} worker{'s' if board.workers > 1 else ''} each"
    repeats = (
        f"medians of {board.repeats} repeats, with the least and the most" if board.repeats > 1 else "measured once"
    )
    interrupted = "; interrupted, so that what was not measured is empty" if board.interrupted else ""
    return f"One engine at a time, {workers}, all on the same topics; {repeats}{interrupted}"


def definitions(board: Scoreboard) -> list[str]:
    """Return what the rows mean that the table has."""
    rows: list[ScoreFigure | Property] = [one for one in PROPERTIES if any(map(one.value, board.scores))]
    rows += [one for one in FIGURES if any(map(one.spread, board.scores))]
    return [f"{head(one)}: {meaning(one, board)}." for one in rows]


def head(one: ScoreFigure | Property) -> str:
    """Return the head of a row."""
    return f"{one.head} {one.arrow}" if isinstance(one, ScoreFigure) else one.head


def median_text(one: ScoreFigure, score: Score) -> str:
    """Return an engine's median of a figure; empty where it was not measured."""
    spread = one.spread(score)
    if spread is None:
        return ""
    return at_least(one, score) + one.text(spread.median)


def range_text(one: ScoreFigure, score: Score) -> str:
    """Return an engine's range of a figure; empty where it was not measured more than once."""
    spread = one.spread(score)
    if spread is None or len(score.turns) == 1:
        return ""
    return f"{one.text(spread.least)} - {one.text(spread.most)}"


def problems(board: Scoreboard) -> list[str]:
    """Return why engines are not exact, what limited a search, and whose rates say little."""
    found = [f"{score.engine}: {problem}" for score in board.scores for problem in score.all_problems()]
    limits = dict.fromkeys(
        f"{score.engine}: the search for the largest rate was limited by {turn.sustained_limit}"
        for score in board.scores
        for turn in score.turns
        if turn.sustained_limit
    )
    return [*found, *limits, *map(_short, filter(_is_short, board.scores))]


def _is_short(score: Score) -> bool:
    return any(turn.throughput and turn.throughput.rated_seconds < SHORT for turn in score.turns)


def _short(score: Score) -> str:
    least = min(turn.throughput.rated_seconds for turn in score.turns if turn.throughput)
    return f"{score.engine}: its rates are of {least:g} s, which is short; a larger --scale gives better ones"


def made_with(board: Scoreboard) -> str:
    """Return versions, machine and date."""
    facts = [f"{name} {value}" for name, value in (*board.versions.items(), *board.machine.items())]
    return f"{', '.join(facts)}; {board.made}, {board.seconds:.0f} s in total"


def wrapped(text: str, width: int) -> list[str]:
    """Return a text as lines; those after the first are indented."""
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _blocks(board: Scoreboard, width: int) -> Iterator[list[str]]:
    """Yield tables of engines; each is as wide as the terminal allows."""
    rows = list(_rows(board))
    first = max(len(row[0]) for row in rows)
    columns = [[row[place] for row in rows] for place in range(1, len(rows[0]))]
    block: list[list[str]] = []
    for column in columns:
        if block and first + sum(map(_width, (*block, column))) > width:
            yield _table(rows, first, block)
            block = []
        block.append(column)
    if block:
        yield _table(rows, first, block)


def _width(column: list[str]) -> int:
    return _GAP + max(map(len, column))


def _table(rows: list[list[str]], first: int, block: list[list[str]]) -> list[str]:
    lines = []
    for place, row in enumerate(rows):
        cells = "".join(column[place].rjust(_width(column)) for column in block)
        lines.append(f"{row[0]:<{first}}{cells}".rstrip())
    return [line for line in lines if line]


def _rows(board: Scoreboard) -> Iterator[list[str]]:
    """Yield the rows of the whole table: head, then a cell per engine; ranges have rows of their own."""
    yield ["", *(score.engine for score in board.scores)]
    for one in PROPERTIES:
        if any(cells := [one.value(score) for score in board.scores]):
            yield [one.head, *cells]
    for figure in FIGURES:
        if any(cells := [median_text(figure, score) for score in board.scores]):
            yield [head(figure), *(cell or "-" for cell in cells)]
            yield ["", *(range_text(figure, score) for score in board.scores)]
