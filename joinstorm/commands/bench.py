"""``joinstorm bench``: measurements, each side by side in one run."""

import contextlib
import sys
import tempfile
from pathlib import Path

import click
import msgspec
from rich.console import Console

from joinstorm.bench.contender import STOCK, YARDSTICK, Measured
from joinstorm.broker import EmbeddedBroker
from joinstorm.pipeline import Pipeline, Plan
from joinstorm.recording import tape_of
from joinstorm.supervisor import Part, Supervisor, interruptible
from streams.connection import Connection
from streams.errors import EngineError

EVENTS_AT_FULL_SIZE = 7_600_000
"""Events of the launch at scale 1, a little fewer than there are, so that a scale never gives too few."""


@click.group()
def command() -> None:
    """Measure, side by side in one run."""


@command.command()
@click.option("--events", type=click.IntRange(10_000), default=4_000_000, help="Events on the topics, at least.")
@click.option("--slice", "limit", type=click.IntRange(1_000), default=60_000, help="Events for the stock agent.")
@click.option("--engine", "names", multiple=True, default=("faust",), help="Engine to measure; may be given again.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result.")
def engines(events: int, limit: int, names: tuple[str, ...], form: str) -> None:
    """Measure engines on one run against a yardstick and a stock Faust agent.

    The yardstick fetches with aiokafka and decodes with msgspec, nothing else. An engine does its whole work, results
    and checkpoints included. The stock agent counts typed records, on a slice. Each has a process of its own and, one
    after the other, the machine to itself; wall clock time is from the first record to the last.
    """
    with interruptible(), contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="joinstorm-bench-")))
        tape = stack.enter_context(tape_of("launch", scale=events / EVENTS_AT_FULL_SIZE, seed=None))
        supervisor = stack.enter_context(Supervisor(folder))
        broker = stack.enter_context(EmbeddedBroker())
        pipeline = Pipeline(Plan(tape=tape.path, connection=broker.connection, client="aiokafka"), supervisor)
        pipeline.open()
        _wait(pipeline.start_replay(), "filling the topics")
        contenders = (YARDSTICK, *names, STOCK)
        measured = [_measure(supervisor, broker.connection, pipeline.plan.run, name, limit) for name in contenders]
    click.echo(_json(measured) if form == "json" else _text(measured))


def _measure(supervisor: Supervisor, connection: Connection, run: str, name: str, limit: int) -> Measured:
    arguments = [name, connection.bootstrap_servers, run, str(limit)]
    part = supervisor.start(f"bench-{name}", [sys.executable, "-m", "joinstorm.bench.contender", *arguments])
    _wait(part, f"measuring {name}")
    return msgspec.json.decode(part.log.read_bytes().splitlines()[-1], type=Measured)


def _wait(part: Part, what: str) -> None:
    with Console(stderr=True).status(what) if sys.stderr.isatty() else contextlib.nullcontext():
        code = part.process.wait()
    if code:
        raise EngineError(f"{what}: {part.name} ended with exit code {code}; the end of its log:\n{part.tail()}")


def _json(measured: list[Measured]) -> str:
    rows = [
        {**msgspec.to_builtins(one), "per_second": one.per_second, "per_cpu_second": one.per_cpu_second}
        for one in measured
    ]
    return msgspec.json.encode(rows).decode()


def _text(measured: list[Measured]) -> str:
    yardstick, stock = measured[0], measured[-1]
    lines = [f"{'':14}{'events':>10}  {'events/s':>10}  {'per CPU s':>10}  {'x yardstick':>11}  {'x stock':>8}"]
    lines += [
        f"{one.name:14}{one.events:>10,}  {one.per_second:>10,.0f}  {one.per_cpu_second:>10,.0f}  "
        f"{one.per_second / yardstick.per_second:>11.2f}  {one.per_second / stock.per_second:>8.1f}"
        for one in measured
    ]
    return "\n".join(lines)
