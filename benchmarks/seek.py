"""The time to find an event time on a tape, without scanning it.

    python -m benchmarks.seek tape.parquet --times 100

Every look-up reopens the tape and is compared with the row found by reading all event times. Exit code 1 if a row is
wrong or the slowest look-up takes half a second or more.
"""

import random
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import pyarrow.parquet as pq

from producers.compose.lanes import Ints
from producers.tape.tapefile import Tape

LIMIT_SECONDS = 0.5


def look_up(tape: Path, times: Sequence[int], known: Ints) -> list[float]:
    """Return the seconds of each look-up, opening the tape included.

    Args:
        tape: The tape's file.
        times: Event times, ms.
        known: Event times of all rows, ascending.

    Raises:
        AssertionError: A row is not the first one at or after its time.
    """
    seconds = []
    for moment in times:
        begin = time.perf_counter()
        row = Tape.open(tape).row_at(moment)
        seconds.append(time.perf_counter() - begin)
        assert row == int(np.searchsorted(known, moment)), f"event time {moment}: row {row}"
    return seconds


@click.command()
@click.argument("tape", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--times", "count", type=click.IntRange(1), default=100, help="Random event times to look up.")
@click.option("--seed", type=click.IntRange(0), default=1, help="Seed of the event times.")
def main(tape: Path, count: int, seed: int) -> int:
    """Print the time to look up random event times of TAPE."""
    info = Tape.open(tape).info
    dice = random.Random(seed)
    known = pq.read_table(tape, columns=["at"]).column("at").to_numpy()
    seconds = look_up(tape, [dice.randint(info.start, info.end) for _ in range(count)], known)
    print(
        f"{info.name} at scale {info.scale:g}, {info.events:,} events: {count} event times, each found in "
        f"{statistics.median(seconds) * 1000:.0f} ms (median), {max(seconds) * 1000:.0f} ms (maximum)"
    )
    return 0 if max(seconds) < LIMIT_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
