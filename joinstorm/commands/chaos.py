"""``joinstorm chaos``: seeded faults against a running job, and whether the answer stays the same."""

from pathlib import Path

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK


@click.command()
@click.argument("scenario", default="launch")
@options.scale(0.1)
@click.option("--runs", type=click.IntRange(1), default=5, help="Number of schedules to run.")
@options.seed("Seed of the first schedule; each run adds one to it.", default=1)
@click.option("--faults", default=None, metavar="SHARE:KIND[:SECONDS],…", help="Run this schedule in every run.")
@options.faults
@options.engine()
@options.engine_options
@options.workers(8)
@options.client
@options.speed(options.MAX_SPEED)
@click.option("--brokers", type=click.IntRange(1, 5), default=1, help="Brokers of the cluster; 3 have more faults.")
@click.option("--network", is_flag=True, help="Put a proxy before the brokers, and let the network fail as well.")
@click.option("--shrink/--no-shrink", "shrinking", default=True, help="Reduce a failing schedule to fewest faults.")
@click.option("--keep", type=options.FOLDER, default=None, help="Folder to keep all logs in.")
@options.output_format()
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    scenario: str,
    scale: float,
    runs: int,
    seed: int,
    faults: str | None,
    fault: tuple[str, ...],
    fault_seed: int,
    engine: str,
    options: dict[str, str],
    workers: int,
    client: str,
    speed: float,
    brokers: int,
    network: bool,
    shrinking: bool,
    keep: Path | None,
    form: str,
) -> int:
    """Inject faults and check every count.

    Each run draws at least three faults from its seed: workers, producer, exporter and broker are killed, frozen,
    slowed down, added and removed while the night is replayed into an embedded Kafka. With --brokers 3 that is a
    cluster, which loses leaders and controllers and is restarted broker by broker; with --network the connections
    between clients and brokers are slow, cut or half-open. With --fault the stream is faulty as well, and every
    injected fault is accounted for. A schedule that fails is printed as the command that repeats it, with its loss in
    numbers. Exit code 0 only when every digest equals the truth's and the engine went on after every fault, 1 when
    not, 2 when a fault is unknown or needs other options. A --speed other than max skips quiet phases.
    """
    from joinstorm.chaos.campaign import CampaignRequest, run_campaign, summary
    from joinstorm.chaos.faultschedule import schedules_of
    from joinstorm.engines.catalog import check
    from producers.compose.faults import parse_faults

    check(engine, options)
    request = CampaignRequest(
        scenario=scenario,
        scale=scale,
        schedules=schedules_of(runs, seed, faults, brokers=brokers, network=network),
        stream_faults=fault,
        fault_seed=fault_seed,
        declared=parse_faults(fault, fault_seed),
        engine=engine,
        options=options,
        workers=workers,
        client=client,
        speed=speed,
        brokers=brokers,
        network=network,
        shrinks=shrinking,
        logs=keep,
    )
    lines = run_campaign(request, lambda line: echo(line.as_json() if form == "json" else line.as_text()), _hint)
    total = summary(lines)
    echo(total.as_json() if form == "json" else total.as_text())
    return EXIT_OK if all(line.exact for line in lines) else EXIT_FAILED


def _hint(repeat: str) -> None:
    echo(f"repeat with: {repeat}", err=True)
