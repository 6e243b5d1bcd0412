"""``joinstorm backfill``: a whole night at its real dates, for Prometheus."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo

if TYPE_CHECKING:
    from joinstorm.prometheus.backfill import Nights
    from joinstorm.prometheus.remoteread import RemoteSeries
    from streams.contract.runinfo import RunInfo
    from streams.kafka.connection import Connection
    from streams.read.reader import ResultReader

TEXT = "night.om"
DATA = "data"
CONFIG = "prometheus.yml"
LOOKBACK = "75s"
"""In quiet phases there is a sample a minute."""


@click.command()
@click.argument("source", default="launch")
@options.remote_write
@options.out_folder("Folder for the metrics, without --remote-write.", default=Path("backfill"))
@options.scale(1.0)
@options.seed()
@options.bootstrap_servers(embedded=True)
@options.topic_prefix
@options.run_id
@options.deadline
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    source: str,
    remote_write: str,
    out: Path,
    scale: float,
    seed: int | None,
    connection: Connection | None,
    prefix: str,
    run: str | None,
    deadline: float,
) -> None:
    """Write a night as Prometheus history.

    The samples are those that `joinstorm run --remote-write` writes while a night plays: event-time series, at the
    night's real dates (24-25 May 2023), one for every window, in quiet phases one a minute.

    SOURCE is a tape, the folder of a run, or a scenario, which is then recorded; the counts are the oracle's, under the
    engine name `truth`. With --bootstrap-servers the counts are those of every engine of a run on that broker.

    Without --remote-write, DIR/night.om is OpenMetrics text; where promtool is installed, DIR/data holds blocks that a
    Prometheus can serve as they are.
    """
    from joinstorm.prometheus.eventtime import whole_night
    from joinstorm.prometheus.remotewrite import RemoteWriter, receiver
    from streams.read.reader import ResultReader

    writer = RemoteWriter(receiver(remote_write)) if remote_write else None
    if connection is None:
        info, nights = _of_tape(source, scale, seed)
    else:
        with ResultReader(connection, prefix=prefix, run=run) as reader:
            info, nights = _of_run(reader, deadline)
    series = whole_night(info, nights)
    if writer is None:
        _to_files(series, nights, out)
    else:
        writer.write(series)
        echo(f"wrote the night of {', '.join(sorted(nights))} to {remote_write}, as run {info.run}")
    echo(f"board: {options.board_of(info, min(nights))}")


def _to_files(series: Iterable[RemoteSeries], nights: Nights, out: Path) -> None:
    from joinstorm.prometheus.backfill import write_openmetrics
    from joinstorm.prometheus.eventtime import as_samples
    from streams.metrics.definitions import EVENT_TIME_METRICS

    out.mkdir(parents=True, exist_ok=True)
    with (out / TEXT).open("w", encoding="utf-8") as file:
        written = write_openmetrics(as_samples(series), file, EVENT_TIME_METRICS)
    echo(f"wrote {written:,} samples of {', '.join(sorted(nights))} to {out / TEXT}")
    echo(_blocks(out))


def _blocks(out: Path) -> str:
    """Make the blocks where promtool is installed; return the next step for the user."""
    from joinstorm.prometheus.backfill import make_blocks
    from joinstorm.prometheus.server import HOW_TO_GET, RETENTION

    (out / CONFIG).write_text("# Serves what is there and scrapes nothing.\n{}\n", encoding="utf-8")
    flags = [
        f"--config.file={out / CONFIG}",
        f"--storage.tsdb.path={out / DATA}",
        f"--storage.tsdb.retention.time={RETENTION}",  # else Prometheus deletes 2023 at once
        f"--query.lookback-delta={LOOKBACK}",  # text has no marks where a series ends
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
