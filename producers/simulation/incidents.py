"""The incidents of an evening: at every second the conditions they make, and whom they strike.

Times are in ms after the opening. Incidents change conditions alone; strain, drops and retries follow in the rooms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from producers.scenario.incidentspec import (
    Autoscaling,
    CapacityLost,
    Deploy,
    Exodus,
    Incident,
    LoginOutage,
    Outage,
    SlowAnswers,
)
from producers.simulation.autoscaler import Autoscaler
from producers.simulation.demand import Demand
from producers.simulation.randomness import chance, levels
from streams.contract.names import MINUTE_MS

Mask = npt.NDArray[np.bool_]
_AT_ONCE_MS: Final = 5_000
"""A failed server's listeners lose their connections within this long."""


@dataclass(frozen=True)
class Conditions:
    """What incidents make of the rooms at one second; without one, nothing is changed."""

    capacity: float = 1.0
    """Factor on what the rooms hold and admit."""
    slow: SlowAnswers | None = None
    login_fails: float = 0.0
    """Share of the attempts that fail before they reach a room."""
    cut_off: Mask | None = None
    """By listener: no attempt gets through."""


UNCHANGED: Final = Conditions()


@dataclass(frozen=True)
class Blow:
    """Something that strikes listeners in the room at one second.

    Args:
        share: Share of them who are struck.
        within: Milliseconds in which it comes to them, each at a moment of its own.
        leaves: They leave of their own accord; otherwise they lose their connection.
        among: By listener: only these; None for all.
    """

    share: float
    within: int
    leaves: bool = False
    among: Mask | None = None


@dataclass(frozen=True)
class RunningIncident:
    """An incident of one evening.

    Args:
        spec: The incident.
        number: Its place in the scenario, from 0; it has random numbers of its own.
        begin: Its first moment.
        end: The first moment after it.
        demand: The crowd.
        seed: The tape's seed.
    """

    spec: Incident
    number: int
    begin: int
    end: int
    demand: Demand
    seed: int

    @cached_property
    def _cut_off(self) -> Mask:
        """The listeners whom an outage cuts off."""
        outage, crowd = cast("Outage", self.spec), self.demand
        if outage.client is not None:
            theirs = crowd.client == crowd.clients.index(outage.client)
        else:
            theirs = crowd.region == crowd.regions.index(outage.region or "")
        drawn = levels(self.seed, f"incident {self.number}", len(crowd)) < chance(outage.share)
        struck: Mask = theirs & drawn
        return struck

    @cached_property
    def _scaler(self) -> Autoscaler:
        return Autoscaler(cast("Autoscaling", self.spec), self.begin)

    def conditions(self, now: int, wanted: float) -> Conditions:
        """Return what it makes of the rooms at this second.

        Args:
            now: The second.
            wanted: The load of the second before, relative to the whole capacity.
        """
        made = UNCHANGED
        match self.spec:
            case CapacityLost():
                made = Conditions(capacity=1.0 - self.spec.share)
            case Deploy():
                new = self._batch(now, self.spec.batches) / self.spec.batches
                running = 1.0 - 1.0 / self.spec.batches
                made = Conditions(capacity=running * (1.0 - new + new * self.spec.held))
            case Autoscaling():
                made = Conditions(capacity=self._scaler.step(now, wanted))
            case LoginOutage():
                made = Conditions(login_fails=self.spec.share)
            case SlowAnswers():
                made = Conditions(slow=self.spec)
            case Outage():
                made = Conditions(cut_off=self._cut_off)
        return made

    def blow(self, now: int) -> Blow | None:
        """Return whom it strikes at this second; None for nobody."""
        match self.spec:
            case CapacityLost() if now == self.begin:
                return Blow(self.spec.share * self.spec.disconnects, _AT_ONCE_MS)
            case Outage() if now == self.begin:
                return Blow(1.0, round(self.spec.within_seconds * 1000), among=self._cut_off)
            case Exodus() if now == self.begin:
                return Blow(self.spec.share, self.end - self.begin, leaves=True)
            case Deploy() if now == self._batch_begin(self._batch(now, self.spec.batches), self.spec.batches):
                return Blow((1.0 - self.spec.moved) / self.spec.batches, _AT_ONCE_MS)
        return None

    def _batch(self, now: int, batches: int) -> int:
        return (now - self.begin) * batches // (self.end - self.begin)

    def _batch_begin(self, batch: int, batches: int) -> int:
        """Return the first second of a batch."""
        begin = self.begin + -(-batch * (self.end - self.begin) // batches)
        return -(-begin // 1000) * 1000


class IncidentSchedule:
    """The incidents of an evening, which come one after the other.

    Args:
        incidents: The scenario's section ``incidents``.
        demand: The crowd.
        scheduled: The scheduled start.
        seed: The tape's seed.
    """

    def __init__(self, incidents: Sequence[Incident], demand: Demand, *, scheduled: int, seed: int) -> None:
        self._all = [
            RunningIncident(one, number, *span(one, scheduled), demand, seed) for number, one in enumerate(incidents)
        ]

    def at(self, now: int) -> RunningIncident | None:
        """Return the incident of this second; None where there is none."""
        while self._all and self._all[0].end <= now:
            del self._all[0]
        return self._all[0] if self._all and self._all[0].begin <= now else None


def span(one: Incident, scheduled: int) -> tuple[int, int]:
    """Return the first moment of an incident and the first one after it, on whole seconds."""
    begin = scheduled + round(one.at * 60) * 1000
    return begin, max(begin + 1000, scheduled + round((one.at + one.minutes) * MINUTE_MS / 1000) * 1000)
