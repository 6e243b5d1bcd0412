"""Delivery of a replay's records: how many arrived, how late they were, and up to where nothing is outstanding."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from producers.compose.lanes import MARK_ROW, Lane
from producers.replay.lateness import Lateness
from producers.replay.schedule import Schedule


@dataclass(slots=True)
class _InFlight:
    """Records handed over together and not settled: how many, their least row and their least due time."""

    count: int
    row: int | None
    due: int


class Meter:
    """The delivery listener of a replay's sender.

    Args:
        schedule: Knows when each record was due.
        clock: Monotonic seconds.
    """

    def __init__(self, schedule: Schedule, clock: Callable[[], float] = time.monotonic) -> None:
        self.schedule = schedule
        self.left_late = Lateness()
        """Of paced events: from the due time until the client library had them."""
        self.acked_late = Lateness()
        """Of paced events: from the due time until their acknowledgement was seen."""
        self.recent_late = Lateness()
        """As ``left_late``, since the last ``restart_recent``."""
        self.acked = 0
        """Records acknowledged, without marks."""
        self.failed: Counter[str] = Counter()
        """Records that were not delivered, by error."""
        self.failed_topics: set[str] = set()
        self.last_settled = clock()
        """When records were last settled, or last handed over while nothing was in flight."""
        self._clock = clock
        self._in_flight: dict[tuple[str, int], deque[_InFlight]] = {}

    @property
    def in_flight(self) -> int:
        """How many records, marks included, are handed over and not settled."""
        return sum(batch.count for queue in self._in_flight.values() for batch in queue)

    def handed(self, lane: Lane) -> None:
        """Note that these records are now handed to the sender."""
        rows = lane.rows[lane.rows != MARK_ROW]
        queue = self._in_flight.setdefault((lane.topic, lane.partition), deque())
        if not any(self._in_flight.values()):
            self.last_settled = self._clock()
        queue.append(_InFlight(len(lane), int(rows.min()) if len(rows) else None, int(lane.due[0])))

    def left(self, lane: Lane, wall: float) -> None:
        """Measure how late the paced events among these records left."""
        events = lane.due[lane.rows != MARK_ROW]
        late = wall - self.schedule.wall_of(events)
        late = late[~np.isnan(late)]
        self.left_late.add(late)
        self.recent_late.add(late)

    def settled(self, lane: Lane, wall: float, failed: Mapping[str, int]) -> None:
        """Count these records; they are no longer in flight."""
        self.last_settled = wall
        self.failed.update(failed)
        if failed:
            self.failed_topics.add(lane.topic)
        events = lane.due[lane.rows != MARK_ROW]
        self.acked += max(0, len(events) - sum(failed.values()))
        if not failed:
            late = wall - self.schedule.wall_of(events)
            self.acked_late.add(late[~np.isnan(late)])
        self._forget((lane.topic, lane.partition), len(lane))

    def restart_recent(self) -> Lateness:
        """Return ``recent_late`` and start a new one."""
        recent, self.recent_late = self.recent_late, Lateness()
        return recent

    def oldest_in_flight(self) -> tuple[int | None, int | None]:
        """Return the least row and the least due time in flight; None if there is none."""
        batches = [batch for queue in self._in_flight.values() for batch in queue]
        rows = [batch.row for batch in batches if batch.row is not None]
        return min(rows, default=None), min((batch.due for batch in batches), default=None)

    def _forget(self, place: tuple[str, int], count: int) -> None:
        """Partitions settle in order; a client may settle several batches at once, or one in parts."""
        queue = self._in_flight[place]
        while count:
            taken = min(count, queue[0].count)
            count -= taken
            queue[0].count -= taken
            if not queue[0].count:
                queue.popleft()
