"""What became of the records of a replay: how many are there, how late they were, and what is safely behind us."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from producers.compose.lanes import MARK_ROW, Lane
from producers.replay.lateness import Lateness
from producers.replay.schedule import Schedule


@dataclass(slots=True)
class _Handed:
    """Records on their way: how many, and the least of what they stand for."""

    count: int
    row: int | None
    due: int


class Meter:
    """The watcher of a replay's sender.

    Args:
        schedule: Says when each record was due.
        clock: Monotonic seconds.
    """

    def __init__(self, schedule: Schedule, clock: Callable[[], float] = time.monotonic) -> None:
        self.schedule = schedule
        self.left_late = Lateness()
        """Of paced events: from their due time to the moment the client had them."""
        self.there_late = Lateness()
        """Of paced events: from their due time to the moment their acknowledgement was seen."""
        self.recent_late = Lateness()
        """As ``left_late``, since the last ``restart_recent``."""
        self.left_events = 0
        self.acked = 0
        """Records acknowledged, marks left out."""
        self.failed: Counter[str] = Counter()
        """Records that did not get there, by error."""
        self.failed_topics: set[str] = set()
        self.news = clock()
        """When something was last settled, or nothing was on its way."""
        self._clock = clock
        self._handed: dict[tuple[str, int], deque[_Handed]] = {}

    @property
    def on_the_way(self) -> int:
        """How many records, marks included, are handed over and not settled."""
        return sum(handed.count for queue in self._handed.values() for handed in queue)

    def handed(self, lane: Lane) -> None:
        """Take note that the sender is given these records now."""
        rows = lane.rows[lane.rows != MARK_ROW]
        queue = self._handed.setdefault((lane.topic, lane.partition), deque())
        if not any(self._handed.values()):
            self.news = self._clock()
        queue.append(_Handed(len(lane), int(rows.min()) if len(rows) else None, int(lane.due[0])))

    def left(self, lane: Lane, wall: float) -> None:
        """Measure how late the paced events among these records left."""
        events = lane.due[lane.rows != MARK_ROW]
        self.left_events += len(events)
        late = wall - self.schedule.wall_of(events)
        late = late[~np.isnan(late)]
        self.left_late.add(late)
        self.recent_late.add(late)

    def settled(self, lane: Lane, wall: float, failed: Mapping[str, int]) -> None:
        """Count these records, and forget that they are on their way."""
        self.news = wall
        self.failed.update(failed)
        if failed:
            self.failed_topics.add(lane.topic)
        events = lane.due[lane.rows != MARK_ROW]
        self.acked += max(0, len(events) - sum(failed.values()))
        if not failed:
            late = wall - self.schedule.wall_of(events)
            self.there_late.add(late[~np.isnan(late)])
        self._forget((lane.topic, lane.partition), len(lane))

    def restart_recent(self) -> Lateness:
        """Return ``recent_late`` and begin a new one."""
        recent, self.recent_late = self.recent_late, Lateness()
        return recent

    def behind(self) -> tuple[int | None, int | None]:
        """Return the least row and the least due time among what is on its way; None where there is none."""
        on_the_way = [handed for queue in self._handed.values() for handed in queue]
        rows = [handed.row for handed in on_the_way if handed.row is not None]
        return min(rows, default=None), min((handed.due for handed in on_the_way), default=None)

    def _forget(self, place: tuple[str, int], count: int) -> None:
        """Partitions settle in order; a client may settle several hand-overs at once, or one in parts."""
        queue = self._handed[place]
        while count:
            taken = min(count, queue[0].count)
            count -= taken
            queue[0].count -= taken
            if not queue[0].count:
                queue.popleft()
