"""``joinstorm replay``: a tape into Kafka, paced or as fast as it goes."""

import json
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from joinstorm import options
from joinstorm.progress import progress
from joinstorm.supervisor import InterruptedRun, interruptible
from producers.deck import MAX, Deck, speed_of
from producers.opening import open_run, opened_run
from producers.position import load_position
from producers.replay import Replay, Result, Settings, StoppedError
from producers.schedule import default_watermark_step
from producers.senders.registry import CLIENTS, sender_factory
from producers.session import play_rounds
from producers.tape import Tape
from producers.when import moment_ms
from streams.connection import Connection
from streams.errors import JoinstormError
from streams.runinfo import DEFAULT_WINDOW_MS, RunInfo
from streams.topics import DEFAULT_PARTITIONS


class SpeedParam(click.ParamType):
    """A speed: a number of at least 0.1, or ``max``, which becomes 0."""

    name = "N|max"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the speed as a number."""
        try:
            return value if isinstance(value, float) else speed_of(str(value))
        except JoinstormError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True)
class Opening:
    """How runs are opened."""

    connection: Connection
    prefix: str
    partitions: int
    window_ms: int
    watermark_step_ms: int
    replication: int


@click.command()
@click.argument("tape", type=click.Path(path_type=Path))
@click.option("--speed", type=SpeedParam(), default="60", help="Event seconds per second, from 0.1 on; max: no pacing.")
@click.option("--client", type=click.Choice(CLIENTS), default=CLIENTS[0], help="Kafka client library that sends.")
@options.bootstrap_servers()
@options.topic_prefix
@click.option("--run", "--run-id", "run", default=None, metavar="ID", help="Run id, used once.  [default: made up]")
@click.option("--partitions", type=click.IntRange(1, 1000), default=DEFAULT_PARTITIONS, help="Of each input topic.")
@click.option("--replication", type=click.IntRange(1, 100), default=1, help="Copies of each topic.")
@click.option("--window", "window_s", type=click.FloatRange(0.001), default=DEFAULT_WINDOW_MS / 1000, help="Seconds.")
@click.option("--watermark-step", type=click.FloatRange(0.001), default=None, help="Seconds.  [default: by speed]")
@click.option("--skip-quiet", is_flag=True, help="Send quiet phases at full speed.")
@click.option("--from", "begin", default=None, metavar="MOMENT", help="Send what is before at full speed: talk-30s.")
@click.option("--until", default=None, metavar="MOMENT", help="Send what is after at full speed: talk+10m.")
@click.option("--rounds", type=click.IntRange(0), default=1, help="Play so many times, each a run; 0: for ever.")
@click.option(
    "--position", type=click.Path(path_type=Path), default=None, help="Save the position there, every second."
)
@click.option("--resume", type=click.Path(path_type=Path), default=None, help="Go on from a saved position.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result.")
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    tape: Path,
    speed: float,
    client: str,
    connection: Connection | None,
    prefix: str,
    run: str | None,
    partitions: int,
    replication: int,
    window_s: float,
    watermark_step: float | None,
    skip_quiet: bool,
    begin: str | None,
    until: str | None,
    rounds: int,
    position: Path | None,
    resume: Path | None,
    form: str,
) -> None:
    """Send a tape to Kafka, every event when it is due, and follow it until the broker has it.

    TAPE is a file that `joinstorm record` or `joinstorm import` wrote. A run that was opened before and not yet
    played is played; any other run id opens a new one. A MOMENT is a phase (melting), an offset to one (talk+10m) or a
    time (2023-05-24T22:05:00Z).
    """
    window_ms = round(window_s * 1000)
    step_ms = round(watermark_step * 1000) if watermark_step else default_watermark_step(speed, window_ms)
    opening = Opening(connection or Connection(), prefix, partitions, window_ms, step_ms, replication)
    with interruptible():
        opened = Tape.open(tape)
        opened.verify()
        settings = Settings(speed=speed, skip_quiet=skip_quiet, position_file=position)
        settings = _ranged(settings, opened, begin, until)
        if resume is not None:
            settings = replace(settings, resume=load_position(resume, opened.info.sha256))
        info = settings.resume.info if settings.resume else _open(opening, opened, run or _made_up(opened))
        with progress() as show, _stopping(Deck(show)) as deck:
            make_sender = sender_factory(client, opening.connection, paced=speed > 0)

            def play_run(run_info: RunInfo, how: Settings) -> Result:
                return Replay(opened, run_info, make_sender, deck, how).play()

            def open_next(number: int) -> RunInfo:
                return _open(opening, opened, f"{info.run}-{number}")

            for result in play_rounds(info, settings, deck, play_run, open_next, rounds=rounds):
                click.echo(json.dumps(asdict(result)) if form == "json" else text(result))


def _open(opening: Opening, tape: Tape, run: str) -> RunInfo:
    known = opened_run(opening.connection, run, opening.prefix)
    if known is not None and known.tape_sha256 == tape.info.sha256:
        return known
    return open_run(
        opening.connection,
        tape.info,
        run=run,
        prefix=opening.prefix,
        partitions=opening.partitions,
        window_ms=opening.window_ms,
        watermark_step_ms=opening.watermark_step_ms,
        replication=opening.replication,
    )


def _made_up(tape: Tape) -> str:
    name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in tape.info.name.lower())
    return f"{name[:20].strip('-') or 'tape'}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"


def _ranged(settings: Settings, tape: Tape, begin: str | None, until: str | None) -> Settings:
    info = tape.info

    def moment(text: str | None) -> int | None:
        return None if text is None else moment_ms(text, info.phases, info.start, info.end, info.start)

    return replace(settings, begin=moment(begin), until=moment(until))


@contextmanager
def _stopping(deck: Deck) -> Iterator[Deck]:
    """While the tape plays, SIGTERM and SIGINT tell the deck to stop, which ends the run in order."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        deck.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield deck
    except StoppedError:
        raise InterruptedRun from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def text(result: Result) -> str:
    """Return a result for people."""
    pace = MAX if not result.speed else f"{result.speed:g}x"
    line = (
        f"run {result.run}: {result.sent:,} records acknowledged, {result.failed} failed, in {result.seconds:.1f} s "
        f"({result.events_per_second:,.0f} events/s, {result.client}, speed {pace})"
    )
    if result.paced:
        line += (
            f"\non time: {result.on_time_ratio:.2%} of {result.paced:,} paced events left within 100 ms; late by "
            f"{result.lateness_p50 * 1000:.1f} ms (median), {result.lateness_p99 * 1000:.1f} ms (99 %), "
            f"{result.lateness_max * 1000:.1f} ms (most); acknowledged after {result.acknowledged_p50 * 1000:.1f} ms "
            f"(median), {result.acknowledged_p99 * 1000:.1f} ms (99 %)"
        )
    return line
