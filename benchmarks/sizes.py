"""The cost of a whole night at several sizes and worker counts; only an exact run counts as a measurement.

    python -m benchmarks.sizes --scale 0.1 --scale 1 --scale 3 --workers 1 --workers 2

Wall clock and processor seconds of the whole command `joinstorm run` on an existing tape, broker, oracle and verdict
included, and the largest resident memory of one worker. Exit code 1 if a run is not exact.
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

POLL_SECONDS = 0.2


@dataclass
class Cost:
    """The cost of one run."""

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
    """Run a night and return its cost."""
    options = ["--speed", "max", "--client", client, "--workers", str(workers), "--no-report", "--format", "json"]
    begun = time.monotonic()
    with Popen([*joinstorm("run", "--tape", str(tape), "--out", str(out)), *options], stdout=PIPE) as process:
        with Usage(process.pid) as usage:
            worker_bytes = _largest_worker(process.pid)
        output = process.stdout.read() if process.stdout else b""
    seconds = time.monotonic() - begun
    verdict = json.loads(output)
    replayed = verdict["seconds"]["replay and count"]
    return Cost(scale, workers, verdict["events"], verdict["exact"], seconds, replayed, usage.cpu[-1], worker_bytes)


def _largest_worker(pid: int) -> int:
    """Wait for the end of a run, and return the largest resident memory of one worker."""
    largest = 0
    main = psutil.Process(pid)
    while main.status() != psutil.STATUS_ZOMBIE:
        for process in main.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "stream" in process.cmdline():
                    largest = max(largest, process.memory_info().rss)
        time.sleep(POLL_SECONDS)
    return largest


@click.command()
@click.option("--scale", "scales", type=float, multiple=True, default=(0.1, 1.0, 3.0), help="Sizes of the night.")
@click.option("--workers", "counts", type=int, multiple=True, default=(1, 2), help="Worker counts.")
@click.option("--client", default="aiokafka", help="Producer client.")
def main(scales: tuple[float, ...], counts: tuple[int, ...], client: str) -> None:
    """Run every combination and print its cost."""
    print(" scale workers      events  wall s replay s   CPU s us/event    MiB")
    exact = True
    with scratch("sizes") as folder:
        for scale in scales:
            tape = folder / f"{scale:g}.parquet"
            record(load("launch"), tape, scale=scale)
            for workers in counts:
                run = cost(tape, scale, workers, client, folder / f"out-{scale:g}-{workers}")
                exact &= run.exact
                print(
                    f"{scale:>6g} {workers:>7} {run.events:>11,} {run.seconds:>7.1f} {run.replayed:>8.1f} "
                    f"{run.cpu_seconds:>7.1f} {run.cpu_seconds / run.events * 1e6:>8.2f} "
                    f"{run.worker_bytes / 2**20:>6.0f}{'' if run.exact else '  NOT EXACT'}",
                    flush=True,
                )
            tape.unlink()
    print(", ".join(machine().values()))
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()
