"""The properties of each listener: arrival, patience and the like, drawn before the night and never changed by it.

Every property has its own random stream, so a listener is the same in all scenarios with the same seed and the same
section ``crowd``: two scenarios differ only in what the rooms do to the same people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from producers.scenario.incidentspec import CrowdPeak, Incident
from producers.scenario.spec import CrowdSpec
from producers.simulation.randomness import LEVELS, Levels, Millis, chance, exponential, levels, stream
from streams.contract.names import MINUTE_MS


@dataclass(frozen=True)
class Demand:
    """One value per listener; times in ms, arrivals after the opening, the others as durations."""

    arrival: Millis
    client: npt.NDArray[np.int8]
    clients: tuple[str, ...]
    """The names behind ``client``."""
    region: npt.NDArray[np.int8]
    regions: tuple[str, ...]
    """The names behind ``region``; empty where the scenario names none."""
    patience: "DrawnValue"
    tolerance: "DrawnValue"
    """Failed attempts in a row before giving up, times 1000."""
    follows: "DrawnChoice"
    follow_delay: "DrawnValue"
    linger: "DrawnValue"
    returns: "DrawnChoice"
    return_delay: "DrawnValue"
    stay: "DrawnValue"
    farewell: "DrawnValue"

    def __len__(self) -> int:
        """Return the number of listeners."""
        return len(self.arrival)


@dataclass(frozen=True)
class DrawnValue:
    """A value per listener, mostly a duration in ms: a level each, and the table of the distribution."""

    level: Levels
    values: Millis

    def of(self, ids: npt.NDArray[np.int32]) -> Millis:
        """Return the values of these listeners."""
        return self.values[self.level[ids]]


@dataclass(frozen=True)
class DrawnChoice:
    """A yes or no per listener."""

    level: Levels
    below: int

    def of(self, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Return the values of these listeners."""
        return self.level[ids] < self.below


def draw_demand(
    crowd: CrowdSpec, *, seed: int, listeners: int, opens_ms: int, incidents: Sequence[Incident] = ()
) -> Demand:
    """Draw the crowd.

    Args:
        crowd: The scenario's section ``crowd``.
        seed: The tape's seed.
        listeners: Their number: the scenario's times scale.
        opens_ms: The opening, in ms after the scheduled start (negative).
        incidents: Those of the night; some change when people come.
    """

    def draw(name: str, values: Millis) -> DrawnValue:
        return DrawnValue(levels(seed, name, listeners), values)

    def minutes(name: str, mean: float) -> DrawnValue:
        return draw(name, _exponential(mean * MINUTE_MS))

    arrival = _arrivals(crowd, stream(seed, "arrival").random(listeners), opens_ms)
    _peaks(arrival, incidents, seed, opens_ms)
    return Demand(
        arrival=arrival,
        client=_shared_out(crowd.clients, seed, "client", listeners),
        clients=tuple(crowd.clients),
        region=_shared_out(crowd.regions, seed, "region", listeners),
        regions=tuple(crowd.regions),
        patience=minutes("patience", crowd.patience_minutes),
        tolerance=draw("tolerance", _exponential(crowd.tolerated_fails * 1000)),
        follows=DrawnChoice(levels(seed, "follows", listeners), chance(crowd.follow_share)),
        follow_delay=minutes("follow_delay", crowd.follow_minutes),
        linger=minutes("linger", crowd.linger_minutes),
        returns=DrawnChoice(levels(seed, "returns", listeners), chance(crowd.return_share)),
        return_delay=minutes("return_delay", crowd.return_minutes),
        stay=draw("stay", _stay(crowd.short_share, crowd.short_minutes, crowd.long_minutes)),
        farewell=minutes("farewell", crowd.farewell_minutes),
    )


@lru_cache(maxsize=64)
def _exponential(mean_ms: float) -> Millis:
    return exponential(mean_ms)


@lru_cache(maxsize=16)
def _stay(short_share: float, short_minutes: float, long_minutes: float) -> Millis:
    """Return the table of a mixture: short stays at the lower levels, long ones at the others."""
    short = chance(short_share)
    values = np.empty(LEVELS, dtype=np.int32)
    for part, mean in ((slice(0, short), short_minutes), (slice(short, LEVELS), long_minutes)):
        places = np.arange(LEVELS)[part]
        inner = (places - places[:1]) * LEVELS // max(len(places), 1)
        values[part] = exponential(mean * MINUTE_MS)[inner]
    return values


def _shared_out(shares: Mapping[str, float], seed: int, name: str, listeners: int) -> npt.NDArray[np.int8]:
    """Draw one of several names for every listener, by their shares; the number of the name."""
    if not shares:
        return np.zeros(listeners, np.int8)
    total = sum(shares.values())
    bounds, below = [], 0.0
    for share in shares.values():
        below += share / total
        bounds.append(chance(below))
    level = levels(seed, name, listeners)
    return np.searchsorted(np.array(bounds[:-1]), level, side="right").astype(np.int8)


def _peaks(arrival: Millis, incidents: Sequence[Incident], seed: int, opens_ms: int) -> None:
    """Let the people of each peak come in it, evenly, rather than at their own time."""
    for number, one in enumerate(incidents):
        if isinstance(one, CrowdPeak):
            moved = levels(seed, f"incident {number}", len(arrival)) < chance(one.share)
            level = levels(seed, f"incident {number}, moment", len(arrival))[moved].astype(np.int64)
            begin, length = round(one.at * MINUTE_MS) - opens_ms, round(one.minutes * MINUTE_MS)
            arrival[moved] = (begin + level * length // LEVELS).astype(np.int32)


def _arrivals(crowd: CrowdSpec, uniform: npt.NDArray[np.float64], opens_ms: int) -> Millis:
    """Turn uniform numbers into arrival times by the inverse of the piecewise linear arrival curve.

    The array sees only operations whose results IEEE 754 fixes to the last bit (square roots among them).
    """
    times = [minute * MINUTE_MS - opens_ms for minute, _ in crowd.arrivals]
    rates = [rate for _, rate in crowd.arrivals]
    areas = [0.0]
    for left in range(len(times) - 1):
        areas.append(areas[-1] + (rates[left] + rates[left + 1]) / 2 * (times[left + 1] - times[left]))
    area = uniform * areas[-1]
    segment = np.minimum(np.searchsorted(np.array(areas), area, side="right") - 1, len(times) - 2)
    begin, rate = np.array(times)[segment], np.array(rates)[segment]
    slope = np.array([(rates[i + 1] - rates[i]) / (times[i + 1] - times[i]) for i in range(len(times) - 1)])[segment]
    rest = area - np.array(areas)[segment]
    root = np.sqrt(np.maximum(rate * rate + 2 * slope * rest, 0.0))
    denominator = rate + root
    into = np.divide(2 * rest, denominator, out=np.zeros_like(rest), where=denominator > 0)
    arrivals: Millis = (begin + into).astype(np.int32)
    return arrivals
