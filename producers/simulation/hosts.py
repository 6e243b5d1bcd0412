"""The decisions of the hosts: the talk begins in a calm room, and a room that melts for too long is closed.

The night is not scripted: in a room that stays calm the talk begins almost on time and no room is closed.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from producers.scenario.spec import HostsSpec
from streams.contract.names import MINUTE_MS

CLOSED = -1
"""In place of the open room: none is open."""


class HostAction(Enum):
    """What the hosts do at one moment."""

    CLOSE = auto()
    REOPEN = auto()
    BEGIN = auto()
    """The talk begins."""


@dataclass
class HostSchedule:
    """What the hosts have done so far; times in ms after the opening, None until it happens.

    Args:
        spec: The scenario's section ``hosts``.
        scheduled: The scheduled start.
    """

    spec: HostsSpec
    scheduled: int
    room: int = 0
    """The open room, ``CLOSED`` between the first and the second."""
    melting: int | None = None
    """When, after the scheduled start, the first room was first not calm."""
    closed: int | None = None
    reopened: int | None = None
    talk_start: int | None = None
    _calm: bool = field(default=True, init=False)
    _since: int = field(default=0, init=False)
    """Whether the open room is calm, and since when it has been so or not."""

    def __post_init__(self) -> None:
        """Count calm from the scheduled start."""
        self._since = self.scheduled

    @property
    def talk_end(self) -> int | None:
        """When the talk ends; None before it has begun."""
        return None if self.talk_start is None else self.talk_start + round(self.spec.talk_minutes * MINUTE_MS)

    @property
    def second_opens(self) -> int | None:
        """When the second room opens; None before the first one is closed."""
        return None if self.closed is None else self.closed + round(self.spec.reopen_after_minutes * MINUTE_MS)

    def decide(self, now: int, strain: float) -> HostAction | None:
        """Return what the hosts do at this second, None for nothing."""
        if self.talk_start is not None or now <= self.scheduled:
            return None
        if self.room == CLOSED:
            return self._reopen(now)
        self._note(now, strain)
        if self._settled(now) or now >= self.scheduled + self.spec.latest_start_minutes * MINUTE_MS:
            self.talk_start = now
            return HostAction.BEGIN
        late = now >= self.scheduled + self.spec.close_after_minutes * MINUTE_MS
        if late and self.closed is None and self._melted_long(now):
            self.closed, self.room = now, CLOSED
            return HostAction.CLOSE
        return None

    def _reopen(self, now: int) -> HostAction | None:
        if self.second_opens is None or now < self.second_opens:
            return None
        self.room, self.reopened, self._calm, self._since = 1, now, True, now
        return HostAction.REOPEN

    def _note(self, now: int, strain: float) -> None:
        calm = strain < self.spec.calm_below
        if calm != self._calm:
            self._calm, self._since = calm, now
        if not calm and self.melting is None:
            self.melting = now

    def _settled(self, now: int) -> bool:
        return self._calm and now - self._since >= self.spec.settle_minutes * MINUTE_MS

    def _melted_long(self, now: int) -> bool:
        """Return whether the room has melted for at least a minute."""
        return not self._calm and now - self._since >= MINUTE_MS
