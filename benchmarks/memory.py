"""Memory over many loops of a night: ``python -m benchmarks.memory --scale S --loops N``.

Each loop is a run of its own, as with ``joinstorm replay --rounds``. A worker lives for one run, so its peak is given
per loop. The exporter, the broker and the two ``joinstorm follow``, which start a worker and the truth for each run,
live through all loops. Memory is resident memory; the table goes to stdout.
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
POLL_SECONDS = 0.1
LOOP_SECONDS = 1_800.0
ENGINE = "faust"


@dataclass
class Loop:
    """Peaks of one run, bytes."""

    worker: int = 0
    events: int = 0
    peaks: dict[str, int] = field(default_factory=dict)


def main() -> None:
    """Play all loops and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--loops", type=int, default=10)
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch("memory"))
        tape = stack.enter_context(tape_of("launch", scale=options.scale, seed=None))
        broker = stack.enter_context(EmbeddedBroker())
        supervisor = stack.enter_context(Supervisor(folder))
        loops = play(supervisor, broker, str(tape.path), options.loops)
    print(table(loops))


def play(supervisor: Supervisor, broker: EmbeddedBroker, tape: str, count: int) -> list[Loop]:
    """Start the processes that live through all loops, then replay the tape ``count`` times and measure."""
    environ = broker.connection.environ({**psutil.Process().environ()})
    start = {
        "exporter": ["export", "--port", "0"],
        "follow stream": ["follow", "--keep-runs", "2", "stream", "--engine", ENGINE, "--metrics-port", "0"],
        "follow truth": ["follow", "truth", tape],
    }
    lasting = {name: supervisor.start(name, joinstorm(*command), environ) for name, command in start.items()}
    loops = []
    for number in range(count):
        run = f"loop-{number:03}"
        options = ["--speed", "max", "--client", "aiokafka", "--control", "off", "--run", run]
        replay = supervisor.start(f"replay-{number}", joinstorm("replay", tape, *options), environ)
        loops.append(measure(broker, lasting, replay, run))
        supervisor.check()
        worker = loops[-1].worker / MIB
        print(f"loop {number + 1}: {loops[-1].events:,} events, worker {worker:.0f} MiB", flush=True)
    return loops


def measure(broker: EmbeddedBroker, lasting: dict[str, ChildProcess], replay: ChildProcess, run: str) -> Loop:
    """Measure all processes until engine and truth have counted the whole run."""
    loop = Loop()
    deadline = time.monotonic() + LOOP_SECONDS
    with ResultReader(Connection(broker.connection.bootstrap_servers), run=run) as reader:
        while True:
            update(loop, broker, lasting)
            view = reader.snapshot()
            if all(name in view.engines and view.engines[name].drained for name in (ENGINE, TRUTH)):
                break
            if time.monotonic() > deadline or any(part.exit_code() for part in (*lasting.values(), replay)):
                raise SystemExit(f"{run}: did not end; {replay.tail()}")
            time.sleep(POLL_SECONDS)
    loop.events = sum(view.engines[ENGINE].covered.events.values())
    return loop


def update(loop: Loop, broker: EmbeddedBroker, lasting: dict[str, ChildProcess]) -> None:
    """Update the peaks by the memory of this moment."""
    pids = {name: part.pid for name, part in lasting.items()} | {"broker": broker.pid or 0}
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
