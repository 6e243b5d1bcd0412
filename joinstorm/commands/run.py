"""``joinstorm run``: the whole job."""

import shlex
import sys
import time
from pathlib import Path

import click

from joinstorm.commands.options import bootstrap_servers, faults, names_in, scale, seed, topic_prefix
from joinstorm.commands.replay import SpeedParam
from joinstorm.facts.factformats import text
from joinstorm.run.pipeline import PipelineRequest
from joinstorm.run.wholejob import RunOutcome, RunRequest, run_job
from joinstorm.verdict import verdicts
from producers.compose.faults import parse_faults
from producers.senders.registry import CLIENTS
from streams.contract.topics import DEFAULT_PARTITIONS
from streams.errors import EXIT_FAILED, EXIT_OK
from streams.kafka.connection import Connection


@click.command()
@click.argument("scenario", default="launch")
@scale(0.1)
@seed
@click.option("--speed", type=SpeedParam(), default="max", help="Event seconds per second, or max.")
@click.option("--skip-quiet/--play-quiet", default=True, help="Send the hours nobody waits for at full speed, or not.")
@click.option("--from", "begin", default=None, metavar="MOMENT", help="Send what is before at full speed: talk-30s.")
@click.option("--until", default=None, metavar="MOMENT", help="Send what is after at full speed: talk+10m.")
@click.option(
    "--engine",
    default="faust",
    help="Stream processor: a name of `joinstorm engines`, or module:Class, or file.py:Class.",
)
@click.option(
    "--beside",
    multiple=True,
    metavar="ENGINE[,…]",
    callback=lambda _ctx, _param, texts: names_in(texts),
    help="Further engines on the same topics.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="Worker processes in one group.")
@click.option("--client", type=click.Choice(CLIENTS), default=CLIENTS[0], help="Producer client.")
@bootstrap_servers(embedded=True)
@topic_prefix
@click.option(
    "--partitions", type=click.IntRange(1, 1000), default=DEFAULT_PARTITIONS, help="Partitions of each input topic."
)
@click.option("--replication", type=click.IntRange(1, 100), default=1, help="Copies of each topic.")
@click.option(
    "--tape",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Replay this tape; nothing is recorded.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder for tape, verdict, report and logs.",
)
@faults
@click.option("--metrics-port", type=click.IntRange(0, 65535), default=0, help="Port of /metrics; 0: any free one.")
@click.option("--report/--no-report", default=True, help="Write the HTML report.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result on stdout."
)
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    scenario: str,
    scale: float,
    seed: int | None,
    speed: float,
    skip_quiet: bool,
    begin: str | None,
    until: str | None,
    engine: str,
    beside: tuple[str, ...],
    workers: int,
    client: str,
    connection: Connection | None,
    prefix: str,
    partitions: int,
    replication: int,
    tape: Path | None,
    out: Path | None,
    fault: tuple[str, ...],
    fault_seed: int,
    metrics_port: int,
    report: bool,
    form: str,
) -> int:
    """Replay a night through Kafka into an engine, and hold every number to the truth.

    SCENARIO is a name of `joinstorm scenarios list` or a YAML file. Without --bootstrap-servers an embedded Kafka is
    started and ended. With --fault as in `joinstorm replay`, the verdict accounts for every injected fault. Exit code 0
    only when the verdict is exact, 1 when it is not. Engines --beside are judged, too,
    and stand beside it on the board Engines; they change nothing of the verdict.
    """
    out = out or Path("out") / time.strftime("%Y%m%d-%H%M%S")
    plan = PipelineRequest(
        tape=tape or out / "tape.parquet",
        connection=connection or Connection(),
        engine=engine,
        workers=workers,
        speed=speed,
        client=client,
        prefix=prefix,
        partitions=partitions,
        replication=replication,
        skip_quiet=skip_quiet,
        begin=begin,
        until=until,
        faults=parse_faults(fault, fault_seed),
        faults_file=out / "faults.parquet",
        beside=beside,
    )
    outcome = run_job(RunRequest(scenario, out, scale, seed, tape, connection, plan, metrics_port))
    verdicts.write(outcome.verdict, out / "verdict.json")
    for one in outcome.beside:
        verdicts.write(one, out / f"verdict-{one.engine}.json")
    page = _report(outcome, out) if report else None
    _print(outcome, out, page, form)
    return EXIT_OK if outcome.verdict.exact else EXIT_FAILED


def _report(outcome: RunOutcome, out: Path) -> Path:
    # matplotlib takes a while to load: only runs that want the report pay for it
    from joinstorm.report.page import Material, write_report  # noqa: PLC0415

    title = outcome.tape.info.scenario.get("title", "")
    made_by = shlex.join(["joinstorm", *sys.argv[1:]])
    return write_report(out / "report.html", Material(outcome.view, outcome.verdict, outcome.facts, made_by, title))


def _print(outcome: RunOutcome, out: Path, page: Path | None, form: str) -> None:
    if form == "json":
        click.echo(verdicts.to_json(outcome.verdict).decode(), nl=False)
        return
    if outcome.facts:
        click.echo(text(outcome.facts, f"{outcome.verdict.scenario}, what is known beside this tape"))
    click.echo(verdicts.to_text(outcome.verdict))
    for one in outcome.beside:
        click.echo(f"beside: {verdicts.to_text(one)}")
    seconds = ", ".join(f"{stage} {value:.1f} s" for stage, value in outcome.verdict.seconds.items())
    click.echo(f"{seconds}\nverdict: {out / 'verdict.json'}")
    if page is not None:
        click.echo(f"report:  {page}")
