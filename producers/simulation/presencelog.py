"""The simulation's events on their way to the tape: compact, put in time order minute by minute, kept in a file.

A file because the tweets follow the whole evening's strain: the rooms are simulated first, and held back here rather
than in memory.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from producers.simulation.randomness import Millis
from producers.simulation.room import Ids

KINDS = ("attempt", "join", "fail", "leave", "drop")
ATTEMPT, JOIN, FAIL, LEAVE, DROP = range(len(KINDS))
REASONS = ("overloaded", "room_closed", "connection_lost", "gave_up")
"""An attempt fails when the room is overloaded or closed; a listener is dropped for the first three; ``gave_up`` is a
leave of somebody who was waiting."""
OVERLOADED, ROOM_CLOSED, CONNECTION_LOST, GAVE_UP = range(len(REASONS))
NONE = -1

EVENT = np.dtype(
    [
        ("at", "<i4"),  # ms after the opening
        ("person", "<i4"),
        ("since_drop", "<i4"),  # ms, NONE where it does not apply
        ("try", "<i4"),
        ("kind", "i1"),
        ("room", "i1"),
        ("reason", "i1"),
    ]
)
Events = npt.NDArray[np.void]
_CHUNK = 1 << 18


class PresenceLog:
    """Takes events in any order within a minute or so, and writes them to a file in order of time.

    Args:
        file: Open for reading and writing; it belongs to the log.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._minute: list[bytes] = []
        self.total = 0
        """Events taken in so far."""

    def add(
        self,
        kind: int,
        at: Millis,
        person: Ids,
        tries: npt.NDArray[np.int32],
        room: npt.NDArray[np.int8] | int,
        *,
        reason: npt.NDArray[np.int8] | int = NONE,
        since_drop: Millis | int = NONE,
    ) -> None:
        """Take in events of one kind."""
        events = np.empty(len(at), dtype=EVENT)
        events["at"], events["person"], events["try"] = at, person, tries
        events["kind"], events["room"], events["reason"], events["since_drop"] = kind, room, reason, since_drop
        self._minute.append(events.tobytes())
        self.total += len(at)

    def flush(self, before: int) -> None:
        """Write out what happened before this time; nothing earlier may follow."""
        if not self._minute:
            return
        events = np.frombuffer(b"".join(self._minute), dtype=EVENT)
        events = events[np.argsort(events["at"], kind="stable")]
        ready = int(np.searchsorted(events["at"], before))
        self._file.write(events[:ready].tobytes())
        self._minute = [events[ready:].tobytes()]

    def read(self) -> Iterator[Events]:
        """Yield everything written, from the first event on, a chunk at a time."""
        self._file.seek(0)
        while data := self._file.read(_CHUNK * EVENT.itemsize):
            yield np.frombuffer(data, dtype=EVENT)
