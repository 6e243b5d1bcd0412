"""``joinstorm backfill``: a whole night at its real dates, for Prometheus."""

import contextlib
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from joinstorm.commands.options import bootstrap_servers, run_id, scale, seed, topic_prefix
from joinstorm.prometheus.backfill import (
    QUIET_STEP_SECONDS,
    STEP_SECONDS,
    Nights,
    make_blocks,
    nights_of_run,
    nights_of_tape,
    times,
    whole_night,
    write_openmetrics,
)
from joinstorm.prometheus.server import HOW_TO_GET, RETENTION
from joinstorm.terminal.recordingbar import tape_of
from joinstorm.verdict.verification import RUN_SECONDS
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader

TEXT = "night.om"
DATA = "data"
CONFIG = "prometheus.yml"


@click.command()
@click.argument("source", default="launch")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("backfill"), help="Folder.")
@click.option("--step", type=click.IntRange(5, 300), default=STEP_SECONDS, help="Seconds between samples.")
@click.option("--quiet-step", type=click.IntRange(5, 300), default=QUIET_STEP_SECONDS, help="The same in quiet phases.")
@scale(1.0)
@seed
@bootstrap_servers(embedded=True)
@topic_prefix
@run_id
@click.option("--deadline", type=click.FloatRange(0), default=300.0, help="Seconds to wait for a run's engines.")
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    source: str,
    out: Path,
    step: int,
    quiet_step: int,
    scale: float,
    seed: int | None,
    connection: Connection | None,
    prefix: str,
    run: str | None,
    deadline: float,
) -> None:
    """Write a night at its real dates (24-25 May 2023) as Prometheus takes it, so that the boards show the evening.

    SOURCE is a tape, the folder of a run, or a scenario, which is then recorded; its counts are the oracle's, under the
    engine name `truth`. With --bootstrap-servers every engine's results of a run on that broker are taken instead.

    The metrics are those the exporter serves. DIR/night.om is OpenMetrics text; where promtool is installed, DIR/data
    are blocks that a Prometheus can serve as they are.
    """
    if connection is None:
        info, nights = _of_tape(source, scale, seed)
    else:
        with ResultReader(connection, prefix=prefix, run=run) as reader:
            info, nights = _of_run(reader, deadline)
    out.mkdir(parents=True, exist_ok=True)
    with _progress(info) as told, (out / TEXT).open("w", encoding="utf-8") as file:
        written = write_openmetrics(whole_night(info, nights, times(info, step, quiet_step), told), file)
    click.echo(f"wrote {written:,} samples of {', '.join(sorted(nights))} to {out / TEXT}")
    click.echo(_serve(out, max(step, quiet_step)))


def _serve(out: Path, longest: int) -> str:
    """Make the blocks where promtool is there; return how to go on."""
    (out / CONFIG).write_text("# Serves what is there and scrapes nothing.\n{}\n", encoding="utf-8")
    flags = [
        f"--config.file={out / CONFIG}",
        f"--storage.tsdb.path={out / DATA}",
        f"--storage.tsdb.retention.time={RETENTION}",  # else Prometheus deletes 2023 at once
        f"--query.lookback-delta={longest + 15}s",  # text has no marks where a series ends
    ]
    if shutil.which("promtool") is None:
        make = shlex.join(["promtool", "tsdb", "create-blocks-from", "openmetrics", str(out / TEXT), str(out / DATA)])
        return f"promtool is not installed ({HOW_TO_GET}); then:\n  {make}\n  {shlex.join(['prometheus', *flags])}"
    shutil.rmtree(out / DATA, ignore_errors=True)
    make_blocks(out / TEXT, out / DATA)
    return f"made blocks in {out / DATA}; serve them with:\n  {shlex.join(['prometheus', *flags])}"


def _of_tape(source: str, scale: float, seed: int | None) -> tuple[RunInfo, Nights]:
    if Path(source).is_dir():
        return nights_of_tape(Tape.open(Path(source) / "tape.parquet"))
    with tape_of(source, scale=scale, seed=seed) as tape:
        return nights_of_tape(tape)


def _of_run(reader: ResultReader, deadline: float) -> tuple[RunInfo, Nights]:
    """Wait for the run and for the end of every engine that works on it."""
    reader.wait_for_run(RUN_SECONDS)
    view = reader.wait_for(
        lambda view: bool(view.engines) and all(engine.drained for engine in view.engines.values()),
        deadline,
        "the end of every engine",
    )
    return nights_of_run(view)


@contextlib.contextmanager
def _progress(info: RunInfo) -> Iterator[Callable[[int], None]]:
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(f"{info.scenario}: asking the exporter for every moment", total=info.end - info.start)
        yield lambda at: bars.update(task, completed=at - info.start)
