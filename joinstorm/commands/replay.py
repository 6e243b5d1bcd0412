"""``joinstorm replay``: a tape into Kafka, paced or as fast as it goes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.contract.runinfo import DEFAULT_WINDOW_MS

if TYPE_CHECKING:
    from producers.replay.playback import PlaybackResult

_file = click.Path(path_type=Path)


@click.command()
@click.argument("tape", type=_file)
@options.speed("60")
@options.client
@options.bootstrap_servers()
@options.topic_prefix
@click.option(
    "--run",
    "--run-id",
    "run",
    default=None,
    show_default="a new one",
    metavar="ID",
    help="Run id; opened and not yet played, or new.",
)
@options.partitions
@options.replication
@click.option(
    "--window", type=click.FloatRange(0.001), default=DEFAULT_WINDOW_MS / 1000, help="Seconds of a result window."
)
@click.option(
    "--watermark-step",
    type=click.FloatRange(0.001),
    default=None,
    show_default="by speed",
    help="Event seconds between watermarks.",
)
@click.option("--skip-quiet", is_flag=True, help="Send quiet phases at full speed.")
@options.moments
@click.option(
    "--pace", "paces", multiple=True, metavar="MOMENT=SPEED", help="Another speed from a moment on; repeatable."
)
@click.option("--rounds", type=click.IntRange(0), default=1, help="Runs to play one after the other; 0: no end.")
@options.faults
@click.option(
    "--faults-file", type=_file, default=None, show_default="next to the tape", help="File for the injected faults."
)
@click.option("--verify/--no-verify", default=True, help="Read the whole tape first to check its hash.")
@click.option(
    "--control", default="127.0.0.1:0", metavar="HOST:PORT|off", help="Address of the deck; port 0: any free port."
)
@click.option("--position", type=_file, default=None, help="File to save the position to, every second.")
@click.option("--resume", type=_file, default=None, help="Continue from a saved position.")
@options.output_format()
def command(form: str, **settings: Any) -> None:
    """Replay a tape into Kafka.

    Every event is sent when it is due, and followed until the broker has it. TAPE is a file that `joinstorm record` or
    `joinstorm import` wrote. A run that was opened and not yet played is played; any other run id opens a new run. A
    MOMENT is a phase (melting), an offset to one (talk+10m) or a time (2023-05-24T22:05:00Z). During the replay,
    `joinstorm control` pauses it, moves it and changes its speed.
    """
    from joinstorm.run.replaying import Player, ReplayRequest

    for result in Player(ReplayRequest(**settings)).play():
        echo(json.dumps(asdict(result)) if form == "json" else text(result))


def text(result: PlaybackResult) -> str:
    """Return a result as text."""
    pace = options.MAX_SPEED if not result.speed else f"{result.speed:g}x"
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
