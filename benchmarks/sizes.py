"""What a whole night costs at several sizes and worker counts: every run exact, or it is no measurement.

    python -m benchmarks.sizes --scale 0.1 --scale 1 --scale 3 --workers 1 --workers 2

Wall clock and processor seconds of the whole command `joinstorm run` on an existing tape, broker, oracle and verdict
included, and the largest resident memory of one worker. Exit code 1 when a run is not exact.
"""

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

import click
import psutil

from joinstorm.machine import machine
from joinstorm.supervisor import joinstorm
from producers.record import record
from producers.scenario import load

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
        cpu, worker_bytes = _watched(process.pid)
        said = process.stdout.read() if process.stdout else b""
    seconds = time.monotonic() - begun
    verdict = json.loads(said)
    replayed = verdict["seconds"]["replay and count"]
    return Cost(scale, workers, verdict["events"], verdict["exact"], seconds, replayed, cpu, worker_bytes)


def _watched(pid: int) -> tuple[float, int]:
    """Return the processor seconds of a process and all it started, and the most memory one worker had."""
    cpu: dict[int, float] = {}
    worker_bytes = 0
    main = psutil.Process(pid)
    while main.status() != psutil.STATUS_ZOMBIE:
        for process in [main, *main.children(recursive=True)]:
            try:
                times, command = process.cpu_times(), process.cmdline()
                if "stream" in command:
                    worker_bytes = max(worker_bytes, process.memory_info().rss)
            except psutil.Error:
                continue
            cpu[process.pid] = times.user + times.system
        time.sleep(LOOK_SECONDS)
    return sum(cpu.values()), worker_bytes


@click.command()
@click.option("--scale", "scales", type=float, multiple=True, default=(0.1, 1.0, 3.0), help="Sizes of the night.")
@click.option("--workers", "counts", type=int, multiple=True, default=(1, 2), help="Worker counts.")
@click.option("--client", default="aiokafka", help="Producer client.")
def main(scales: tuple[float, ...], counts: tuple[int, ...], client: str) -> None:
    """Measure."""
    print(" scale workers      events  wall s replay s   CPU s us/event    MiB")
    exact = True
    with tempfile.TemporaryDirectory(prefix="joinstorm-sizes-") as folder:
        for scale in scales:
            tape = Path(folder, f"{scale:g}.parquet")
            record(load("launch"), tape, scale=scale)
            for workers in counts:
                found = cost(tape, scale, workers, client, Path(folder, f"out-{scale:g}-{workers}"))
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
