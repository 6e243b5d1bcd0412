"""``joinstorm compare``: the same night through several engines, correctness first."""

from datetime import UTC, datetime
from pathlib import Path

import click

from joinstorm.bench.machine import machine
from joinstorm.commands.options import bootstrap_servers, scale, seed
from joinstorm.compare.scoreboard import to_json, to_text, write
from joinstorm.compare.scores import Scoreboard
from joinstorm.compare.tournament import CompareRequest, run_comparison
from joinstorm.embedded.workplace import broker_for, folder_for
from joinstorm.engines.catalog import engine_under_test, state, version_of
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.run.extraengines import names_of
from joinstorm.run.versions import versions
from producers.recording import record
from producers.scenario.loading import load as load_scenario
from streams.errors import EXIT_FAILED, EXIT_OK
from streams.kafka.connection import Connection

PARTS = ("recovery", "latency", "sustained")


@click.command()
@click.argument("engines", nargs=-1, required=True)
@click.option("--scenario", default="launch", help="The night.")
@scale(0.1)
@seed
@click.option("--tape", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A tape, not a scenario.")
@click.option("--workers", type=click.IntRange(1), default=1, help="Workers of each engine.")
@click.option("--load", type=click.FloatRange(1), default=2_000.0, help="Events a second of the latency part.")
@click.option("--only", "parts", type=click.Choice(PARTS), multiple=True, help="Besides throughput; all if not given.")
@click.option(
    "--seconds", type=click.FloatRange(1), default=300.0, help="The longest an engine may take over the tape."
)
@click.option(
    "--silence", type=click.FloatRange(1), default=60.0, help="Seconds without a word until an engine counts as stuck."
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for scoreboard, picture and logs."
)
@bootstrap_servers(embedded=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the scoreboard.")
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    engines: tuple[str, ...],
    scenario: str,
    scale: float,
    seed: int | None,
    tape: Path | None,
    workers: int,
    load: float,
    parts: tuple[str, ...],
    seconds: float,
    silence: float,
    out: Path | None,
    connection: Connection | None,
    form: str,
) -> int:
    """Compare ENGINES (names, module:Class or file.py:Class) on one night, one after the other.

    First whether the answers are right, then events per processor second, latency from the due time of an event to its
    visible result, memory, recovery after SIGKILL, and the largest load an engine keeps up with. An engine that fails
    or is not installed is named, with its last log lines, and the others go on. Exit code 0 when all are exact.
    """
    tested, missing = _choose(engines)
    with folder_for(out) as folder, broker_for(connection) as broker:
        if tape is None:
            tape = folder / "tape.parquet"
            click.echo(f"recording {scenario} at scale {scale:g}", err=True)
            record(load_scenario(scenario), tape, scale=scale, seed=1 if seed is None else seed)
        order = CompareRequest(
            broker,
            list(tested.values()),
            tape,
            folder,
            workers=workers,
            load=load,
            seconds=seconds,
            silence=min(silence, seconds),
            missing=missing,
            parts=parts or PARTS,
        )
        board = run_comparison(order, lambda line: click.echo(line, err=True))
    _sign(board, {one.name: name for name, one in tested.items()})
    if out is not None:
        write(board, out)
    click.echo(to_text(board) if form == "text" else to_json(board).decode(), nl=form == "text")
    return EXIT_OK if board.exact else EXIT_FAILED


def _choose(engines: tuple[str, ...]) -> tuple[dict[str, EngineUnderTest], dict[str, str]]:
    """Return the engines that can run, and those that are not installed, with the line that installs them.

    Raises:
        EngineError: Nobody knows one of them, or two write under one name.
    """
    first, *others = dict.fromkeys(engines)
    names_of(first, others)
    missing = {name: found for name in (first, *others) if not (found := state(name)).startswith("installed")}
    for name, why in missing.items():
        click.echo(f"{name}: {why}", err=True)
    return {name: engine_under_test(name) for name in (first, *others) if name not in missing}, missing


def _sign(board: Scoreboard, names: dict[str, str]) -> None:
    board.machine, board.versions = machine(), versions()
    board.made = datetime.now(UTC).isoformat(timespec="seconds")
    for score in board.scores:
        name = names.get(score.engine, "")
        score.version = "" if ":" in name or not name else version_of(name)
