"""The outline of a night, made by the simulation of the rooms: the times and the strain that the tweets follow."""

from dataclasses import dataclass

from streams.contract.runinfo import Phase


@dataclass(frozen=True)
class NightOutline:
    """The times of the night's turning points, in event time (ms since the epoch, UTC), and its strain.

    The rooms are simulated before the first tweet is made, so that the tweets can follow the strain of every minute.
    """

    start: int
    """First moment of the night, a multiple of 5 s."""
    end: int
    """At or after the last event."""
    scheduled_start: int
    talk_start: int
    talk_end: int
    announced: int | None
    """When the thread of the next day begins; None if the scenario has none."""
    phases: tuple[Phase, ...]
    strain: tuple[float, ...] = ()
    """The mean strain of each minute since ``start``, 0 … 1; zero after the last one given."""
