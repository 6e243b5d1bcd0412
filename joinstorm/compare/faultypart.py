"""The part of the night with declared faults: which events, and which faults."""

from pathlib import Path
from typing import Final

import numpy as np

from joinstorm.compare.tapeparts import Ints, busiest, cut
from producers.compose.faults import CORRUPT, DUPLICATE, LATE, OUT_OF_ORDER
from producers.tape.tapefile import Tape
from streams.contract.names import MINUTE_MS
from streams.contract.runinfo import Faults

EVENTS: Final = 50_000
RATES: Final = {DUPLICATE: 0.02, OUT_OF_ORDER: 0.02, LATE: 0.01, CORRUPT: 0.01}


def _percent(kind: str) -> str:
    return f"{RATES[kind] * 100:g} %"


FAULTS: Final = (
    f"{_percent(DUPLICATE)} come twice, {_percent(OUT_OF_ORDER)} out of order, {_percent(LATE)} late, and "
    f"{_percent(CORRUPT)} with a corrupt copy"
)
"""The faults in words."""


def faults(seed: int = 0) -> Faults:
    """Return the faults to declare."""
    return Faults(seed=seed, rates=dict(RATES))


def faulty_part(tape: Tape, at: Ints, path: Path) -> Tape:
    """Write the ``EVENTS`` events from the busiest minute on as a tape of their own.

    Args:
        tape: The night.
        at: Its event times.
        path: File of the part.
    """
    begin, _ = busiest(at, MINUTE_MS)
    last = int(np.searchsorted(at, begin)) + EVENTS
    return cut(tape, begin, int(at[last]) if last < len(at) else int(at[-1]) + 1, path)
