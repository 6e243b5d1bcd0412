"""``joinstorm chaos``: seeded faults against a running job, and whether the answer stays the same."""

import shlex
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from joinstorm.broker import EmbeddedBroker
from joinstorm.chaos.run import ChaosResult, ChaosRun
from joinstorm.chaos.schedule import Fault, draw, parse, text
from joinstorm.chaos.shrink import shrink
from joinstorm.options import faults as stream_faults
from joinstorm.options import scale
from joinstorm.pipeline import Plan, run_id
from joinstorm.recording import tape_of
from joinstorm.supervisor import interruptible
from producers.faults import parse_faults
from streams.connection import Connection
from streams.errors import EXIT_FAILED, EXIT_OK, JoinstormError


class RunLine(msgspec.Struct, frozen=True):
    """One line of the result."""

    seed: int | None
    faults: str
    exact: bool
    digest: str
    recoveries: tuple[float, ...]
    """Seconds until the engine counted something new, for each fault after which there was anything left to count."""
    problem: str = ""


@click.command()
@click.argument("scenario", default="launch")
@scale(0.1)
@click.option("--runs", type=click.IntRange(1), default=5, help="Schedules to run.")
@click.option("--seed", type=click.IntRange(0), default=1, help="Seed of the first schedule; each run takes the next.")
@click.option("--faults", default=None, metavar="SHARE:KIND[:SECONDS],…", help="Run this schedule instead.")
@stream_faults
@click.option("--engine", default="faust", help="Engine: a name, or module:Class, or file.py:Class.")
@click.option("--workers", type=click.IntRange(1, 8), default=1, help="Workers at the start.")
@click.option(
    "--client", type=click.Choice(["kafka-python", "aiokafka"]), default="kafka-python", help="Producer client."
)
@click.option("--shrink/--no-shrink", "shrinking", default=True, help="Look for fewer faults that fail too.")
@click.option(
    "--keep", type=click.Path(path_type=Path, file_okay=False), default=None, help="Folder to keep all logs in."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result.")
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    scenario: str,
    scale: float,
    runs: int,
    seed: int,
    faults: str | None,
    fault: tuple[str, ...],
    fault_seed: int,
    engine: str,
    workers: int,
    client: str,
    shrinking: bool,
    keep: Path | None,
    form: str,
) -> int:
    """Deal faults to a running job and hold its digest to the clean one.

    Each run draws at least three faults from its seed: workers, producer, exporter and broker are killed, frozen,
    slowed down, added and removed while the night is replayed into an embedded Kafka. With --fault the stream is
    faulty as well, and every injected fault is accounted for. A schedule that fails is printed
    as the command that repeats it. Exit code 0 only when every digest equals the truth's.
    """
    schedules = [(None, parse(faults))] * runs if faults else [(seed + n, draw(seed + n)) for n in range(runs)]
    with (
        interruptible(),
        tempfile.TemporaryDirectory(prefix="joinstorm-chaos-") as folder,
        tape_of(scenario, scale=scale, seed=None) as tape,
    ):
        declared = parse_faults(fault, fault_seed)
        plan = Plan(tape.path, Connection(), engine=engine, workers=workers, client=client, faults=declared)
        stage = _Stage(plan, keep or Path(folder))
        lines = [stage.line(which, one, form) for which, one in schedules]
        bad = next((one for (_, one), line in zip(schedules, lines, strict=True) if not line.exact), None)
        if bad is not None:
            fewest = shrink(bad, stage.fails) if shrinking else bad
            options = f"--scale {scale:g} --engine {engine} --workers {workers} --client {client}"
            options += "".join(f" --fault {one}" for one in fault) + (f" --fault-seed {fault_seed}" if fault else "")
            click.echo(
                f"repeat with: joinstorm chaos {shlex.quote(scenario)} {options} --faults {text(fewest)}", err=True
            )
    _summary(lines, form)
    return EXIT_OK if all(line.exact for line in lines) else EXIT_FAILED


class _Stage:
    """Runs schedules one after the other, each with a broker and a run of its own."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.number = 0

    def run(self, faults: Sequence[Fault]) -> ChaosResult:
        self.number += 1
        with EmbeddedBroker() as broker:
            plan = replace(self.plan, connection=broker.connection, run=run_id())
            return ChaosRun(plan, broker, self.folder / f"{self.number:03}").run(faults)

    def fails(self, faults: Sequence[Fault]) -> bool:
        try:
            return not self.run(faults).verdict.exact
        except JoinstormError:
            return True

    def line(self, seed: int | None, faults: Sequence[Fault], form: str) -> RunLine:
        try:
            result = self.run(faults)
        except JoinstormError as error:
            line = RunLine(seed, text(faults), exact=False, digest="", recoveries=(), problem=str(error))
        else:
            verdict = result.verdict
            recoveries = tuple(round(seconds, 2) for seconds in result.recoveries())
            problem = "" if verdict.exact else f"{verdict.mismatches} counts differ; {'; '.join(verdict.problems)}"
            line = RunLine(seed, text(faults), verdict.exact, verdict.digest, recoveries, problem)
        _print(line, form)
        return line


def _print(line: RunLine, form: str) -> None:
    if form == "json":
        click.echo(msgspec.json.encode(line).decode())
        return
    slowest = f"{max(line.recoveries):5.1f} s" if line.recoveries else "      -"
    answer = f"exact {line.digest[:12]}" if line.exact else f"WRONG: {line.problem}"
    click.echo(f"seed {line.seed}  slowest recovery {slowest}  {answer}  {line.faults}")


def _summary(lines: Sequence[RunLine], form: str) -> None:
    recoveries = sorted(seconds for line in lines for seconds in line.recoveries)
    exact = sum(line.exact for line in lines)
    median = statistics.median(recoveries) if recoveries else 0.0
    longest = max(recoveries, default=0.0)
    if form == "json":
        total = {"runs": len(lines), "exact": exact, "recovery_median": median, "recovery_max": longest}
        click.echo(msgspec.json.encode(total).decode())
    else:
        faults = sum(line.faults.count(",") + 1 for line in lines)
        click.echo(
            f"{exact} of {len(lines)} exact; {faults} faults, recovery median {median:.1f} s, longest {longest:.1f} s"
        )
