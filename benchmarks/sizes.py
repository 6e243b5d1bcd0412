"""What a whole night costs at several sizes and worker counts: every run exact, or it is no measurement.

    python -m benchmarks.sizes --scale 0.1 --scale 1 --scale 3 --workers 1 --workers 2

Wall clock and processor seconds of the whole command `joinstorm run` on an existing tape, broker, oracle and verdict
included, and the largest resident memory of one worker. Exit code 1 when a run is not exact.
"""

import contextlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

import click
import psutil

from joinstorm.bench.machine import machine
from joinstorm.compare.usage import Usage
from joinstorm.run.supervisor import joinstorm
from producers.recording import record
from producers.scenario.loading import load
from streams.system.scratch import scratch

LOOK_SECONDS = 0.2


@dataclass
class Cost:
    """What one run came to."""

    scale: float
    workers: int
    events: int
    exact: bool
    seconds: float
    replayed: float
    """Seconds from the start of the replay until everything was counted."""
    cpu_seconds: float
    worker_bytes: int


def cost(tape: Path, scale: float, workers: int, client: str, out: Path) -> Cost:
    """Run a night and return what it came to."""
    options = ["--speed", "max", "--client", client, "--workers", str(workers), "--no-report", "--format", "json"]
    begun = time.monotonic()
    with Popen([*joinstorm("run", "--tape", str(tape), "--out", str(out)), *options], stdout=PIPE) as process:
        with Usage(process.pid) as usage:
            worker_bytes = _largest_worker(process.pid)
        said = process.stdout.read() if process.stdout else b""
    seconds = time.monotonic() - begun
    verdict = json.loads(said)
    replayed = verdict["seconds"]["replay and count"]
    return Cost(scale, workers, verdict["events"], verdict["exact"], seconds, replayed, usage.cpu[-1], worker_bytes)


def _largest_worker(pid: int) -> int:
    """Return the most memory one worker of a run had, when the run is over."""
    largest = 0
    main = psutil.Process(pid)
    while main.status() != psutil.STATUS_ZOMBIE:
        for process in main.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "stream" in process.cmdline():
                    largest = max(largest, process.memory_info().rss)
        time.sleep(LOOK_SECONDS)
    return largest


@click.command()
@click.option("--scale", "scales", type=float, multiple=True, default=(0.1, 1.0, 3.0), help="Sizes of the night.")
@click.option("--workers", "counts", type=int, multiple=True, default=(1, 2), help="Worker counts.")
@click.option("--client", default="aiokafka", help="Producer client.")
def main(scales: tuple[float, ...], counts: tuple[int, ...], client: str) -> None:
    """Measure."""
    print(" scale workers      events  wall s replay s   CPU s us/event    MiB")
    exact = True
    with scratch("sizes") as folder:
        for scale in scales:
            tape = folder / f"{scale:g}.parquet"
            record(load("launch"), tape, scale=scale)
            for workers in counts:
                found = cost(tape, scale, workers, client, folder / f"out-{scale:g}-{workers}")
                exact &= found.exact
                print(
                    f"{scale:>6g} {workers:>7} {found.events:>11,} {found.seconds:>7.1f} {found.replayed:>8.1f} "
                    f"{found.cpu_seconds:>7.1f} {found.cpu_seconds / found.events * 1e6:>8.2f} "
                    f"{found.worker_bytes / 2**20:>6.0f}{'' if found.exact else '  NOT EXACT'}",
                    flush=True,
                )
            tape.unlink()
    print(", ".join(machine().values()))
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()
