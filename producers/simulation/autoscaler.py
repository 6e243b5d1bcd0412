"""An autoscaler: capacity is ordered by the load once a minute, and is there after a delay."""

from collections import deque

from producers.scenario.incidentspec import Autoscaling
from streams.contract.names import MINUTE_MS


class Autoscaler:
    """The share of the capacity that is there; it only grows.

    Args:
        spec: The scenario's figures.
        begin: Its first moment; orders go out every minute from then on.
    """

    def __init__(self, spec: Autoscaling, begin: int) -> None:
        self._spec = spec
        self._delay = round(spec.delay_minutes * MINUTE_MS)
        self._next = begin
        self._ordered: deque[tuple[int, float]] = deque()
        """When it is there, and what is there then; growing."""
        self._there = spec.least

    def step(self, now: int, wanted: float) -> float:
        """Return the share of the capacity that is there at this second, after ordering what the load asks for.

        Args:
            now: The second, in ms after the opening.
            wanted: The load, relative to the whole capacity.
        """
        if now >= self._next:
            self._next += MINUTE_MS
            aim = min(1.0, wanted / self._spec.target)
            if aim > (self._ordered[-1][1] if self._ordered else self._there):
                self._ordered.append((now + self._delay, aim))
        while self._ordered and self._ordered[0][0] <= now:
            self._there = self._ordered.popleft()[1]
        return self._there
