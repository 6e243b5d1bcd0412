"""``joinstorm replay``: a tape or a capture into Kafka, paced or as fast as it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.contract.runinfo import DEFAULT_WINDOW_MS
from streams.errors import UsageError

if TYPE_CHECKING:
    from producers.replay.playback import PlaybackResult

_file = click.Path(path_type=Path)
# What the rooms know by name, spelled again because --help must not import them; a test compares.
TIMESTAMPS: Final = ("original", "shifted")
PARTITION_MAPS: Final = ("keep", "wrap")
TIME_FORMATS: Final = ("ms", "s", "us", "ns", "iso")
_OF_TAPES: Final = frozenset(
    {"prefix", "partitions", "window", "watermark_step", "skip_quiet", "faults_file", "verify"}
)
_OF_CAPTURES: Final = frozenset({"topics", "timestamps", "partition_map", "time_field", "time_format"})
"""The parameters that mean something with one kind of file alone."""


@click.command()
@click.argument("file", metavar="TAPE|CAPTURE", type=_file)
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
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="[CAPTURED=]TOPIC",
    help="Topic to play a capture into; for several captured topics, one for each.",
)
@click.option(
    "--timestamps",
    type=click.Choice(TIMESTAMPS),
    default=TIMESTAMPS[0],
    help="Timestamps of a capture's records: as they were, or moved so that the first has the present time.",
)
@click.option(
    "--partition-map",
    type=click.Choice(PARTITION_MAPS),
    default=PARTITION_MAPS[0],
    help="Partitions of a capture: the same, or counted from the first one again where the topic has fewer.",
)
@click.option(
    "--time-field",
    default=None,
    show_default="the timestamp",
    metavar="FIELD",
    help="Field of a capture's JSON values that says when a record is due, such as at or meta.at.",
)
@click.option(
    "--time-format", type=click.Choice(TIME_FORMATS), default=TIME_FORMATS[0], help="What is in --time-field."
)
@options.output_format()
@click.pass_context
def command(context: click.Context, /, file: Path, form: str, **settings: Any) -> None:
    """Replay a tape or a capture into Kafka.

    Every record is sent when it is due, and followed until the broker has it. TAPE is a file that `joinstorm record` or
    `joinstorm import` wrote. A run that was opened and not yet played is played; any other run id opens a new run.
    CAPTURE is a file of `joinstorm capture`, which is played into the topics of --topic; of it, only what lies from
    --from to before --until is sent. A MOMENT is a phase (melting), an offset to one (talk+10m, for a capture
    start+10m) or a time (2023-05-24T22:05:00Z). During the replay, `joinstorm control` pauses it, moves it and changes
    its speed.
    """
    from producers.capture.capturefile import is_capture

    captured = is_capture(file)
    _refuse_foreign(context, captured=captured)
    kept = {name: value for name, value in settings.items() if name not in (_OF_TAPES if captured else _OF_CAPTURES)}
    for result in _results(file, kept, captured=captured):
        echo(json.dumps(asdict(result)) if form == "json" else text(result))


def _refuse_foreign(context: click.Context, *, captured: bool) -> None:
    """Refuse an option that was given on the command line and means nothing for the file."""
    for param in context.command.params:
        given = context.get_parameter_source(param.name or "") is click.core.ParameterSource.COMMANDLINE
        if given and param.name in (_OF_TAPES if captured else _OF_CAPTURES):
            option = max(param.opts, key=len)
            raise UsageError(
                f"{option} is for {'tapes' if captured else 'captures'}, and this is a "
                f"{'capture' if captured else 'tape'}"
            )


def _results(file: Path, settings: dict[str, Any], *, captured: bool) -> Iterator[PlaybackResult]:
    if captured:
        from joinstorm.run.captureplaying import CapturePlayer, CaptureReplayRequest

        return CapturePlayer(CaptureReplayRequest(capture=file, **settings)).play()
    from joinstorm.run.replaying import Player, ReplayRequest

    return Player(ReplayRequest(tape=file, **settings)).play()


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
