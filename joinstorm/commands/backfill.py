"""``joinstorm backfill``: a whole night at its real dates, for Prometheus."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo

if TYPE_CHECKING:
    from joinstorm.prometheus.backfill import Nights
    from streams.contract.runinfo import RunInfo
    from streams.kafka.connection import Connection
    from streams.read.reader import ResultReader

TEXT = "night.om"
DATA = "data"
CONFIG = "prometheus.yml"
STEP = click.IntRange(5, 300)


@click.command()
@click.argument("source", default="launch")
@options.out_folder("Folder for the metrics.", default=Path("backfill"))
@click.option("--step", type=STEP, default=15, help="Seconds between samples.")
@click.option("--quiet-step", type=STEP, default=60, help="Seconds between samples in quiet phases.")
@options.scale(1.0)
@options.seed()
@options.bootstrap_servers(embedded=True)
@options.topic_prefix
@options.run_id
@options.deadline
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
    """Write a night as Prometheus history.

    The samples carry the night's real dates (24-25 May 2023), so that the boards show the evening.

    SOURCE is a tape, the folder of a run, or a scenario, which is then recorded; the counts are the oracle's, under the
    engine name `truth`. With --bootstrap-servers the counts are those of every engine of a run on that broker.

    The metrics are those that the exporter serves. DIR/night.om is OpenMetrics text; where promtool is installed,
    DIR/data holds blocks that a Prometheus can serve as they are.
    """
    from joinstorm.prometheus.backfill import times, whole_night, write_openmetrics
    from streams.read.reader import ResultReader

    if connection is None:
        info, nights = _of_tape(source, scale, seed)
    else:
        with ResultReader(connection, prefix=prefix, run=run) as reader:
            info, nights = _of_run(reader, deadline)
    out.mkdir(parents=True, exist_ok=True)
    with _progress(info) as report, (out / TEXT).open("w", encoding="utf-8") as file:
        written = write_openmetrics(whole_night(info, nights, times(info, step, quiet_step), report), file)
    echo(f"wrote {written:,} samples of {', '.join(sorted(nights))} to {out / TEXT}")
    echo(_blocks(out, max(step, quiet_step)))


def _blocks(out: Path, longest: int) -> str:
    """Make the blocks where promtool is installed; return the next step for the user."""
    from joinstorm.prometheus.backfill import make_blocks
    from joinstorm.prometheus.server import HOW_TO_GET, RETENTION

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
    from joinstorm.prometheus.backfill import nights_of_tape
    from joinstorm.terminal.recordingbar import tape_of
    from producers.tape.tapefile import Tape

    if Path(source).is_dir():
        return nights_of_tape(Tape.open(Path(source) / "tape.parquet"))
    with tape_of(source, scale=scale, seed=seed) as tape:
        return nights_of_tape(tape)


def _of_run(reader: ResultReader, deadline: float) -> tuple[RunInfo, Nights]:
    """Wait for the run and until every engine that works on it has finished."""
    from joinstorm.prometheus.backfill import nights_of_run
    from joinstorm.verdict.verification import RUN_SECONDS

    reader.wait_for_run(RUN_SECONDS)
    view = reader.wait_for(
        lambda view: bool(view.engines) and all(engine.drained for engine in view.engines.values()),
        deadline,
        "the end of every engine",
    )
    return nights_of_run(view)


@contextlib.contextmanager
def _progress(info: RunInfo) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(f"{info.scenario}: computing the metrics of every moment", total=info.end - info.start)
        yield lambda at: bars.update(task, completed=at - info.start)
