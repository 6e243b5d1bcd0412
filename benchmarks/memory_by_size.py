"""Memory of a whole run by the size of its night: ``python -m benchmarks.memory_by_size [--only NAME]``.

Each night is played by ``joinstorm run`` in a folder of its own: the launch at full size, and recordings that are made
up here, written as CSV and imported. The peak resident memory of each part is read from the operating system every
tenth of a second; the table goes to stdout. The exit code is 1 if a run is not exact.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from joinstorm.run.supervisor import joinstorm
from streams.system.scratch import scratch

MIB = 1 << 20
POLL_SECONDS = 0.1
START = 1_672_531_200_000
DAY_MS = 86_400_000
PARTS = {"stream": "worker", "run": "run and exporter", "replay": "replay", "truth": "oracle", "kafka": "broker"}
Row = tuple[int, str, int, str]


@dataclass(frozen=True)
class Night:
    """A night to play; without sittings, the launch."""

    name: str
    days: int = 0
    rooms: int = 0
    sittings: int = 0
    wrong_year: bool = False


NIGHTS = (
    Night("launch, scale 1"),
    Night("5 events, one with a wrong year", 1, 1, 1, wrong_year=True),
    Night("7 days, 100 rooms, 201 events", 7, 100, 67),
    Night("a year, 10,000 rooms, 1,000,000 events", 365, 10_000, 333_333),
)


def rows(night: Night) -> Iterator[Row]:
    """Yield the events of a made-up recording: sittings of up to two hours at any time, each in one of the rooms."""
    rng = np.random.default_rng(1)
    count = night.sittings
    begin = np.sort(rng.integers(0, night.days * DAY_MS - 7_300_000, count))
    joined = begin + rng.integers(100, 20_000, count)
    left = joined + rng.integers(60_000, 7_200_000, count)
    rooms, people = rng.integers(0, night.rooms, count), rng.integers(0, max(2, count * 3 // 5), count)
    for at, kind in ((begin, "attempt"), (joined, "join"), (left, "leave")):
        for moment, room, person in zip(at.tolist(), rooms.tolist(), people.tolist(), strict=True):
            yield START + moment, kind, person, f"room-{room:05}"
    if night.wrong_year:
        yield START + 365 * DAY_MS, "attempt", 0, "room-00000"
        yield START + 365 * DAY_MS + 1_000, "join", 0, "room-00000"
    elif night.sittings % 1_000 == 333:  # noqa: PLR2004 - up to the round number
        yield START + night.days * DAY_MS - 1_000, "attempt", 0, "room-00000"


def play(night: Night, folder: Path) -> tuple[dict[str, int], dict[str, object], float]:
    """Play a night; return the peak memory of each part, the verdict and the seconds it took."""
    out = folder / "out"
    command = joinstorm("run", "launch", "--scale", "1", "--out", str(out))
    if night.sittings:
        table = folder / "night.csv"
        with table.open("w", newline="") as file:
            csv.writer(file).writerows([("at", "kind", "person", "space"), *sorted(rows(night))])
        tape = folder / "night.parquet"
        subprocess.run(
            joinstorm("import", str(table), "--out", str(tape), "--allow-long"), check=True, stdout=sys.stderr
        )
        command = joinstorm("run", "--tape", str(tape), "--out", str(out))
    began = time.monotonic()
    with subprocess.Popen(command, stdout=sys.stderr) as process:
        peaks: dict[str, int] = {}
        while process.poll() is None:
            update(peaks, process.pid)
            time.sleep(POLL_SECONDS)
    verdict: dict[str, object] = json.loads((out / "verdict.json").read_bytes())
    return peaks, verdict, time.monotonic() - began


def update(peaks: dict[str, int], pid: int) -> None:
    """Update the peak of each part of a run, by the command it was started with."""
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return
    for one in processes:
        try:
            words, peak = one.cmdline(), high_water(one.pid)
        except (psutil.Error, OSError):
            continue
        part = next((name for word, name in PARTS.items() if word in words or f"{word}.Kafka" in words), "")
        part = "broker" if words and Path(words[0]).name == "java" else part
        peaks[part or "others"] = max(peaks.get(part or "others", 0), peak)


def high_water(pid: int) -> int:
    """Return the peak resident memory of a process, bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), 0)


def main() -> None:
    """Play the nights and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="Play the nights whose name contains this.", default="")
    options = parser.parse_args()
    names = [*dict.fromkeys(PARTS.values())]
    print("| night | events | " + " | ".join(names) + " | seconds |\n| --- |" + " ---: |" * (len(names) + 2))
    exact = True
    for night in NIGHTS:
        if options.only not in night.name:
            continue
        with scratch("memory") as folder:
            peaks, verdict, seconds = play(night, folder)
        exact = exact and bool(verdict["exact"])
        cells = [f"{peaks.get(name, 0) / MIB:,.0f} MiB" for name in names]
        print(f"| {night.name} | {verdict['events']:,} | {' | '.join(cells)} | {seconds:.0f} |", flush=True)
    sys.exit(os.EX_OK if exact else 1)


if __name__ == "__main__":
    main()
