"""``joinstorm bench``: measurements, each side by side in one run."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console

from joinstorm.bench.contender import STOCK, YARDSTICK
from joinstorm.bench.machine import machine
from joinstorm.bench.measurement import Measurement
from joinstorm.bench.producing import RAW
from joinstorm.bench.table import as_json, as_text, draw
from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.run.pipeline import Pipeline, PipelineRequest
from joinstorm.run.supervisor import ChildProcess, Supervisor
from joinstorm.terminal.recordingbar import tape_of
from producers.senders.registry import CLIENTS
from streams.engines.registry import load
from streams.errors import EngineError
from streams.system.scratch import scratch

EVENTS_AT_FULL_SIZE = 7_600_000
"""Events of the launch at scale 1, a little fewer than there are, so that a scale never gives too few."""
LAST_WORDS_SECONDS = 60.0

_events = click.option(
    "--events", type=click.IntRange(10_000), default=4_000_000, help="Events of the night, at least."
)
_picture = click.option(
    "--picture", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Draw the rates there: .svg, .png."
)
_form = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result."
)


@click.group()
def command() -> None:
    """Measure, side by side in one run."""


@command.command()
@_events
@click.option("--slice", "limit", type=click.IntRange(1_000), default=60_000, help="Events for the stock agent.")
@click.option("--seconds", type=click.FloatRange(1.0), default=120.0, help="An engine that takes longer is stopped.")
@click.option("--engine", "names", multiple=True, default=("faust",), help="Engine to measure; may be given again.")
@_picture
@_form
def engines(events: int, limit: int, seconds: float, names: tuple[str, ...], picture: Path | None, form: str) -> None:
    """Measure engines on one run against a yardstick and a stock Faust agent.

    The yardstick fetches with aiokafka and decodes with msgspec, nothing else. An engine does its whole work, results
    and checkpoints included; the rate of one whose time is up is that of what it had counted. The stock agent counts
    typed records, on a slice. Each has a process and a core of its own and, one after the other, the machine to
    itself; wall clock time is from the first record to the last.
    """
    for name in names:
        load(name)
    with _stage(events) as (tape, supervisor, pipeline):
        pipeline.open()
        _wait(pipeline.start_replay(), f"sending {tape.name}")
        measured = []
        for name in (YARDSTICK, *names, STOCK):
            where = [pipeline.plan.connection.bootstrap_servers, pipeline.plan.run]
            part = _contender(supervisor, "contender", name, *where, str(limit))
            measured.append(_measured(part, f"measuring {name}", seconds if name in names else None))
    _tell(measured, (YARDSTICK, *_others(names), STOCK), picture, form, "Engines: events per second on one core")


@command.command()
@_events
@click.option(
    "--client", "names", type=click.Choice(CLIENTS), multiple=True, default=CLIENTS, help="Client to measure."
)
@_picture
@_form
def producers(events: int, names: tuple[str, ...], picture: Path | None, form: str) -> None:
    """Measure the producers, each beside its bare client library.

    joinstorm's read a tape, encode, partition and follow every record until the broker has it. The bare ones hand over
    what lies ready in memory, the first records of the same tape: by aiokafka's send_batch, and by kafka-python's send.
    """
    with _stage(events) as (tape, supervisor, pipeline):
        measured = []
        for name in [contender for client in names for contender in (RAW[client], client)]:
            own = Pipeline(PipelineRequest(tape=tape, connection=pipeline.plan.connection), supervisor)
            own.open()
            where = [own.plan.connection.bootstrap_servers, own.plan.run]
            part = _contender(supervisor, "producing", name, *where, str(tape))
            measured.append(_measured(part, f"measuring {name}", None))
    _tell(measured, [RAW[client] for client in names], picture, form, "Producers: events per second")


@contextlib.contextmanager
def _stage(events: int) -> Iterator[tuple[Path, Supervisor, Pipeline]]:
    """A tape of the launch with so many events, and a broker."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch("bench"))
        tape = stack.enter_context(tape_of("launch", scale=events / EVENTS_AT_FULL_SIZE, seed=None)).path
        supervisor = stack.enter_context(Supervisor(folder))
        broker = stack.enter_context(EmbeddedBroker())
        yield (
            tape,
            supervisor,
            Pipeline(PipelineRequest(tape=tape, connection=broker.connection, client="aiokafka"), supervisor),
        )


def _others(names: Sequence[str]) -> list[str]:
    return [name for name in names if name != "faust"]


def _contender(supervisor: Supervisor, module: str, name: str, *arguments: str) -> ChildProcess:
    return supervisor.start(f"bench-{name}", [sys.executable, "-m", f"joinstorm.bench.{module}", name, *arguments])


def _measured(part: ChildProcess, what: str, seconds: float | None) -> Measurement:
    _wait(part, what, seconds)
    return msgspec.json.decode(part.log.read_bytes().splitlines()[-1], type=Measurement)


def _wait(part: ChildProcess, what: str, seconds: float | None = None) -> None:
    """Wait for a part; after so many seconds it is asked to end."""
    with Console(stderr=True).status(what) if sys.stderr.isatty() else contextlib.nullcontext():
        try:
            code = part.process.wait(seconds)
        except subprocess.TimeoutExpired:
            part.process.terminate()
            code = part.process.wait(LAST_WORDS_SECONDS)
    if code:
        raise EngineError(f"{what}: {part.name} ended with exit code {code}; the end of its log:\n{part.tail()}")


def _tell(measured: list[Measurement], bases: Sequence[str], picture: Path | None, form: str, title: str) -> None:
    click.echo(as_json(measured, machine()) if form == "json" else as_text(measured, bases, machine()))
    if picture is not None:
        draw(measured, picture, title)
