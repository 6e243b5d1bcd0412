"""The processor time of a whole night by process, tape to verdict; only an exact run counts as a measurement.

    python -m benchmarks.night_cpu --tape TAPE --repeats 3
    python -m benchmarks.night_cpu --scale 1 --client kafka-python

Each repeat is one `joinstorm run --tape TAPE --speed max --no-report`. A process is measured by its last reading before
its end, at most a tenth of a second old. The total is the kernel's own account of all processes; what it has beyond
the readings is given as `unread`. The cores count too: on a loaded machine compare CPU seconds, not wall clock. Exit
code 1 if a run is not exact.
"""

import contextlib
import json
import resource
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

import click
import psutil

from joinstorm.bench.machine import machine
from joinstorm.run.supervisor import joinstorm
from producers.recording import record
from producers.scenario.loading import load
from streams.system.scratch import scratch

READ_SECONDS = 0.1
ROLES = {
    "kafka.Kafka": "Kafka",
    "kafka.tools.StorageTool": "Kafka's format",
    "joinstorm.run.warmup": "compile kernels",
}
COMMANDS = {"run": "run", "stream": "worker", "replay": "producer", "truth": "oracle", "record": "record"}


@dataclass
class Night:
    """One repeat: wall clock and CPU seconds, the latter by role."""

    exact: bool
    digest: str
    seconds: float
    cpu_seconds: float
    stages: dict[str, float]
    roles: dict[str, float]


def night(tape: Path, client: str, out: Path) -> Night:
    """Run a night and return what it took."""
    command = joinstorm("run", "--tape", str(tape), "--out", str(out), "--client", client)
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with Popen([*command, "--speed", "max", "--no-report", "--format", "json"], stdout=PIPE) as process:
        roles = _readings(process)
        output = process.stdout.read() if process.stdout else b""
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    total = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    roles["unread"] = total - sum(roles.values())
    verdict = json.loads(output)
    return Night(verdict["exact"], verdict["digest"], seconds, total, verdict["seconds"], roles)


def _readings(process: "Popen[bytes]") -> dict[str, float]:
    """Read the processor time of a process and all its descendants until it ends; return the last of each, by role."""
    main = psutil.Process(process.pid)
    names: dict[int, str] = {}
    last: dict[int, float] = {}
    while process.poll() is None:
        for one in [main, *_descendants(main)]:
            with contextlib.suppress(psutil.Error):
                times = one.cpu_times()
                last[one.pid] = times.user + times.system
                if command := one.cmdline():  # read again each time: a fork bears its parent's until it is a program
                    names[one.pid] = _role(command)
        time.sleep(READ_SECONDS)
    roles: dict[str, float] = defaultdict(float)
    for pid, spent in last.items():
        roles[names.get(pid, "python")] += spent
    return roles


def _descendants(main: psutil.Process) -> list[psutil.Process]:
    try:
        return main.children(recursive=True)
    except psutil.Error:
        return []


def _role(command: list[str]) -> str:
    for word in command:
        if word in ROLES:
            return ROLES[word]
    if "joinstorm.cli" in command:
        name = command[command.index("joinstorm.cli") + 1]
        return COMMANDS.get(name, name)
    return "python"


def table(nights: list[Night]) -> str:
    """Return one row a role with the CPU seconds of every repeat and their median."""
    names = sorted({name for one in nights for name in one.roles}, key=lambda name: -nights[0].roles.get(name, 0.0))
    rows = [(name, [one.roles.get(name, 0.0) for one in nights]) for name in names]
    rows.append(("all, CPU s", [one.cpu_seconds for one in nights]))
    rows.append(("wall s", [one.seconds for one in nights]))
    rows += [(f"  {stage}", [one.stages.get(stage, 0.0) for one in nights]) for stage in nights[0].stages]
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        f"{name:<{width}} {statistics.median(values):>8.2f}  ({', '.join(f'{value:.2f}' for value in values)})"
        for name, values in rows
    )


@click.command()
@click.option("--tape", type=click.Path(path_type=Path, exists=True), help="A tape instead of recording one.")
@click.option("--scale", default=1.0, help="Size of the recorded night.")
@click.option("--client", default="aiokafka", help="Producer client.")
@click.option("--repeats", default=3, help="How many runs.")
def main(tape: Path | None, scale: float, client: str, repeats: int) -> None:
    """Run the night several times and print what it took."""
    with scratch("night") as folder:
        if tape is None:
            tape = folder / "tape.parquet"
            record(load("launch"), tape, scale=scale)
        nights = [night(tape, client, folder / f"out-{number}") for number in range(repeats)]
    print(table(nights))
    print(", ".join(machine().values()))
    print("digests:", ", ".join(sorted({one.digest[:16] for one in nights})))
    sys.exit(0 if all(one.exact for one in nights) else 1)


if __name__ == "__main__":
    main()
