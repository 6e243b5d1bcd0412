"""``joinstorm replay``: a tape into Kafka, paced or as fast as it goes."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from joinstorm.commands import options
from joinstorm.run.replaying import Player, ReplayRequest
from producers.replay.deck import MAX, speed_of
from producers.replay.playback import PlaybackResult
from producers.senders.registry import CLIENTS
from streams.contract.runinfo import DEFAULT_WINDOW_MS
from streams.contract.topics import DEFAULT_PARTITIONS
from streams.errors import JoinstormError

_file = click.Path(path_type=Path)


class SpeedParam(click.ParamType):
    """A speed: a number of at least 0.1, or ``max``, which becomes 0."""

    name = "N|max"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the speed as a number."""
        try:
            return value if isinstance(value, float) else speed_of(str(value))
        except JoinstormError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("tape", type=_file)
@click.option("--speed", type=SpeedParam(), default="60", help="Event seconds per second, from 0.1 on; max: no pacing.")
@click.option("--client", type=click.Choice(CLIENTS), default=CLIENTS[0], help="Kafka client library that sends.")
@options.bootstrap_servers()
@options.topic_prefix
@click.option("--run", "--run-id", "run", default=None, metavar="ID", help="Run id, used once.  [default: made up]")
@click.option("--partitions", type=click.IntRange(1, 1000), default=DEFAULT_PARTITIONS, help="Of each input topic.")
@click.option("--replication", type=click.IntRange(1, 100), default=1, help="Copies of each topic.")
@click.option(
    "--window", type=click.FloatRange(0.001), default=DEFAULT_WINDOW_MS / 1000, help="Of the results, in seconds."
)
@click.option(
    "--watermark-step", type=click.FloatRange(0.001), default=None, help="In seconds of the night.  [default: by speed]"
)
@click.option("--skip-quiet", is_flag=True, help="Send quiet phases at full speed.")
@click.option("--from", "begin", default=None, metavar="MOMENT", help="Send what is before at full speed: talk-30s.")
@click.option("--until", default=None, metavar="MOMENT", help="Send what is after at full speed: talk+10m.")
@click.option("--rounds", type=click.IntRange(0), default=1, help="Play so many times, each a run; 0: for ever.")
@options.faults
@click.option(
    "--faults-file", type=_file, default=None, help="Where the faults are accounted for.  [default: by the tape]"
)
@click.option(
    "--verify/--no-verify", default=True, help="Read the tape beforehand to see that it is whole; somebody else does."
)
@click.option("--control", default="127.0.0.1:0", metavar="HOST:PORT|off", help="Where the deck listens; port 0: any.")
@click.option("--position", type=_file, default=None, help="Save the position there, every second.")
@click.option("--resume", type=_file, default=None, help="Go on from a saved position.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result.")
def command(form: str, **asked: Any) -> None:
    """Send a tape to Kafka, every event when it is due, and follow it until the broker has it.

    TAPE is a file that `joinstorm record` or `joinstorm import` wrote. A run that was opened before and not yet
    played is played; any other run id opens a new one. A MOMENT is a phase (melting), an offset to one (talk+10m) or a
    time (2023-05-24T22:05:00Z). While it plays, `joinstorm control` pauses it, moves it and changes its speed.
    """
    for result in Player(ReplayRequest(**asked)).play():
        click.echo(json.dumps(asdict(result)) if form == "json" else text(result))


def text(result: PlaybackResult) -> str:
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
