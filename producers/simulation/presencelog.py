"""The presence events on their way to the tape: compact, sorted by time minute by minute, kept in a file.

The tweets depend on the strain of the whole evening, so the rooms are simulated first; their events wait in a file
rather than in memory.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from producers.simulation.randomness import Millis
from producers.simulation.room import Ids
from streams.errors import TapeError, reason

KINDS = ("attempt", "join", "fail", "leave", "drop")
ATTEMPT, JOIN, FAIL, LEAVE, DROP = range(len(KINDS))
REASONS = ("overloaded", "room_closed", "connection_lost", "gave_up", "login_failed", "timed_out")
"""A listener is dropped for one of the first three; ``gave_up`` is the leave of a waiting listener; an attempt fails
for any of the others."""
OVERLOADED, ROOM_CLOSED, CONNECTION_LOST, GAVE_UP, LOGIN_FAILED, TIMED_OUT = range(len(REASONS))
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


class SpoolError(TapeError):
    """The file of the log cannot be written or read; the text says why."""


class PresenceLog:
    """Accepts events in any order within a minute or so, and writes them to a file in order of time.

    Args:
        file: Open for reading and writing; only the log uses it.

    Raises:
        SpoolError: The file cannot be written or read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._minute: list[bytes] = []
        self.total = 0
        """Events accepted so far."""

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
        """Add events of one kind."""
        events = np.empty(len(at), dtype=EVENT)
        events["at"], events["person"], events["try"] = at, person, tries
        events["kind"], events["room"], events["reason"], events["since_drop"] = kind, room, reason, since_drop
        self._minute.append(events.tobytes())
        self.total += len(at)

    def flush(self, before: int) -> None:
        """Write the events before this time; nothing earlier may follow."""
        if not self._minute:
            return
        events = np.frombuffer(b"".join(self._minute), dtype=EVENT)
        events = events[np.argsort(events["at"], kind="stable")]
        ready = int(np.searchsorted(events["at"], before))
        try:
            self._file.write(events[:ready].tobytes())
        except OSError as error:
            raise SpoolError(f"the temporary file of its events cannot be written: {reason(error)}") from None
        self._minute = [events[ready:].tobytes()]

    def read(self) -> Iterator[Events]:
        """Yield all events written, from the first on, a chunk at a time."""
        self._seek_start()
        while data := self._file.read(_CHUNK * EVENT.itemsize):
            yield np.frombuffer(data, dtype=EVENT)

    def _seek_start(self) -> None:
        try:
            self._file.seek(0)  # writes what is still buffered
        except OSError as error:
            raise SpoolError(f"the temporary file of its events cannot be written: {reason(error)}") from None
