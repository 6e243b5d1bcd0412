"""The room server: its audience, its load and strain, and the attempts it admits.

The load is relative to the capacity, which causes no strain:
``load = (audience + attempt_weight · attempts per second) / capacity``. The strain grows linearly from 0 at load 1 to 1
at load ``limit``. Strain fails attempts and drops listeners; both cause new attempts, which are load: the melting.
"""

import math

import numpy as np
import numpy.typing as npt

from producers.scenario.spec import ServerSpec
from producers.simulation.incidents import UNCHANGED, Conditions

Ids = npt.NDArray[np.int32]

_BURST = 5.0
_SMOOTHING = 0.2
"""Weight of the latest second in the moving average of attempts per second."""


class Audience:
    """The set of listeners in the room, as a dense array: every operation costs only what it touches."""

    def __init__(self, listeners: int) -> None:
        self._ids = np.empty(listeners, dtype=np.int32)
        self._place = np.full(listeners, -1, dtype=np.int32)
        self.count = 0

    def add(self, ids: Ids) -> None:
        """Add listeners that are not in the room."""
        end = self.count + len(ids)
        self._ids[self.count : end] = ids
        self._place[ids] = np.arange(self.count, end, dtype=np.int32)
        self.count = end

    def remove(self, ids: Ids) -> None:
        """Remove listeners that are in the room; the last ones of the array move into the gaps."""
        rest = self.count - len(ids)
        places = self._place[ids]
        self._place[ids] = -1
        tail = self._ids[rest : self.count]
        movers = tail[self._place[tail] >= 0]
        gaps = np.sort(places[places < rest])
        self._ids[gaps] = movers
        self._place[movers] = gaps
        self.count = rest

    def ids(self) -> Ids:
        """Return all listeners in the room."""
        return self._ids[: self.count].copy()

    def sample(self, uniform: npt.NDArray[np.float64]) -> Ids:
        """Return the listeners that these uniform numbers select, each once, in order of id."""
        return np.unique(self._ids[(uniform * self.count).astype(np.int64)])


class Room:
    """The server's capacity and its state, second by second.

    Args:
        spec: The scenario's section ``server``, at scale 1.
        scale: Factor for its sizes and rates.
        listeners: The largest possible audience.
    """

    def __init__(self, spec: ServerSpec, scale: float, listeners: int) -> None:
        self.audience = Audience(listeners)
        self.strain = 0.0
        self._spec = spec
        self._capacity = spec.held * scale
        self._weight = spec.attempt_weight
        self._admissions = spec.admissions_per_second * scale
        self._tokens = 0.0
        self._attempts = 0.0
        """Moving average of attempts per second."""
        self._drops = 0.0
        self._losses = 0.0
        self.conditions: Conditions = UNCHANGED
        """What an incident makes of the server now."""
        self.wanted = 0.0
        """The load of the latest second, relative to the whole capacity."""

    @property
    def capacity(self) -> float:
        """Listeners that the room can hold without strain under the present conditions."""
        return self._capacity * self.conditions.capacity

    def measure(self, attempts: int) -> float:
        """Update the strain by the last second's attempts and the audience, and return it."""
        self._attempts += _SMOOTHING * (attempts - self._attempts)
        slow = self.conditions.slow
        weight = self._weight if slow is None else self._weight * slow.weight
        self.wanted = (self.audience.count + weight * self._attempts) / self._capacity
        load = self.wanted / self.conditions.capacity
        strained = min(max((load - 1.0) / (self._spec.limit - 1.0), 0.0), 1.0)
        self.strain += (strained - self.strain) * min(1.0, 1.0 / self._spec.inertia_seconds)
        return self.strain

    def admit(self, uniform: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return which of a second's attempts are admitted: by chance under strain, then first come, first served.

        Unused admissions stay available for up to ``_BURST`` seconds.

        Args:
            uniform: A uniform number per attempt, in order of time.
        """
        admissions = self._admissions * self.conditions.capacity
        self._tokens = min(self._tokens + admissions, max(admissions * _BURST, 1.0))
        admitted = uniform >= self._spec.refuse_share * self.strain
        admitted &= np.cumsum(admitted) <= self._tokens
        self._tokens -= int(np.count_nonzero(admitted))
        return admitted

    def drops_due(self) -> int:
        """Return how many listeners the strain drops in this second; fractions carry over."""
        self._drops += self.audience.count * self.strain * self._spec.drops_per_minute / 60.0
        whole = math.floor(self._drops)
        self._drops -= whole
        return whole

    def losses_due(self) -> int:
        """Return how many connections break in this second, strain or no strain; fractions carry over."""
        self._losses += self.audience.count * self._spec.losses_per_hour / 3600.0
        whole = math.floor(self._losses)
        self._losses -= whole
        return whole

    def answer_ms(self, uniform: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        """Return how long the answers take: between half and one and a half times the mean."""
        slow = self.conditions.slow
        unstrained = self._spec.answer_seconds if slow is None else slow.answer_seconds
        mean = 1000.0 * (unstrained + self.strain * self._spec.strained_answer_seconds)
        return (mean * (0.5 + uniform)).astype(np.int32)
