"""A campaign: fault schedules run one after the other on one broker, and what came of each."""

import contextlib
import shlex
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from joinstorm.chaos.chaosrun import ChaosRun
from joinstorm.chaos.faultschedule import Fault, text
from joinstorm.chaos.outcome import ChaosResult, Loss
from joinstorm.chaos.proxy import Proxy
from joinstorm.chaos.shrink import shrink
from joinstorm.embedded.cluster import EmbeddedCluster
from joinstorm.engines.engineoptions import arguments
from joinstorm.follow.forgetting import forget_prefix
from joinstorm.run.pipeline import PipelineRequest, run_id
from joinstorm.run.supervisor import Supervisor
from joinstorm.terminal.recordingbar import tape_of
from producers.replay.deck import MAX
from streams.contract.runinfo import Faults
from streams.errors import JoinstormError
from streams.system.scratch import scratch


@dataclass(frozen=True)
class CampaignRequest:
    """What to run.

    Args:
        scenario: The night, or a tape.
        scale: Its size.
        schedules: The faults of each run, with the seed they were drawn from.
        stream_faults: Declared faults in the stream, as typed.
        fault_seed: Their seed.
        declared: The same, parsed.
        engine: The engine, as given to ``registry.load``.
        options: Its options.
        workers: Workers at the start.
        client: Library that produces.
        speed: Event seconds per second, 0 for no pacing.
        brokers: Brokers of the cluster.
        network: Whether clients reach them through a proxy, so that the network can fail.
        shrinks: Whether a failing schedule is reduced to the fewest faults that fail.
        logs: Folder to keep logs in; None for a temporary one.
    """

    scenario: str
    scale: float
    schedules: Sequence[tuple[int | None, Sequence[Fault]]]
    stream_faults: tuple[str, ...]
    fault_seed: int
    declared: Faults | None
    engine: str
    options: Mapping[str, str]
    workers: int
    client: str
    speed: float
    brokers: int
    network: bool
    shrinks: bool
    logs: Path | None

    def repeat(self, schedule: Sequence[Fault]) -> str:
        """Return the command that runs one schedule again."""
        again = ["chaos", self.scenario, "--scale", f"{self.scale:g}", "--engine", self.engine]
        again += arguments(self.options)
        again += ["--workers", str(self.workers), "--client", self.client]
        again += ["--speed", f"{self.speed:g}" if self.speed else MAX]
        again += ["--brokers", str(self.brokers)] if self.brokers > 1 else []
        again += ["--network"] if self.network else []
        again += [part for one in self.stream_faults for part in ("--fault", one)]
        again += ["--fault-seed", str(self.fault_seed), "--faults", text(schedule)]
        return shlex.join(["joinstorm", *again])


class InjectedFault(msgspec.Struct, frozen=True):
    """One fault as it was injected."""

    fault: str
    counted: int
    """Events the engine had counted."""
    recovered: float | None
    """Seconds until it had counted something new; None when nothing was left, or it never did."""


class RunLine(msgspec.Struct, frozen=True):
    """The outcome of one run."""

    seed: int | None
    faults: str
    exact: bool
    digest: str
    recoveries: tuple[float, ...]
    """Seconds until the engine counted something new, for each fault after which there was anything left to count."""
    dealt: tuple[InjectedFault, ...] = ()
    loss: Loss | None = None
    """What the final counts miss or have twice; None when there is nothing to compare."""
    problem: str = ""

    def as_json(self) -> str:
        """Return it as one JSON document."""
        return msgspec.json.encode(self).decode()

    def as_text(self) -> str:
        """Return it as one line."""
        slowest = f"{max(self.recoveries):5.1f} s" if self.recoveries else "      -"
        answer = f"exact {self.digest[:12]}" if self.exact else f"WRONG: {self.problem}"
        drawn = "given faults" if self.seed is None else f"seed {self.seed}"
        return f"{drawn}  slowest recovery {slowest}  {answer}  {self.faults}"


class CampaignTotal(msgspec.Struct, frozen=True):
    """The last line of ``chaos``: all runs in numbers."""

    runs: int
    exact: int
    recovery_median: float
    """Seconds."""
    recovery_max: float
    lost: int
    """Events missing in the final counts."""
    twice: int
    """Events counted twice."""


class CampaignSummary(CampaignTotal, frozen=True):
    """The same, and the number of faults."""

    faults: int

    def as_json(self) -> str:
        """Return the total as one JSON document."""
        return msgspec.json.encode(msgspec.convert(self, CampaignTotal, from_attributes=True)).decode()

    def as_text(self) -> str:
        """Return it as one line."""
        recovery = f"recovery median {self.recovery_median:.1f} s, maximum {self.recovery_max:.1f} s"
        if not self.recovery_max:
            recovery = "after none of them was anything left to count"
        return f"{self.exact} of {self.runs} exact; {self.faults} faults, {recovery}"


