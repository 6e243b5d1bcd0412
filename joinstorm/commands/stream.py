"""``joinstorm stream``: one worker of an engine on one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_INTERRUPTED, EXIT_OK

if TYPE_CHECKING:
    from streams.contract.runinfo import RunInfo
    from streams.engines.abstract import Summary, WorkerSettings
    from streams.kafka.connection import Connection

RUN_SECONDS = 30.0
"""How long to wait for the run to be opened."""


@click.command()
@options.engine()
@options.engine_name
@options.bootstrap_servers()
@options.topic_prefix
@options.run_id
@click.option("--worker", type=click.IntRange(0), default=None, help="Number of this worker, unique in its engine.")
@options.metrics_port(None)
@click.option("--metrics-address", default="127.0.0.1", help="Address that /metrics listens on.")
@click.option(
    "--checkpoint-seconds", type=click.FloatRange(0), default=1.0, help="Minimum seconds between checkpoints."
)
@options.engine_options
@options.output_format()
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    engine: str,
    name: str | None,
    connection: Connection,
    prefix: str,
    run: str | None,
    worker: int | None,
    metrics_port: int | None,
    metrics_address: str,
    checkpoint_seconds: float,
    options: dict[str, str],
    form: str,
) -> int:
    """Run one worker of an engine.

    It works until its run is done, or until SIGTERM. Several workers of one engine share the partitions of the run.
    The address of its /metrics goes to stderr, a summary of its work to stdout.
    """
    import msgspec

    from streams.engines.abstract import WorkerSettings
    from streams.engines.registry import load
    from streams.kafka import rights

    worker_of = load(engine)
    settings = WorkerSettings(
        connection=connection,
        info=find_run(connection, prefix, run),
        engine=name or worker_of.name,
        worker=worker,
        metrics_port=metrics_port,
        metrics_address=metrics_address,
        checkpoint_seconds=checkpoint_seconds,
        options=options,
    )
    needs = rights.WORKER_NEEDS | dict.fromkeys(worker_of.private, (rights.READ, rights.WRITE))
    rights.check(connection, settings.info, needs, worker_of.group(settings))
    summary = worker_of.run(settings)
    echo(_text(settings, summary) if form == "text" else msgspec.json.encode(summary).decode())
    return EXIT_OK if summary.ended else EXIT_INTERRUPTED


def find_run(connection: Connection, prefix: str, run: str | None) -> RunInfo:
    """Return a run's information; raises BrokerError or, when it is not opened in time, DeadlineError."""
    from streams.read.reader import ResultReader

    with ResultReader(connection, prefix=prefix, run=run) as reader:
        return reader.wait_for_run(RUN_SECONDS)


def _text(settings: WorkerSettings, summary: Summary) -> str:
    rate = summary.events / summary.seconds if summary.seconds else 0.0
    per_core = summary.events / summary.cpu_seconds if summary.cpu_seconds else 0.0
    stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in summary.stages.items())
    return (
        f"{settings.engine} on {settings.info.run}: {'done' if summary.ended else 'stopped'}; {summary.events} events, "
        f"{summary.duplicates} duplicates, {summary.dead_letters} dead letters in {summary.seconds:.2f} s "
        f"({rate:,.0f} events/s, {per_core:,.0f} per CPU second; {stages})"
    )
