"""A scoreboard as files: JSON, text, a picture and a page."""

from pathlib import Path
from typing import Literal

import msgspec

from joinstorm.compare.comparepage import to_html
from joinstorm.compare.scorefigures import FIGURES, PROPERTIES, Spread, meaning
from joinstorm.compare.scorepicture import picture
from joinstorm.compare.scores import Score, Scoreboard, SeedFrom, Turn
from joinstorm.compare.scoretext import to_text
from joinstorm.engines.setup import EngineSetup

FILE_WIDTH = 100
"""Columns of ``compare.txt``."""


class FigureMeaning(msgspec.Struct, kw_only=True):
    """What a figure is."""

    unit: str
    better: Literal["more", "less"]
    meaning: str
    """What it is, and under which load."""


class EngineScore(msgspec.Struct, kw_only=True):
    """The measurements of one engine."""

    engine: str
    exact: bool
    """Every answer in every repeat is the truth."""
    answers: dict[str, str]
    """Its answers and properties in words, by the name in the table; empty where not known."""
    figures: dict[str, Spread]
    """Median, least and most over the repeats, by figure; figures that were not measured are left out."""
    setup: EngineSetup
    turns: tuple[Turn, ...]
    """What was measured, repeat by repeat."""
    problems: tuple[str, ...]
    failed: tuple[str, ...]
    """Parts that failed in some repeat."""


class ScoreboardFile(msgspec.Struct, kw_only=True):
    """A comparison: ``joinstorm compare --format json``, and ``compare.json``."""

    exact: bool
    """Every engine is exact."""
    events: int
    scenario: str
    scale: float
    seed: int
    seed_from: SeedFrom
    """Where the seed is from: all engines and repeats count the same night."""
    truth_digest: str
    workers: int
    repeats: int
    load: float
    """Events per second of the latency part."""
    fault_events: int
    """Events of the part with declared faults."""
    figures: dict[str, FigureMeaning]
    answers: dict[str, str]
    """What the answers and properties of an engine mean, by the name in the table."""
    scores: tuple[EngineScore, ...]
    """Exact ones first, then by events per processor second."""
    machine: dict[str, str]
    versions: dict[str, str]
    made: str
    seconds: float
    interrupted: bool
    """A signal ended it before everything was measured; it is not exact then."""


def to_json(board: Scoreboard) -> bytes:
    """Return it as JSON, indented."""
    fields = {name: getattr(board, name) for name in ScoreboardFile.__struct_fields__ if hasattr(board, name)}
    own = {
        "figures": {
            one.name: FigureMeaning(unit=one.unit, better=one.better, meaning=meaning(one, board)) for one in FIGURES
        },
        "answers": {one.head: meaning(one, board) for one in PROPERTIES},
        "scores": tuple(map(_score, board.scores)),
    }
    return msgspec.json.format(msgspec.json.encode(ScoreboardFile(**(fields | own))), indent=2) + b"\n"


def _score(score: Score) -> EngineScore:
    spreads = {one.name: one.spread(score) for one in FIGURES}
    return EngineScore(
        engine=score.engine,
        exact=score.exact,
        answers={one.head: one.value(score) for one in PROPERTIES},
        figures={name: spread for name, spread in spreads.items() if spread is not None},
        setup=score.setup,
        turns=score.turns,
        problems=score.all_problems(),
        failed=tuple(dict.fromkeys(score.failed)),
    )


def write(board: Scoreboard, folder: Path) -> list[Path]:
    """Write ``compare.json``, ``.txt``, ``.png`` and ``.html`` into a folder and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "json": to_json(board),
        "txt": to_text(board, FILE_WIDTH).encode() + b"\n",
        "png": picture(board),
        "html": to_html(board).encode(),
    }
    paths = []
    for suffix, content in contents.items():
        path = folder / f"compare.{suffix}"
        path.write_bytes(content)
        paths.append(path)
    return paths
