"""``joinstorm bench``: measurements, each side by side in one run."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EngineError
from streams.system import children
from streams.visible import visible_line

if TYPE_CHECKING:
    from joinstorm.bench.measurement import Measurement
    from joinstorm.engines.engineoptions import EngineOption
    from joinstorm.run.pipeline import Pipeline
    from joinstorm.run.supervisor import ChildProcess, Supervisor

EVENTS_AT_FULL_SIZE = 7_600_000
"""Events of the launch at scale 1, a little fewer than there are, so that a scale never gives too few."""
MOST_RATIOS = 3
"""Up to so many engines beside ``faust`` have a column of ratios each: a table has to fit a screen."""
STOP_SECONDS = 60.0
"""How long a stopped engine may take to report what it counted."""

_events = click.option(
    "--events", type=click.IntRange(10_000), default=4_000_000, help="Smallest number of events of the night."
)
_repeats = click.option("--repeats", type=click.IntRange(1), default=5, help="Runs of each contender.")
_picture = options.picture("Also draw the rates to this .png or .svg file.")


@click.group()
def command() -> None:
    """Measure engines or producers side by side."""


@command.command()
@_events
@click.option("--slice", "limit", type=click.IntRange(1_000), default=60_000, help="Events for the stock agent.")
@click.option("--seconds", type=click.FloatRange(1.0), default=120.0, help="Stop an engine after this time.")
@click.option("--engine", "names", multiple=True, default=("faust",), help="Engine to measure; repeatable.")
@click.option(
    "--program", "programs", multiple=True, metavar="NAME=COMMAND", help="External program to measure; repeatable."
)
@options.engines_options
@_repeats
@_picture
@options.output_format()
def engines(  # noqa: PLR0913 - one argument per option
    *,
    events: int,
    limit: int,
    seconds: float,
    names: tuple[str, ...],
    programs: tuple[str, ...],
    options: tuple[EngineOption, ...],
    repeats: int,
    picture: Path | None,
    form: str,
) -> None:
    """Measure engines against a yardstick.

    All of them read one run. The yardstick fetches with aiokafka and decodes with msgspec, nothing else. An engine does
    its whole work, results and checkpoints included; an engine that runs out of time is rated by what it had counted.
    A stock Faust agent counts typed records, on a slice. Each has a process and a core of its own and, one after the
    other, the machine to itself; with repeats they take turns, and medians are compared. Wall-clock time runs from the
    first record to the last, of a program from its start. Below the table stand every setup, and where faust is behind.
    """
    from joinstorm.bench.contender import STOCK, YARDSTICK
    from joinstorm.bench.setups import setups
    from joinstorm.engines.catalog import check
    from joinstorm.engines.engineoptions import by_engine
    from streams.engines.program import is_program
    from streams.engines.registry import name_of

    commands = dict(map(_program, programs))
    given = {**{name: name for name in names}, **{name: f"external:{text}" for name, text in commands.items()}}
    settings = by_engine(options, [*given], commands)
    for name, engine in given.items():
        check(engine, settings[name])
    shown = {name: name_of(name) if is_program(name) else name for name in given}
    contenders = {shown[name]: engine for name, engine in given.items()}
    own = {shown[name]: found for name, found in settings.items()}
    measured: dict[str, list[Measurement]] = {}
    with _broker_and_tape(events) as (tape, supervisor, pipeline):
        pipeline.open()
        _wait(pipeline.start_replay(), f"sending {tape.name}")
        where = [pipeline.request.connection.bootstrap_servers, pipeline.request.run]
        for number in range(1, repeats + 1):
            for name in (YARDSTICK, *contenders, STOCK):
                label, its = f"{_plain(name)}-{number}", json.dumps(own.get(name, {}))
                engine = contenders.get(name, name)
                part = _contender(supervisor, label, "contender", engine, *where, str(limit), label, its)
                time_limit = None if name in {YARDSTICK, STOCK} else seconds
                measured.setdefault(name, []).append(_measured(part, f"measuring {name}", time_limit))
    others = [name for name in contenders if name != "faust"]
    bases = (YARDSTICK, *(others if len(others) <= MOST_RATIOS else ()), STOCK)
    notes = setups(contenders, own)
    _report(measured, bases, notes, picture, form, "Engines: events per second on one core")


def _program(option: str) -> tuple[str, str]:
    name, sign, program = option.partition("=")
    if not (name and sign and program):
        raise click.BadParameter(f"{option!r}: expected NAME=COMMAND", param_hint="--program")
    return name, program


@command.command()
@_events
@click.option(
    "--client",
    "names",
    type=click.Choice(options.CLIENTS),
    multiple=True,
    default=options.CLIENTS,
    help="Client to measure; repeatable.",
)
@_repeats
@_picture
@options.output_format()
def producers(*, events: int, names: tuple[str, ...], repeats: int, picture: Path | None, form: str) -> None:
    """Measure producers against bare clients.

    joinstorm's producers read a tape, encode, partition and follow every record until the broker has it. The bare
    clients send records that are ready in memory, the first of the same tape: with aiokafka's send_batch, and with
    kafka-python's send. With repeats they take turns, and medians are compared.
    """
    measured: dict[str, list[Measurement]] = {}
    with _broker_and_tape(events) as (tape, supervisor, pipeline):
        from joinstorm.bench.producing import RAW
        from joinstorm.run.pipeline import Pipeline, PipelineRequest

        for number, name in enumerate([each for client in names for each in (RAW[client], client)] * repeats):
            own = Pipeline(PipelineRequest(tape=tape, connection=pipeline.request.connection), supervisor)
            own.open()
            where = [own.request.connection.bootstrap_servers, own.request.run]
            part = _contender(supervisor, f"{name}-{number}", "producing", name, *where, str(tape))
            measured.setdefault(name, []).append(_measured(part, f"measuring {name}"))
    _report(measured, [RAW[client] for client in names], {}, picture, form, "Producers: events per second")


@contextlib.contextmanager
def _broker_and_tape(events: int) -> Iterator[tuple[Path, Supervisor, Pipeline]]:
    """Yield a tape of the launch with at least so many events, and a pipeline that replays it into a broker."""
    import joinstorm.bench.contender  # noqa: F401 - before polars, whose threads it limits
    from joinstorm.embedded.broker import EmbeddedBroker
    from joinstorm.run.pipeline import Pipeline, PipelineRequest
    from joinstorm.run.supervisor import Supervisor, compile_kernels
    from joinstorm.terminal.recordingbar import tape_of
    from streams.system.scratch import scratch

    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch("bench"))
        tape = stack.enter_context(tape_of("launch", scale=events / EVENTS_AT_FULL_SIZE, seed=None)).path
        compile_kernels()
        supervisor = stack.enter_context(Supervisor(folder))
        broker = stack.enter_context(EmbeddedBroker())
        request = PipelineRequest(tape=tape, connection=broker.connection, client="aiokafka")
        yield tape, supervisor, Pipeline(request, supervisor)


def _plain(name: str) -> str:
    """Return a name for logs and results: without what a command line or a path may hold."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", name)


