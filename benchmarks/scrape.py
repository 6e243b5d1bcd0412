"""What it costs to be scraped: the exporter's answer under full load, and the worker's speed with and without scrapes.

    python -m benchmarks.scrape --scale 1 --rounds 3

Each round fills the topics of two new runs and counts them with one worker while exporter and truth are there: one run
is scraped, exporter and worker, as docker/prometheus.yml does, the other one is not; which one comes first alternates.
Only the scraping differs. Exit code 1 when the exporter takes 50 ms or more to work out an answer (99th percentile), or
when the worker's processor time per event grows by more than the rounds without scrapes differ among themselves.
"""

import contextlib
import sys
import threading
import time
import urllib.request
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
from streams.system.scratch import scratch

LIMIT_SECONDS = 0.05
READY_SECONDS = 120.0
RUN_SECONDS = 1800.0


@dataclass
class Scrapes:
    """What scrapes took, in seconds."""

    exporter: list[float] = field(default_factory=list)
    """From the request to the last byte."""
    computing: list[float] = field(default_factory=list)
    """What the exporter says that working out its answer took."""
    worker: list[float] = field(default_factory=list)


@dataclass
class Rounds:
    """What the worker did in every round, and what the scrapes took in all of them."""

    quiet: list[Summary] = field(default_factory=list)
    scraped: list[Summary] = field(default_factory=list)
    scrapes: Scrapes = field(default_factory=Scrapes)


@click.command()
@click.option("--tape", "name", default="launch", help="A scenario to record, or a tape.")
@click.option("--scale", default=0.05, help="1 is the real size.")
@click.option("--rounds", type=click.IntRange(1), default=3, help="How often both are measured.")
@click.option("--every", default=1.0, help="Seconds between two scrapes.")
def main(name: str, scale: float, rounds: int, every: float) -> int:
    """Measure, and print a table."""
    found = Rounds()
    with interruptible(), contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch("scrape"))
        tape = stack.enter_context(tape_of(name, scale=scale, seed=None))
        for number in range(rounds):
            for scraped in (False, True) if number % 2 == 0 else (True, False):
                summary = _measure(folder, tape, found.scrapes if scraped else None, every)
                (found.scraped if scraped else found.quiet).append(summary)
                click.echo(f"round {number + 1}, {'' if scraped else 'not '}scraped: {_line(summary)}", err=True)
    click.echo(_report(found))
    return 0 if _cheap(found) else 1


def _measure(folder: Path, tape: Tape, scrapes: Scrapes | None, every: float) -> Summary:
    """Count one run, on a broker of its own, and return what the worker says of itself."""
    with EmbeddedBroker() as broker, Supervisor(folder / run_id()) as supervisor:
        where = broker.connection
        plan = PipelineRequest(tape=tape.path, connection=where, client="aiokafka")
        pipeline = Pipeline(plan, supervisor)
        pipeline.open()
        for part in (pipeline.start_truth(), pipeline.start_replay()):
            _end_of(part)
        here = ["--bootstrap-servers", where.bootstrap_servers, "--run", plan.run]
        exporter = supervisor.start("exporter", joinstorm("export", "--port", "0", *here))
        page = _said(exporter, "http://")
        worker = supervisor.start(
            "worker", joinstorm("stream", "--engine", "faust", "--metrics-port", "0", "--format", "json", *here)
        )
        own = msgspec.json.decode(_said(worker, "{"))
        with _scraping(page, f"http://127.0.0.1:{own['metrics_port']}/metrics", scrapes, every):
            _end_of(worker)
        return msgspec.json.decode(worker.log.read_bytes().splitlines()[-1], type=Summary)


def _end_of(part: ChildProcess) -> None:
    """Wait until a part has ended well."""
    if part.wait(RUN_SECONDS) != 0:
        raise DeadlineError(f"{part.name} did not end well:\n{part.tail()}")


def _said(part: ChildProcess, start: str) -> str:
    """Wait for a line of a part that starts so, and return it."""
    deadline = time.monotonic() + READY_SECONDS
    while part.exit_code() is None and time.monotonic() < deadline:
        lines = part.log.read_text(encoding="utf-8").splitlines()
        if found := next((line for line in lines if line.startswith(start)), None):
            return found
        time.sleep(0.02)
    raise DeadlineError(f"{part.name} did not start:\n{part.tail()}")


@contextlib.contextmanager
def _scraping(exporter: str, worker: str, scrapes: Scrapes | None, every: float) -> Iterator[None]:
    """Ask both pages over and over, in a thread, as long as the context lasts; nobody is asked without ``scrapes``."""
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
    said = (line for line in text.splitlines() if line.startswith(metrics.SCRAPE.name))
    if (computing := float(next(said).split()[-1])) > 0:  # the first answer has none before it
        scrapes.computing.append(computing)
    scrapes.worker.append(_get(worker)[1])


def _get(url: str) -> tuple[str, float]:
    began = time.perf_counter()
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode(), time.perf_counter() - began


def _cheap(found: Rounds) -> bool:
    quiet, scraped = ([_cost(one) for one in them] for them in (found.quiet, found.scraped))
    return bool(_percentile(found.scrapes.computing, 99) < LIMIT_SECONDS) and (
        fmean(scraped) - fmean(quiet) <= max(quiet) - min(quiet)
    )


def _cost(summary: Summary) -> float:
    """Return the processor time of a million events, in seconds."""
    return summary.cpu_seconds / summary.events * 1e6


def _percentile(values: list[float], share: float) -> float:
    return float(np.percentile(values, share)) if values else float("nan")


def _report(found: Rounds) -> str:
    scrapes = found.scrapes
    lines = ["| scrape | number | median ms | p99 ms |", "| --- | ---: | ---: | ---: |"]
    named = (("exporter, working out", scrapes.computing), ("exporter, whole request", scrapes.exporter))
    for name, values in (*named, ("worker, whole request", scrapes.worker)):
        lines.append(
            f"| {name} | {len(values)} | {_percentile(values, 50) * 1e3:.1f} | {_percentile(values, 99) * 1e3:.1f} |"
        )
    lines += ["", "| worker | events/s | CPU s per million events |", "| --- | ---: | ---: |"]
    for name, them in (("not scraped", found.quiet), ("scraped", found.scraped)):
        costs = [_cost(one) for one in them]
        rate = fmean(one.events / one.seconds for one in them)
        lines.append(f"| {name} | {rate:,.0f} | {fmean(costs):.2f} ({min(costs):.2f} to {max(costs):.2f}) |")
    return "\n".join(lines)


def _line(summary: Summary) -> str:
    rate = summary.events / summary.seconds
    return f"{summary.events:,} events, {rate:,.0f} events/s, {_cost(summary):.2f} CPU s per million"


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
