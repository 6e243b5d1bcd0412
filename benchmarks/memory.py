"""Does memory grow when a night is played in a loop? ``python -m benchmarks.memory --scale S --loops N``.

Each loop is a run of its own, as ``joinstorm replay --rounds`` makes them. A worker lives for one run, so its peak is
told per loop; what lives on is the exporter and the two ``joinstorm follow`` that start a worker and the truth for each
run, and the broker. Memory is what the kernel counts as resident; the table goes to stdout.
"""

import argparse
import contextlib
import logging
import time
from dataclasses import dataclass, field

import psutil

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from joinstorm.terminal.recordingbar import tape_of
from streams.contract.names import TRUTH
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from streams.system.scratch import scratch

MIB = 1 << 20
LOOK_SECONDS = 0.1
LOOP_SECONDS = 1_800.0
ENGINE = "faust"


@dataclass
class Loop:
    """Peaks of one run, bytes."""

    worker: int = 0
    events: int = 0
    peaks: dict[str, int] = field(default_factory=dict)


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--loops", type=int, default=10)
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch("memory"))
        tape = stack.enter_context(tape_of("launch", scale=asked.scale, seed=None))
        broker = stack.enter_context(EmbeddedBroker())
        supervisor = stack.enter_context(Supervisor(folder))
        loops = play(supervisor, broker, str(tape.path), asked.loops)
    print(table(loops))


def play(supervisor: Supervisor, broker: EmbeddedBroker, tape: str, count: int) -> list[Loop]:
    """Start what lives on, then replay the tape ``count`` times and watch."""
    environ = broker.connection.environ({**psutil.Process().environ()})
    start = {
        "exporter": ["export", "--port", "0"],
        "follow stream": ["follow", "--keep-runs", "2", "stream", "--engine", ENGINE, "--metrics-port", "0"],
        "follow truth": ["follow", "truth", tape],
    }
    living = {name: supervisor.start(name, joinstorm(*command), environ) for name, command in start.items()}
    found = []
    for number in range(count):
        run = f"loop-{number:03}"
        options = ["--speed", "max", "--client", "aiokafka", "--control", "off", "--run", run]
        replay = supervisor.start(f"replay-{number}", joinstorm("replay", tape, *options), environ)
        found.append(watch(broker, living, replay, run))
        supervisor.check()
        worker = found[-1].worker / MIB
        print(f"loop {number + 1}: {found[-1].events:,} events, worker {worker:.0f} MiB", flush=True)
    return found


def watch(broker: EmbeddedBroker, living: dict[str, ChildProcess], replay: ChildProcess, run: str) -> Loop:
    """Look at all processes until engine and truth have said everything about a run."""
    loop = Loop()
    deadline = time.monotonic() + LOOP_SECONDS
    with ResultReader(Connection(broker.connection.bootstrap_servers), run=run) as reader:
        while True:
            look(loop, broker, living)
            view = reader.snapshot()
            if all(name in view.engines and view.engines[name].drained for name in (ENGINE, TRUTH)):
                break
            if time.monotonic() > deadline or any(part.exit_code() for part in (*living.values(), replay)):
                raise SystemExit(f"{run}: did not come to its end; {replay.tail()}")
            time.sleep(LOOK_SECONDS)
    loop.events = sum(view.engines[ENGINE].covered.events.values())
    return loop


def look(loop: Loop, broker: EmbeddedBroker, living: dict[str, ChildProcess]) -> None:
    """Take the peaks of this moment."""
    pids = {name: part.pid for name, part in living.items()} | {"broker": broker.pid or 0}
    for name, pid in pids.items():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            loop.peaks[name] = max(loop.peaks.get(name, 0), process.memory_info().rss)
            if name == "follow stream":
                loop.worker = max([loop.worker, *(child.memory_info().rss for child in process.children())])


def table(loops: list[Loop]) -> str:
    """Return peaks per loop and the growth from the first loop to the last."""
    names = ["worker", *loops[0].peaks]
    rows = [{"worker": loop.worker, **loop.peaks} for loop in loops]
    width = 15
    lines = ["peak resident MiB", f"{'loop':>5}" + "".join(f"{name:>{width}}" for name in names)]
    lines += [
        f"{number:>5}" + "".join(f"{row.get(name, 0) / MIB:>{width}.1f}" for name in names)
        for number, row in enumerate(rows, 1)
    ]
    grown = "".join(f"{(rows[-1].get(name, 0) - rows[0].get(name, 0)) / MIB:>+{width}.1f}" for name in names)
    lines.append(f"{'grown':>5}{grown}")
    lines.append("A worker lives for one run: its column is the peak of a fresh process each time.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