def _contender(supervisor: Supervisor, label: str, module: str, *arguments: str) -> ChildProcess:
    """Start a contender; with a label of its own each run has its own log."""
    return supervisor.start(f"bench-{label}", children.python_module(f"joinstorm.bench.{module}", *arguments))


def _measured(part: ChildProcess, what: str, seconds: float | None = None) -> Measurement:
    import msgspec

    from joinstorm.bench.measurement import Measurement

    stopped = _wait(part, what, seconds)
    *_, last = [b"", *part.log.read_bytes().splitlines()]
    try:
        return msgspec.json.decode(last, type=Measurement)
    except msgspec.MsgspecError:
        if not stopped:
            raise EngineError(f"{what}: {part.name} measured nothing; the end of its log:\n{part.tail()}") from None
        return Measurement(part.name, 0, seconds or 0.0, 0.0, complete=False)  # it had not even started to count


def _wait(part: ChildProcess, what: str, seconds: float | None = None) -> bool:
    """Wait for a part; after so many seconds it is asked to end. Return whether it was."""
    from rich.console import Console
    from rich.text import Text

    stopped = False
    with Console(stderr=True).status(Text(visible_line(what))) if sys.stderr.isatty() else contextlib.nullcontext():
        try:
            part.process.wait(seconds)
        except subprocess.TimeoutExpired:
            stopped = True
            children.end_processes(part.process, seconds=STOP_SECONDS)
    code = part.exit_code()
    if code and not (stopped and code == -signal.SIGTERM):
        raise EngineError(f"{what}: {part.name} ended with exit code {code}; the end of its log:\n{part.tail()}")
    return stopped


def _report(
    measured: dict[str, list[Measurement]],
    bases: Sequence[str],
    notes: Mapping[str, str],
    picture: Path | None,
    form: str,
    title: str,
) -> None:
    from joinstorm.bench.machine import machine
    from joinstorm.bench.measurement import Repeats
    from joinstorm.bench.table import as_json, as_text, draw

    rows = [Repeats(name, tuple(runs)) for name, runs in measured.items()]
    echo(as_json(rows, machine(), notes) if form == "json" else as_text(rows, bases, machine(), notes))
    if picture is not None:
        draw(rows, picture, title)