def run_campaign(
    request: CampaignRequest, report: Callable[[RunLine], object], hint: Callable[[str], object]
) -> list[RunLine]:
    """Run every schedule on one embedded broker or cluster.

    Args:
        request: What to run.
        report: Called with each line as soon as it is known.
        hint: Called with the command that repeats the first schedule that failed, if one did.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch("chaos"))
        supervisor = stack.enter_context(Supervisor(folder / "warm-up"))
        warm = supervisor.warm_up()
        tape = stack.enter_context(tape_of(request.scenario, scale=request.scale, seed=None))
        proxy = stack.enter_context(Proxy()) if request.network else None
        cluster = stack.enter_context(EmbeddedCluster(request.brokers, proxy.lead_to if proxy else None))
        pipeline = PipelineRequest(
            tape=tape.path,
            connection=cluster.connection,
            replication=cluster.copies,
            engine=request.engine,
            options={request.engine: request.options},
            workers=request.workers,
            client=request.client,
            speed=request.speed,
            skip_quiet=request.speed > 0,
            faults=request.declared,
        )
        warm.process.wait()  # the first run must not wait for a compiler
        runner = _Runner(pipeline, cluster, proxy, request.logs or folder)
        lines = []
        for seed, schedule in request.schedules:
            lines.append(runner.line(seed, schedule))
            report(lines[-1])
        failed = [one for (_, one), line in zip(request.schedules, lines, strict=True) if not line.exact]
        if failed:
            hint(request.repeat(shrink(failed[0], runner.fails) if request.shrinks else failed[0]))
    return lines


def summary(lines: Sequence[RunLine]) -> CampaignSummary:
    """Return all runs in numbers."""
    recoveries = sorted(seconds for line in lines for seconds in line.recoveries)
    losses = [line.loss for line in lines if line.loss]
    return CampaignSummary(
        runs=len(lines),
        exact=sum(line.exact for line in lines),
        recovery_median=statistics.median(recoveries) if recoveries else 0.0,
        recovery_max=max(recoveries, default=0.0),
        lost=sum(loss.lost for loss in losses),
        twice=sum(loss.twice for loss in losses),
        faults=sum(len(line.dealt) for line in lines),
    )


class _Runner:
    """Runs schedules one after the other on one cluster; the topics of each are deleted when it is over."""

    def __init__(self, request: PipelineRequest, cluster: EmbeddedCluster, proxy: Proxy | None, folder: Path) -> None:
        self.request = request
        self.cluster = cluster
        self.proxy = proxy
        self.folder = folder
        self.number = 0

    def run(self, faults: Sequence[Fault]) -> ChaosResult:
        self.number += 1
        name = run_id()
        request = replace(self.request, run=name, prefix=f"{name}.")
        run = ChaosRun(request, self.cluster, self.proxy, self.folder / f"{self.number:03}")
        try:
            return run.run(faults)
        finally:
            run.brokers.mend()
            forget_prefix(request.connection, request.prefix)

    def fails(self, faults: Sequence[Fault]) -> bool:
        try:
            return not self.run(faults).exact
        except JoinstormError:
            return True

    def line(self, seed: int | None, faults: Sequence[Fault]) -> RunLine:
        try:
            return _line(seed, faults, self.run(faults))
        except JoinstormError as error:
            return RunLine(seed, text(faults), exact=False, digest="", recoveries=(), problem=str(error))


def _line(seed: int | None, faults: Sequence[Fault], result: ChaosResult) -> RunLine:
    verdict = result.verdict
    wrong = [result.problem] if result.problem else []
    if verdict.mismatches:
        wrong.append(f"{verdict.mismatches:,} of {verdict.compared:,} counts differ; {result.loss}")
    wrong += [f"nothing more was counted after {fault}" for fault in result.stuck()]
    wrong += verdict.problems
    return RunLine(
        seed,
        text(faults),
        exact=result.exact,
        digest=verdict.digest,
        recoveries=tuple(round(seconds, 2) for seconds in result.recoveries()),
        dealt=tuple(
            InjectedFault(
                str(outcome.fault), outcome.counted, None if outcome.recovered is None else round(outcome.recovered, 2)
            )
            for outcome in result.outcomes
        ),
        loss=result.loss,
        problem="; ".join(wrong),
    )
