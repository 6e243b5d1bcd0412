"""``joinstorm compare``: the same night through several engines, correctness first."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.interrupts import InterruptedRun
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from joinstorm.compare.scores import Scoreboard
    from joinstorm.engines.engineoptions import EngineOption, EngineOptions
    from joinstorm.engines.undertest import EngineUnderTest
    from streams.kafka.connection import Connection

PARTS = ("recovery", "faults", "latency", "sustained")
"""Spelled here, too, so that --help loads no room; a test compares them with ``joinstorm.compare.tournament``."""


@click.command()
@click.argument("engines", nargs=-1, required=True)
@click.option("--scenario", default="launch", help="Scenario of the night.")
@options.scale(0.1)
@options.seed()
@options.tape("Tape to use instead of a scenario.", exists=True)
@options.engines_options
@options.workers()
@click.option("--repeats", type=click.IntRange(1), default=1, help="Measure everything so often, in turns.")
@click.option("--load", type=click.FloatRange(1), default=2_000.0, help="Events per second of the latency part.")
@click.option(
    "--only",
    "parts",
    type=click.Choice(PARTS),
    multiple=True,
    show_default="all",
    help="Part besides throughput; repeatable.",
)
@click.option("--seconds", type=click.FloatRange(1), default=300.0, help="Time limit of an engine for the tape.")
@click.option(
    "--silence",
    type=click.FloatRange(1),
    default=120.0,
    help="Seconds without progress until an engine counts as stuck.",
)
@options.out_folder("Folder for scoreboard, picture and logs.")
@options.bootstrap_servers(embedded=True)
@options.output_format()
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    engines: tuple[str, ...],
    scenario: str,
    scale: float,
    seed: int | None,
    tape: Path | None,
    options: tuple[EngineOption, ...],
    workers: int,
    repeats: int,
    load: float,
    parts: tuple[str, ...],
    seconds: float,
    silence: float,
    out: Path | None,
    connection: Connection | None,
    form: str,
) -> int:
    """Compare engines on one night.

    ENGINES are names, module:Class, file.py:Class, external:COMMAND or engine.toml; they run one after the other.
    Correctness comes first: of the whole night, after SIGKILL, and with declared faults. Then come events per processor
    second, latency from the due time of an event to its visible result, memory, recovery, and the largest load an
    engine keeps up with; with repeats, the median and the range of each. One seed makes the night of all engines and
    repeats. An engine that fails or is not installed is named, with its last log lines, and the others go on. An
    interrupted comparison shows what it has measured. Exit code 0 when all are exact.
    """
    from joinstorm.compare.tournament import CompareRequest, Tournament
    from joinstorm.embedded.workplace import broker_for, folder_for
    from joinstorm.engines.setup import setup_of

    tested, own, missing = _choose(engines, options)
    with folder_for(out) as folder, broker_for(connection) as broker:
        request = CompareRequest(
            broker,
            list(tested.values()),
            tape or _recorded(scenario, scale, seed, folder),
            folder,
            workers=workers,
            repeats=repeats,
            load=load,
            seconds=seconds,
            silence=min(silence, seconds),
            missing=missing,
            setups={engine.name: setup_of(name, own[name]) for name, engine in tested.items()},
            seed_from="tape" if tape else "scenario" if seed is None else "option",
            parts=parts or PARTS,
        )
        tournament = Tournament(request, lambda line: echo(line, err=True))
        try:
            tournament.measure()
        except InterruptedRun:
            _show(tournament.scoreboard(interrupted=True), out, form)
            raise
    board = tournament.scoreboard()
    _show(board, out, form)
    return EXIT_OK if board.exact else EXIT_FAILED


def _recorded(scenario: str, scale: float, seed: int | None, folder: Path) -> Path:
    from producers.recording import record
    from producers.scenario.loading import load

    echo(f"recording {scenario} at scale {scale:g}", err=True)
    return record(load(scenario), folder / "tape.parquet", scale=scale, seed=seed).path


def _choose(
    engines: tuple[str, ...], options: tuple[EngineOption, ...]
) -> tuple[dict[str, EngineUnderTest], EngineOptions, dict[str, str]]:
    """Return the engines that can run, the options of each, and those that are not installed, with what installs them.

    Raises:
        EngineError: One of them is unknown, its program is missing, or two write under one name.
    """
    from joinstorm.engines.catalog import engine_under_test, state
    from joinstorm.engines.engineoptions import by_engine
    from joinstorm.run.extraengines import names_of
    from streams.engines.program import is_program

    first, *others = dict.fromkeys(engines)
    names_of(first, others)
    own = by_engine(options, (first, *others))
    here = {name: state(name) for name in (first, *others) if not is_program(name)}
    missing = {name: found for name, found in here.items() if not found.startswith("installed")}
    for name, why in missing.items():
        echo(f"{name}: {why}", err=True)
    chosen = (name for name in (first, *others) if name not in missing)
    return {name: engine_under_test(name, options=own[name]) for name in chosen}, own, missing


def _show(board: Scoreboard, out: Path | None, form: str) -> None:
    import shutil

    from joinstorm.bench.machine import machine
    from joinstorm.compare.scoreboard import to_json, write
    from joinstorm.compare.scoretext import WIDTH, to_text
    from joinstorm.run.versions import versions

    board.machine, board.versions = machine(), versions()
    board.made = datetime.now(UTC).isoformat(timespec="seconds")
    if out is not None:
        write(board, out)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    echo(to_text(board, max(width, WIDTH)) if form == "text" else to_json(board).decode(), nl=form == "text")
