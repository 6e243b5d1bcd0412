"""What the hosts do: they wait for a calm room to begin the talk, and close one that melts for too long.

Nothing here is a script of the night: in a room that stays calm the talk begins almost on time and nothing is closed.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from producers.scenario.spec import HostsSpec
from streams.contract.names import MINUTE_MS

CLOSED = -1
"""In place of a room: none is open."""


class Act(Enum):
    """What the hosts do at one moment."""

    CLOSE = auto()
    REOPEN = auto()
    BEGIN = auto()
    """The talk begins."""


@dataclass
class Programme:
    """The course of the evening so far; times in ms after the opening, None until it has come to that.

    Args:
        spec: The scenario's section.
        scheduled: The scheduled start.
    """

    spec: HostsSpec
    scheduled: int
    room: int = 0
    """The open room, ``CLOSED`` between two."""
    melting: int | None = None
    """Since when, after the scheduled start, the first room was no longer calm."""
    closed: int | None = None
    reopened: int | None = None
    talk_start: int | None = None
    _calm: bool = field(default=True, init=False)
    _since: int = field(default=0, init=False)
    """How the open room has been lately, and since when."""

    def __post_init__(self) -> None:
        """Begin to watch at the scheduled start."""
        self._since = self.scheduled

    @property
    def talk_end(self) -> int | None:
        """When the talk ends, once it has begun."""
        return None if self.talk_start is None else self.talk_start + round(self.spec.talk_minutes * MINUTE_MS)

    @property
    def second_opens(self) -> int | None:
        """When the second room opens, once the first one is closed."""
        return None if self.closed is None else self.closed + round(self.spec.reopen_after_minutes * MINUTE_MS)

    def decide(self, now: int, strain: float) -> Act | None:
        """Look at the room once a second and say what is done about it, if anything."""
        if self.talk_start is not None or now <= self.scheduled:
            return None
        if self.room == CLOSED:
            return self._reopen(now)
        self._watch(now, strain)
        if self._settled(now) or now >= self.scheduled + self.spec.latest_start_minutes * MINUTE_MS:
            self.talk_start = now
            return Act.BEGIN
        late = now >= self.scheduled + self.spec.close_after_minutes * MINUTE_MS
        if late and self.closed is None and self._melted_long(now):
            self.closed, self.room = now, CLOSED
            return Act.CLOSE
        return None

    def _reopen(self, now: int) -> Act | None:
        if self.second_opens is None or now < self.second_opens:
            return None
        self.room, self.reopened, self._calm, self._since = 1, now, True, now
        return Act.REOPEN

    def _watch(self, now: int, strain: float) -> None:
        calm = strain < self.spec.calm_below
        if calm != self._calm:
            self._calm, self._since = calm, now
        if not calm and self.melting is None:
            self.melting = now

    def _settled(self, now: int) -> bool:
        return self._calm and now - self._since >= self.spec.settle_minutes * MINUTE_MS

    def _melted_long(self, now: int) -> bool:
        """Say whether it melts, and not just since a moment ago."""
        return not self._calm and now - self._since >= MINUTE_MS
