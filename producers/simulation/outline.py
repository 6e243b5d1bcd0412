"""The night as the simulation of the rooms leaves it: the times and the strain that the tweets follow."""

from dataclasses import dataclass

from streams.contract.names import MINUTE_MS
from streams.contract.runinfo import Phase


@dataclass(frozen=True)
class NightOutline:
    """When what happened, in event time (milliseconds since the epoch, UTC).

    It is complete before the first tweet is made: the rooms are simulated first, so the tweets can follow how badly it
    melts at every minute.
    """

    start: int
    """First moment of the night, a multiple of 5 s."""
    end: int
    """At or after the last event."""
    scheduled_start: int
    first_closed: int | None
    """When the first room was closed; None when it lived through the talk (nothing melted for long)."""
    talk_start: int
    talk_end: int
    announced: int | None
    """When the thread of the next day begins; None where the scenario has none."""
    phases: tuple[Phase, ...]
    strain: tuple[float, ...] = ()
    """How badly the rooms melted, 0 … 1, the mean of each minute since ``start``; zero after the last one given."""

    def strain_at(self, at: int) -> float:
        """Return the strain of the minute that holds event time ``at``."""
        minute = (at - self.start) // MINUTE_MS
        return self.strain[minute] if 0 <= minute < len(self.strain) else 0.0
