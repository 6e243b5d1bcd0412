"""Parts of a tape as tapes of their own, and the speed at which to play them."""

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from producers.tape.tapefile import Tape, TapeWriter
from streams.contract.runinfo import Phase

Ints = npt.NDArray[np.int64]
CANDIDATES = 2_000
HALVINGS = 20


def cut(tape: Tape, begin: int, end: int, path: Path) -> Tape:
    """Write the events from ``begin`` up to but excluding ``end`` (event time, ms) as a tape of their own.

    Earlier events are missing: there are joins without attempts and leaves without joins. The counts are well defined
    all the same, because the oracle counts the same tape.
    """
    first, last = tape.row_at(begin), tape.row_at(end)
    with TapeWriter(path) as writer:
        for batch in tape.blocks(first):
            start = int(batch.column("event_id")[0].as_py())
            writer.append(batch.slice(0, max(0, last - start)))
            if start + batch.num_rows >= last:
                break
        step = 5_000
        phases = _phases(tape.info.phases, begin - begin % step, end)
        info = msgspec.structs.replace(tape.info, start=begin - begin % step, end=end, phases=phases)
        writer.finish(info)
    return Tape.open(path)


def _phases(phases: tuple[Phase, ...], begin: int, end: int) -> tuple[Phase, ...]:
    """Return the phases of a part; the first begins with the part, and none is quiet."""
    inside = [phase for phase in phases if begin < phase.start < end]
    name = next(phase.name for phase in reversed(phases) if phase.start <= begin or phase is phases[0])
    return (Phase(name, begin), *(Phase(phase.name, phase.start) for phase in inside))


def times(tape: Tape) -> Ints:
    """Return the event times of a tape, in order."""
    return np.concatenate([batch.column("at").to_numpy() for batch in tape.blocks()] or [np.empty(0, np.int64)])


def busiest(at: Ints, width: int) -> tuple[int, int]:
    """Return the start and the size of (very nearly) the busiest ``width`` milliseconds."""
    begins = at[:: max(1, len(at) // CANDIDATES)]
    counts = np.searchsorted(at, begins + width, side="left") - np.searchsorted(at, begins, side="left")
    best = int(np.argmax(counts))
    return int(begins[best]), int(counts[best])


def speed_for(at: Ints, rate: float, seconds: float) -> float:
    """Return the speed at which the busiest part of the events arrives at a rate.

    Args:
        at: Event times in order, ms.
        rate: Events per second to reach.
        seconds: How long the part lasts at that speed. The speed is at most the one at which all events take so long.
    """
    low, high = 1.0, max(1.0, (int(at[-1]) - int(at[0])) / 1000 / seconds)
    for _ in range(HALVINGS):
        speed = (low + high) / 2
        enough = busiest(at, int(seconds * speed * 1000))[1] / seconds > rate
        low, high = (low, speed) if enough else (speed, high)
    return low
