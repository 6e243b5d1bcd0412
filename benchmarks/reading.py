"""The reader's speed beside that of another revision: reading result records, views of them, scrapes.

    python -m benchmarks.reading --against HEAD~10 --scale 0.3 --repeats 5

The engine `faust` counts a tape without a broker; it publishes what has changed after every block of the tape, as its
cycles do. Then this tree and the other revision read its results and the truth, in turns, in processes of their own.
The figure is the least processor time of all repeats. Exit code 1 if this tree takes more than 1.05 times as long as
the other for reading, views and scrapes together.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from benchmarks import readingtask
from benchmarks.readingtask import Records, Task
from joinstorm.oracle.answers import ask
from joinstorm.prometheus.backfill import info_of
from joinstorm.terminal.recordingbar import tape_of
from producers.compose.composer import Composer
from producers.tape.tapefile import Tape
from streams.contract.results import encode, topic_of
from streams.contract.runinfo import RunInfo
from streams.contract.runinfo import encode as encode_info
from streams.contract.topics import INPUTS, PRESENCE, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.fold.state import PartitionState, decoder
from streams.system.scratch import scratch

LIMIT = 1.05
TREE = Path(__file__).parents[1]


def task_of(tape: Tape) -> Task:
    """Return what a reader gets of a tape that the engine has counted."""
    info = msgspec.structs.replace(info_of(tape), partitions=8)
    truth = [(topic_of(record), encode(record)) for record in ask(tape.path, info).records(info)]
    return Task(encode_info(info), truth, list(counted(info, tape)))


def counted(info: RunInfo, tape: Tape) -> Iterator[Records]:
    """Yield what the engine writes after each block of a tape."""
    states = [PartitionState(info, base, number) for base in INPUTS for number in range(info.partitions)]
    decoders = {base: decoder(info, base) for base in INPUTS}
    for block in Composer(info).compose(tape.blocks()):
        records: Records = []
        for state, lane in zip(states, block.lanes, strict=True):
            if len(lane):
                values = lane.values.to_pylist()
                state.apply(decoders[state.topic].decode(values), state.next_offset + len(values))
                topic = RESULTS_AUDIENCE if state.topic == PRESENCE else RESULTS_REACTION
                records += [(topic, value) for value in state.take_results("faust")[0].values]
                records.append((RESULTS_PROGRESS, encode(state.progress("faust"))))
        yield records


def measure(tree: Path, task: Path) -> dict[str, float]:
    """Have the code of a checkout read the results; return processor seconds by part."""
    environ = {**os.environ, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-P", str(Path(readingtask.__file__)), str(task)]
    found: dict[str, float] = json.loads(subprocess.run(command, env=environ, check=True, capture_output=True).stdout)
    return {**found, "together": sum(found.values())}


def compared(trees: dict[str, Path], task: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Return the least processor seconds of each part, by name of the tree."""
    least: dict[str, dict[str, float]] = {name: {} for name in trees}
    for number in range(repeats):
        for name in list(trees)[:: 1 if number % 2 == 0 else -1]:
            for part, seconds in measure(trees[name], task).items():
                least[name][part] = min(seconds, least[name].get(part, seconds))
    return least


@click.command()
@click.option("--against", required=True, help="The revision to compare with, as git names it.")
@click.option("--tape", "name", default="launch", help="A scenario to record, or a tape.")
@click.option("--scale", default=0.3, help="1 is the real size.")
@click.option("--repeats", type=click.IntRange(1), default=5, help="Repeats of each.")
def main(against: str, name: str, scale: float, repeats: int) -> int:
    """Measure both and print the table."""
    with scratch("reading") as folder, tape_of(name, scale=scale, seed=None) as tape:
        task = task_of(tape)
        file, other = folder / "task", folder / "tree"
        file.write_bytes(msgspec.msgpack.encode(task))
        git = ["git", "-C", str(TREE), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(other), against], check=True)
        try:
            found = compared({"before": other, "now": TREE}, file, repeats)
        finally:
            subprocess.run([*git, "remove", "--force", str(other)], check=True)
    records = len(task.truth) + sum(map(len, task.steps))
    click.echo(f"{records:,} records, {len(task.steps)} views and scrapes; CPU s, the least of {repeats}")
    click.echo(f"| part | {against} | this tree | ratio |\n| --- | ---: | ---: | ---: |")
    for part, before in found["before"].items():
        now = found["now"][part]
        click.echo(f"| {part} | {before:.3f} | {now:.3f} | {now / before:.2f} |")
    return 0 if found["now"]["together"] <= LIMIT * found["before"]["together"] else 1


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
