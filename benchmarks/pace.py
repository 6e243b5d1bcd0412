"""The largest speed at which a tape stays on time, by client, and the lateness at a fixed speed.

    python -m benchmarks.pace --scale 1 --from melting --until melting+10m --fixed 60

On time means that 99 % of the events left within 100 ms of their due time. Each probe is a `joinstorm replay` of the
events between --from and --until, on a tape of their own, into an embedded Kafka.
"""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.interrupts import interruptible
from joinstorm.run.supervisor import joinstorm
from joinstorm.terminal.recordingbar import tape_of
from joinstorm.verdict.verdicts import ON_TIME
from producers.moments import moment_ms
from producers.senders.registry import CLIENTS
from producers.tape.tapefile import Tape, TapeWriter
from streams.errors import DeliveryError
from streams.kafka.connection import Connection
from streams.system.scratch import scratch

FINENESS = 1.1
"""The search ends when the ratio of the lowest late speed and the highest one on time is at most this."""


@dataclass(frozen=True)
class Probe:
    """One replay.

    Args:
        speed: Event seconds per second.
        on_time: Share of the events that left within 100 ms of their due time.
        late: Lateness in seconds, the 99th percentile.
        per_second: Events per second.
    """

    speed: float
    on_time: float
    late: float
    per_second: float

    @property
    def holds(self) -> bool:
        """Whether the replay stayed on time."""
        return self.on_time >= ON_TIME

    def __str__(self) -> str:
        """Return the line to print."""
        answer = "on time" if self.holds else "late"
        return (
            f"speed {self.speed:8.1f}  {self.per_second:9,.0f} events/s  {self.on_time:8.3%} within 100 ms  "
            f"99 % within {self.late * 1000:7.1f} ms  {answer}"
        )


def cut(tape: Tape, path: Path, begin: int, until: int) -> Tape:
    """Write the part of a tape between two event times as a tape of its own."""
    first, last = tape.row_at(begin), tape.row_at(until)
    with TapeWriter(path) as writer:
        for batch in tape.blocks(first):
            row = int(batch.column("event_id")[0].as_py())
            if row >= last:
                break
            writer.append(batch.slice(0, last - row))
        info = tape.info
        phases = tuple(phase for phase in info.phases if phase.start < until)
        writer.finish(msgspec.structs.replace(info, start=begin - begin % 5_000, end=until, phases=phases))
    return Tape.open(path)


def search(probe: Callable[[float], Probe], low: float, high: float) -> Probe | None:
    """Return the probe of the largest speed on time, None if even the lowest is late.

    Doubles from ``low`` until a speed is late, then bisects on a logarithmic scale until ``FINENESS`` is reached.
    """
    best = probe(low)
    if not best.holds:
        return None
    late = math.inf
    while late == math.inf and best.speed < high:
        best, late = _narrowed(probe(min(best.speed * 2, high)), best, late)
    while best.speed < late < math.inf and late / best.speed > FINENESS:
        best, late = _narrowed(probe(math.sqrt(best.speed * late)), best, late)
    return best


def _narrowed(found: Probe, best: Probe, late: float) -> tuple[Probe, float]:
    return (found, late) if found.holds else (best, found.speed)


def prober(tape: Path, connection: Connection, client: str) -> Callable[[float], Probe]:
    """Return a function that replays a tape at a speed, and prints and returns the probe."""

    def probe(speed: float) -> Probe:
        where = ["--bootstrap-servers", connection.bootstrap_servers, "--client", client, "--format", "json"]
        command = joinstorm("replay", str(tape), "--speed", f"{speed:g}", "--control", "off", *where)
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise DeliveryError(f"the replay at speed {speed:g} ended with exit code {done.returncode}")
        result: dict[str, Any] = msgspec.json.decode(done.stdout.splitlines()[-1])
        found = Probe(speed, result["on_time_ratio"], result["lateness_p99"], result["events_per_second"])
        print(f"  {found}", flush=True)
        return found

    return probe


@click.command()
@click.argument("scenario", default="launch")
@click.option(
    "--scale", type=click.FloatRange(0, min_open=True), default=1.0, help="Scale of a scenario; a tape has its own."
)
@click.option("--from", "begin", default="melting", help="First moment.")
@click.option("--until", default="melting+10m", help="Last moment.")
@click.option(
    "--client",
    "clients",
    multiple=True,
    type=click.Choice(CLIENTS),
    default=CLIENTS,
    help="Client to measure; may be given several times.",
)
@click.option("--fixed", type=float, default=60.0, help="Fixed speed to try first, with aiokafka; 0 for none.")
@click.option("--low", type=float, default=5.0, help="Lowest speed of the search.")
@click.option("--high", type=float, default=20_000.0, help="Highest speed of the search.")
def main(*, scenario: str, scale: float, begin: str, until: str, clients: tuple[str, ...], **speeds: float) -> int:
    """Find the largest speed at which SCENARIO, a name or a tape, stays on time; exit code 1 if --fixed is late."""
    with (
        interruptible(),
        scratch("pace") as folder,
        tape_of(scenario, scale=scale, seed=None) as whole,
        EmbeddedBroker() as broker,
    ):
        info = whole.info
        first, last = (moment_ms(text, info.phases, info.start, info.end, info.start) for text in (begin, until))
        tape = cut(whole, folder / "cut.parquet", first, last)
        minutes = (last - first) / 60_000
        print(f"{info.name} at scale {info.scale:g}, {begin} to {until}: {tape.rows:,} events, {minutes:g} minutes")
        print(f"{os.cpu_count()} processors")
        kept = not speeds["fixed"] or _fixed(tape.path, broker.connection, speeds["fixed"])
        for client in clients:
            print(f"{client}:")
            best = search(prober(tape.path, broker.connection, client), speeds["low"], speeds["high"])
            largest = f"{best.speed:.0f}" if best else f"below {speeds['low']:g}"
            print(f"{client}: largest speed on time: {largest}")
    return 0 if kept else 1


def _fixed(tape: Path, connection: Connection, speed: float) -> bool:
    print("fixed speed, aiokafka:")
    return prober(tape, connection, "aiokafka")(speed).holds


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
