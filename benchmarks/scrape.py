"""The cost of being scraped: the exporter's answers under full load, and the worker's speed with and without scrapes.

    python -m benchmarks.scrape --scale 1 --rounds 3

Each round fills the topics of two new runs and counts them with one worker, with exporter and truth present. In one run
exporter and worker are scraped as in docker/prometheus.yml, in the other not; the order alternates. Exit code 1 if the
exporter takes 50 ms or more to compute an answer (99th percentile), or if scrapes raise the worker's processor time per
event by more than the spread of the rounds without scrapes.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import click
import msgspec
import numpy as np

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.interrupts import interruptible
from joinstorm.run.pipeline import Pipeline, PipelineRequest, run_id
from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from joinstorm.terminal.recordingbar import tape_of
from producers.tape.tapefile import Tape
from streams.engines.abstract import Summary
from streams.errors import DeadlineError
from streams.metrics import definitions as metrics
from streams.system.directhttp import open_directly
from streams.system.scratch import scratch

LIMIT_SECONDS = 0.05
READY_SECONDS = 120.0
RUN_SECONDS = 1800.0


@dataclass
class Scrapes:
    """Durations of scrapes, in seconds."""

    exporter: list[float] = field(default_factory=list)
    """From the request to the last byte."""
    computing: list[float] = field(default_factory=list)
    """The computing time that the exporter reports."""
    worker: list[float] = field(default_factory=list)


@dataclass
class Rounds:
    """The worker's summary of every round, and the scrapes of all rounds."""

    quiet: list[Summary] = field(default_factory=list)
    scraped: list[Summary] = field(default_factory=list)
    scrapes: Scrapes = field(default_factory=Scrapes)


@click.command()
@click.option("--tape", "name", default="launch", help="A scenario to record, or a tape.")
@click.option("--scale", default=0.05, help="1 is the real size.")
@click.option("--rounds", "count", type=click.IntRange(1), default=3, help="Rounds to measure.")
@click.option("--every", default=1.0, help="Seconds between two scrapes.")
def main(name: str, scale: float, count: int, every: float) -> int:
    """Measure and print a table."""
    rounds = Rounds()
    with interruptible(), contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch("scrape"))
        tape = stack.enter_context(tape_of(name, scale=scale, seed=None))
        for number in range(count):
            for scraped in (False, True) if number % 2 == 0 else (True, False):
                summary = _measure(folder, tape, rounds.scrapes if scraped else None, every)
                (rounds.scraped if scraped else rounds.quiet).append(summary)
                click.echo(f"round {number + 1}, {'' if scraped else 'not '}scraped: {_line(summary)}", err=True)
    click.echo(_report(rounds))
    return 0 if _cheap(rounds) else 1


def _measure(folder: Path, tape: Tape, scrapes: Scrapes | None, every: float) -> Summary:
    """Count one run, on a broker of its own, and return the worker's summary."""
    with EmbeddedBroker() as broker, Supervisor(folder / run_id()) as supervisor:
        where = broker.connection
        plan = PipelineRequest(tape=tape.path, connection=where, client="aiokafka")
        pipeline = Pipeline(plan, supervisor)
        pipeline.open()
        for part in (pipeline.start_truth(), pipeline.start_replay()):
            _wait_for(part)
        here = ["--bootstrap-servers", where.bootstrap_servers, "--run", plan.run]
        exporter = supervisor.start("exporter", joinstorm("export", "--port", "0", *here))
        page = _first_line(exporter, "http://")
        worker = supervisor.start(
            "worker", joinstorm("stream", "--engine", "faust", "--metrics-port", "0", "--format", "json", *here)
        )
        own = msgspec.json.decode(_first_line(worker, "{"))
        with _scraping(page, f"http://127.0.0.1:{own['metrics_port']}/metrics", scrapes, every):
            _wait_for(worker)
        return msgspec.json.decode(worker.log.read_bytes().splitlines()[-1], type=Summary)


def _wait_for(part: ChildProcess) -> None:
    """Wait until a process has ended successfully."""
    if part.wait(RUN_SECONDS) != 0:
        raise DeadlineError(f"{part.name} failed or did not end:\n{part.tail()}")


def _first_line(part: ChildProcess, start: str) -> str:
    """Wait for the first output line of a process that begins with ``start``, and return it."""
    deadline = time.monotonic() + READY_SECONDS
    while part.exit_code() is None and time.monotonic() < deadline:
        lines = part.log.read_text(encoding="utf-8").splitlines()
        if found := next((line for line in lines if line.startswith(start)), None):
            return found
        time.sleep(0.02)
    raise DeadlineError(f"{part.name} did not start:\n{part.tail()}")


@contextlib.contextmanager
def _scraping(exporter: str, worker: str, scrapes: Scrapes | None, every: float) -> Iterator[None]:
    """Scrape both pages periodically in a thread while the block lasts; without ``scrapes`` do nothing."""
    if scrapes is None:
        yield
        return
    over = threading.Event()

    def ask() -> None:
        due = time.monotonic()
        while not over.wait(max(0.0, due - time.monotonic())):
            with contextlib.suppress(OSError):  # the worker has ended
                _scrape(exporter, worker, scrapes)
            due += every

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _scrape(exporter: str, worker: str, scrapes: Scrapes) -> None:
    text, took = _get(exporter)
    scrapes.exporter.append(took)
    lines = (line for line in text.splitlines() if line.startswith(metrics.SCRAPE.name))
    if (computing := float(next(lines).split()[-1])) > 0:  # the first answer reports none
        scrapes.computing.append(computing)
    scrapes.worker.append(_get(worker)[1])


def _get(url: str) -> tuple[str, float]:
    began = time.perf_counter()
    with open_directly(url, 30) as answer:
        return answer.read().decode(), time.perf_counter() - began


def _cheap(rounds: Rounds) -> bool:
    quiet, scraped = ([_cost(summary) for summary in part] for part in (rounds.quiet, rounds.scraped))
    return bool(_percentile(rounds.scrapes.computing, 99) < LIMIT_SECONDS) and (
        fmean(scraped) - fmean(quiet) <= max(quiet) - min(quiet)
    )


def _cost(summary: Summary) -> float:
    """Return the processor time of a million events, in seconds."""
    return summary.cpu_seconds / summary.events * 1e6


def _percentile(values: list[float], share: float) -> float:
    return float(np.percentile(values, share)) if values else float("nan")


def _report(rounds: Rounds) -> str:
    scrapes = rounds.scrapes
    lines = ["| scrape | number | median ms | p99 ms |", "| --- | ---: | ---: | ---: |"]
    named = (("exporter, computing", scrapes.computing), ("exporter, whole request", scrapes.exporter))
    for name, values in (*named, ("worker, whole request", scrapes.worker)):
        lines.append(
            f"| {name} | {len(values)} | {_percentile(values, 50) * 1e3:.1f} | {_percentile(values, 99) * 1e3:.1f} |"
        )
    lines += ["", "| worker | events/s | CPU s per million events |", "| --- | ---: | ---: |"]
    for name, summaries in (("not scraped", rounds.quiet), ("scraped", rounds.scraped)):
        costs = [_cost(summary) for summary in summaries]
        rate = fmean(summary.events / summary.seconds for summary in summaries)
        lines.append(f"| {name} | {rate:,.0f} | {fmean(costs):.2f} ({min(costs):.2f} to {max(costs):.2f}) |")
    return "\n".join(lines)


def _line(summary: Summary) -> str:
    rate = summary.events / summary.seconds
    return f"{summary.events:,} events, {rate:,.0f} events/s, {_cost(summary):.2f} CPU s per million"


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
