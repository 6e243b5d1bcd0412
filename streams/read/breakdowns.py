"""Counts by client and by reason as of event times, over all spaces."""

from collections.abc import Iterable

import numpy as np

from streams.contract.breakdowns import BREAKDOWNS
from streams.read.ledger import Sparse
from streams.read.steps import Steps, combined


def breakdowns_of(spaces: Iterable[Sparse]) -> dict[str, Steps]:
    """Return the breakdowns by name, from the counts of every space that have no column; only those with events."""
    found: dict[str, list[tuple[Steps, int]]] = {}
    for counts in spaces:
        for label, windows, changes in counts.each(BREAKDOWNS):
            order = np.argsort(windows, kind="stable")
            steps = Steps(windows[order], np.concatenate((np.zeros(1, np.int64), np.cumsum(changes[order]))))
            found.setdefault(label, []).append((steps, 1))
    return {label: combined(parts) for label, parts in found.items()}
