"""How few events `joinstorm explain` needs to show each planted bug, and how long it takes to find them.

    python -m benchmarks.explain --bug TrustsOrder --rows rows.jsonl   # some bugs at a time; a new row replaces the old
    python -m benchmarks.explain --rows rows.jsonl --write docs/engines.md   # what is missing, then the table

Each bug is explained by a command of its own, on one embedded broker for all. Seconds are those of the command;
processor seconds are those of the command, its workers and the broker meanwhile. Exit code 1 if a bug needs more than 8
events or 60 seconds.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click
import msgspec
import psutil

from benchmarks.measuredsection import publish
from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.embedded.settings import STEADY
from joinstorm.interrupts import interruptible
from joinstorm.run.supervisor import joinstorm
from streams.errors import EXIT_FAILED
from tests.conformance.plantedbugs import BUGS, PlantedBug, spelled

SECTION: Final = "explained bugs"
MOST_EVENTS: Final = 8
MOST_SECONDS: Final = 60.0


class Row(msgspec.Struct, frozen=True):
    """One explained bug."""

    bug: str
    point: str
    events: int
    nights: int
    """How many were played."""
    seconds: float
    cpu_seconds: float
    """Of the command, its workers and, meanwhile, the broker."""

    @property
    def kept(self) -> bool:
        """Whether it is within the limits."""
        return self.events <= MOST_EVENTS and self.seconds <= MOST_SECONDS


class _Explained(msgspec.Struct):
    """What is read of the command's answer."""

    events: list[str]
    runs: int


def explained(bug: PlantedBug, broker: EmbeddedBroker, *further: str) -> Row:
    """Explain a planted bug.

    Args:
        bug: The bug.
        broker: Where its nights are played.
        further: Further arguments of the command.

    Raises:
        SystemExit: The command failed, or found nothing wrong.
    """
    where = ["--bootstrap-servers", broker.connection.bootstrap_servers]
    arguments = ["explain", spelled(bug.engine), "--point", bug.point, "--format", "json", *where, *further]
    before, begin = _cpu(broker), time.monotonic()
    done = subprocess.run(joinstorm(*arguments), stdout=subprocess.PIPE, check=False)
    seconds = time.monotonic() - begin
    if done.returncode != EXIT_FAILED:
        raise SystemExit(f"{bug.engine} on {bug.point}: exit code {done.returncode}, expected {EXIT_FAILED}")
    answer = msgspec.json.decode(done.stdout, type=_Explained)
    return Row(bug.engine, bug.point, len(answer.events), answer.runs, seconds, _cpu(broker) - before)


def _cpu(broker: EmbeddedBroker) -> float:
    """Return the processor seconds of the broker and of all processes that have ended below this one."""
    ended, running = os.times(), psutil.Process(broker.pid).cpu_times()
    return ended.children_user + ended.children_system + running.user + running.system


def markdown(rows: Iterable[Row]) -> str:
    """Return the table."""
    lines = ["| bug | point | events | nights played | seconds | processor seconds |", "| --- " * 6 + "|"]
    lines += [
        f"| `{row.bug}` | `{row.point}` | {row.events} | {row.nights} | {row.seconds:.0f} | {row.cpu_seconds:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


def _read(path: Path | None) -> dict[str, Row]:
    lines = path.read_bytes().splitlines() if path and path.exists() else []
    return {row.bug: row for row in (msgspec.json.decode(line, type=Row) for line in lines)}


@click.command(help=__doc__)
@click.option(
    "--bug", "names", multiple=True, type=click.Choice([bug.engine for bug in BUGS]), help="Explain this one."
)
@click.option("--rows", type=click.Path(path_type=Path), help="File that keeps the rows, JSON lines.")
@click.option("--jobs", type=click.IntRange(1), help="Nights to play at once; as the command if not given.")
@click.option("--write", type=click.Path(exists=True, path_type=Path), help="The page that holds the table.")
def main(names: tuple[str, ...], rows: Path | None, jobs: int | None, write: Path | None) -> None:
    """Explain the bugs given, or those that have no row yet, and print the table."""
    known = _read(rows)
    wanted = [bug for bug in BUGS if bug.engine in names or not (names or bug.engine in known)]
    if wanted:
        with interruptible(), EmbeddedBroker(settings=STEADY) as broker:
            for bug in wanted:
                known[bug.engine] = explained(bug, broker, *(["--jobs", str(jobs)] if jobs else []))
                if rows:
                    rows.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in known.values()))
    ordered = [known[bug.engine] for bug in BUGS if bug.engine in known]
    publish(SECTION, markdown(ordered), write)
    sys.exit(0 if all(row.kept for row in ordered) else EXIT_FAILED)


if __name__ == "__main__":
    main()
