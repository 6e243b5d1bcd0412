"""Breakdowns by client and reason as small numbers, which follow those of the bins of durations."""

from typing import Final

import numpy as np

from streams.contract.breakdowns import BREAKDOWNS, BY_CLIENT, BY_REASON, MEMBERS
from streams.contract.events import PresenceKind
from streams.kernels import durations
from streams.kernels.cells import CELLS, DROP, FAIL, JOIN, LEAVE, REJOIN
from streams.kernels.record import Ints

_KINDS: Final = {
    JOIN: PresenceKind.JOIN,
    REJOIN: PresenceKind.JOIN,
    FAIL: PresenceKind.FAIL,
    LEAVE: PresenceKind.LEAVE,
    DROP: PresenceKind.DROP,
}
"""The cells that have breakdowns, by kind of event."""
LABELS: Final = (*durations.LABELS, *(family + member for family in BREAKDOWNS for member in MEMBERS[family]))
"""The counts of all bins and breakdowns, by number."""


def _first(families: dict[PresenceKind, str]) -> Ints:
    """Return by cell the number of its family's first count, -1 for none."""
    found = np.full(CELLS, -1, np.int64)
    for cell, kind in _KINDS.items():
        if kind in families:
            found[cell] = LABELS.index(families[kind] + MEMBERS[families[kind]][0])
    return found


CLIENT_LABEL: Final = _first(BY_CLIENT)
"""By cell: number of the count of the first client, -1 for none."""
CAUSE_LABEL: Final = _first(BY_REASON)
"""By cell: number of the count of the first reason, -1 for none."""
