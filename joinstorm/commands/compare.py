"""``joinstorm compare``: the same night through several engines, correctness first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from joinstorm.compare.scores import Scoreboard
    from joinstorm.engines.engineoptions import EngineOption
    from joinstorm.engines.undertest import EngineUnderTest
    from streams.kafka.connection import Connection

PARTS = ("recovery", "latency", "sustained")


@click.command()
@click.argument("engines", nargs=-1, required=True)
@click.option("--scenario", default="launch", help="Scenario of the night.")
@options.scale(0.1)
@options.seed()
@options.tape("Tape to use instead of a scenario.", exists=True)
@options.engines_options
@options.workers()
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
    Correctness comes first, then events per processor second, latency from the due time of an event to its visible
    result, memory, recovery after SIGKILL, and the largest load an engine keeps up with. An engine that fails or is not
    installed is named, with its last log lines, and the others go on. Exit code 0 when all are exact.
    """
    from joinstorm.compare.scoreboard import to_json, to_text, write
    from joinstorm.compare.tournament import CompareRequest, run_comparison
    from joinstorm.embedded.workplace import broker_for, folder_for

    tested, missing = _choose(engines, options)
    with folder_for(out) as folder, broker_for(connection) as broker:
        request = CompareRequest(
            broker,
            list(tested.values()),
            tape or _recorded(scenario, scale, seed, folder),
            folder,
            workers=workers,
            load=load,
            seconds=seconds,
            silence=min(silence, seconds),
            missing=missing,
            parts=parts or PARTS,
        )
        board = run_comparison(request, lambda line: echo(line, err=True))
    _sign(board, {one.name: name for name, one in tested.items()})
    if out is not None:
        write(board, out)
    echo(to_text(board) if form == "text" else to_json(board).decode(), nl=form == "text")
    return EXIT_OK if board.exact else EXIT_FAILED


def _recorded(scenario: str, scale: float, seed: int | None, folder: Path) -> Path:
    from producers.recording import record
    from producers.scenario.loading import load

    echo(f"recording {scenario} at scale {scale:g}", err=True)
    return record(load(scenario), folder / "tape.parquet", scale=scale, seed=seed).path


def _choose(
    engines: tuple[str, ...], options: tuple[EngineOption, ...]
) -> tuple[dict[str, EngineUnderTest], dict[str, str]]:
    """Return the engines that can run, and those that are not installed, with the line that installs them.

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
    return {name: engine_under_test(name, options=own[name]) for name in chosen}, missing


def _sign(board: Scoreboard, names: dict[str, str]) -> None:
    from joinstorm.bench.machine import machine
    from joinstorm.engines.catalog import version_of
    from joinstorm.run.versions import versions

    board.machine, board.versions = machine(), versions()
    board.made = datetime.now(UTC).isoformat(timespec="seconds")
    for score in board.scores:
        name = names.get(score.engine, "")
        score.version = version_of(name) if name else ""
