"""``joinstorm chaos``: seeded faults against a running job, and whether the answer stays the same."""

import shlex
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from joinstorm.chaos.chaosrun import ChaosRun
from joinstorm.chaos.faultschedule import Fault, draw, parse, text
from joinstorm.chaos.outcome import ChaosResult, Loss
from joinstorm.chaos.shrink import shrink
from joinstorm.commands.options import faults as stream_faults
from joinstorm.commands.options import scale
from joinstorm.commands.replay import SpeedParam
from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.follow.forgetting import forget_prefix
from joinstorm.run.pipeline import PipelineRequest, run_id
from joinstorm.terminal.recordingbar import tape_of
from producers.compose.faults import parse_faults
from producers.replay.deck import MAX
from streams.errors import EXIT_FAILED, EXIT_OK, JoinstormError
from streams.system.scratch import scratch


class Dealt(msgspec.Struct, frozen=True):
    """One fault as it was dealt."""

    fault: str
    counted: int
    """Events the engine had counted."""
    recovered: float | None
    """Seconds until it had counted something new; None when nothing was left, or it never did."""


class RunLine(msgspec.Struct, frozen=True):
    """One line of the result."""

    seed: int | None
    faults: str
    exact: bool
    digest: str
    recoveries: tuple[float, ...]
    """Seconds until the engine counted something new, for each fault after which there was anything left to count."""
    dealt: tuple[Dealt, ...] = ()
    loss: Loss | None = None
    """What the final counts miss or have twice; None when there is nothing to compare."""
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
@click.option("--speed", type=SpeedParam(), default=MAX, help="Event seconds per second, quiet phases left out.")
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
    speed: float,
    shrinking: bool,
    keep: Path | None,
    form: str,
) -> int:
    """Deal faults to a running job and hold its digest to the clean one.

    Each run draws at least three faults from its seed: workers, producer, exporter and broker are killed, frozen,
    slowed down, added and removed while the night is replayed into an embedded Kafka. With --fault the stream is
    faulty as well, and every injected fault is accounted for. A schedule that fails is printed
    as the command that repeats it, and its loss in numbers. Exit code 0 only when every digest equals the truth's and
    the engine went on after every fault, 1 when not, 2 when a fault is unknown.
    """
    schedules = [(seed + n, draw(seed + n)) for n in range(runs)] if faults is None else [(None, parse(faults))] * runs
    declared = parse_faults(fault, fault_seed)
    with (
        scratch("chaos") as folder,
        tape_of(scenario, scale=scale, seed=None) as tape,
        EmbeddedBroker() as broker,
    ):
        plan = PipelineRequest(
            tape=tape.path,
            connection=broker.connection,
            engine=engine,
            workers=workers,
            client=client,
            speed=speed,
            skip_quiet=speed > 0,
            faults=declared,
        )
        stage = _Runner(plan, broker, keep or folder)
        lines = [stage.line(which, one, form) for which, one in schedules]
        bad = next((one for (_, one), line in zip(schedules, lines, strict=True) if not line.exact), None)
        if bad is not None:
            fewest = shrink(bad, stage.fails) if shrinking else bad
            again = ["chaos", scenario, "--scale", f"{scale:g}", "--engine", engine, "--workers", str(workers)]
            again += ["--client", client, "--speed", f"{speed:g}" if speed else MAX]
            again += [word for one in fault for word in ("--fault", one)] + ["--fault-seed", str(fault_seed)]
            again += ["--faults", text(fewest)]
            click.echo(f"repeat with: joinstorm {shlex.join(again)}", err=True)
    _summary(lines, form)
    return EXIT_OK if all(line.exact for line in lines) else EXIT_FAILED


class _Runner:
    """Runs schedules one after the other on one broker; the topics of each go when it is over."""

    def __init__(self, plan: PipelineRequest, broker: EmbeddedBroker, folder: Path) -> None:
        self.plan = plan
        self.broker = broker
        self.folder = folder
        self.number = 0

    def run(self, faults: Sequence[Fault]) -> ChaosResult:
        self.number += 1
        self.broker.start()  # a run that failed may have left it stopped
        name = run_id()
        plan = replace(self.plan, run=name, prefix=f"{name}.")
        try:
            return ChaosRun(plan, self.broker, self.folder / f"{self.number:03}").run(faults)
        finally:
            self.broker.start()
            forget_prefix(plan.connection, plan.prefix)

    def fails(self, faults: Sequence[Fault]) -> bool:
        try:
            return not self.run(faults).exact
        except JoinstormError:
            return True

    def line(self, seed: int | None, faults: Sequence[Fault], form: str) -> RunLine:
        try:
            result = self.run(faults)
        except JoinstormError as error:
            line = RunLine(seed, text(faults), exact=False, digest="", recoveries=(), problem=str(error))
        else:
            line = _line(seed, faults, result)
        _print(line, form)
        return line


def _line(seed: int | None, faults: Sequence[Fault], result: ChaosResult) -> RunLine:
    verdict = result.verdict
    wrong = [result.problem] if result.problem else []
    if verdict.mismatches:
        wrong.append(f"{verdict.mismatches:,} of {verdict.records_compared:,} counts differ; {result.loss}")
    wrong += [f"nothing more was counted after {fault}" for fault in result.stuck()]
    wrong += verdict.problems
    return RunLine(
        seed,
        text(faults),
        exact=result.exact,
        digest=verdict.digest,
        recoveries=tuple(round(seconds, 2) for seconds in result.recoveries()),
        dealt=tuple(
            Dealt(
                str(outcome.fault), outcome.counted, None if outcome.recovered is None else round(outcome.recovered, 2)
            )
            for outcome in result.outcomes
        ),
        loss=result.loss,
        problem="; ".join(wrong),
    )


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
        lost = sum(line.loss.lost for line in lines if line.loss)
        twice = sum(line.loss.twice for line in lines if line.loss)
        total = {
            "runs": len(lines),
            "exact": exact,
            "recovery_median": median,
            "recovery_max": longest,
            "lost": lost,
            "twice": twice,
        }
        click.echo(msgspec.json.encode(total).decode())
    else:
        dealt = sum(len(line.dealt) for line in lines)
        click.echo(
            f"{exact} of {len(lines)} exact; {dealt} faults, recovery median {median:.1f} s, maximum {longest:.1f} s"
        )
