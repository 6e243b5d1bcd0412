"""A schedule of faults: what goes wrong and when, drawn from a seed or parsed from text."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from streams.errors import UsageError
from streams.suggest import unknown


class FaultKind(StrEnum):
    """The faults a running job can suffer."""

    KILL_WORKER = "kill-worker"
    """SIGKILL; the same worker is started again at once."""
    FREEZE_WORKER = "freeze-worker"
    """SIGSTOP for some seconds; when long enough, the group goes on without the worker until it wakes as a zombie."""
    SLOW_WORKER = "slow-worker"
    """Stopped for four fifths of the time, for some seconds."""
    ADD_WORKER = "add-worker"
    REMOVE_WORKER = "remove-worker"
    """SIGTERM to the newest worker, unless it is the only one."""
    KILL_PRODUCER = "kill-producer"
    """SIGKILL; started again from its saved position."""
    KILL_EXPORTER = "kill-exporter"
    """SIGKILL; started again."""
    STOP_BROKER = "stop-broker"
    """SIGTERM to one broker; started again after some seconds."""
    KILL_BROKER = "kill-broker"
    """SIGKILL to one broker; started again after some seconds."""
    KILL_LEADER = "kill-leader"
    """SIGKILL to the broker that leads most input partitions; started again after some seconds."""
    KILL_CONTROLLER = "kill-controller"
    """SIGKILL to the active controller; started again after some seconds."""
    ROLLING_RESTART = "rolling-restart"
    """Every broker in turn is stopped in order and started again, the next one when all replicas are in sync."""
    SLOW_NETWORK = "slow-network"
    """For some seconds, everything between clients and brokers is delayed in both directions."""
    CUT_NETWORK = "cut-network"
    """For some seconds, connections between clients and brokers are reset, new ones too."""
    HALF_OPEN = "half-open"
    """The brokers forget their connections and the clients do not know: they stay silent. New connections work."""


LASTING: Final = (
    FaultKind.FREEZE_WORKER,
    FaultKind.SLOW_WORKER,
    FaultKind.STOP_BROKER,
    FaultKind.KILL_BROKER,
    FaultKind.KILL_LEADER,
    FaultKind.KILL_CONTROLLER,
    FaultKind.SLOW_NETWORK,
    FaultKind.CUT_NETWORK,
)
"""Faults that last; the others are over at once."""
CLUSTER: Final = (FaultKind.KILL_LEADER, FaultKind.KILL_CONTROLLER, FaultKind.ROLLING_RESTART)
"""Faults of a cluster, which has to have three brokers or more."""
NETWORK: Final = (FaultKind.SLOW_NETWORK, FaultKind.CUT_NETWORK, FaultKind.HALF_OPEN)
"""Faults of the network between clients and brokers."""
OUTAGES: Final = (FaultKind.STOP_BROKER, FaultKind.KILL_BROKER, *CLUSTER)
CLUSTER_BROKERS: Final = 3
LONGEST_SECONDS: Final = 60.0


@dataclass(frozen=True, order=True)
class Fault:
    """One fault.

    Args:
        at: When it is injected: share of the tape's events the engine has counted, 0 to 1.
        kind: What happens.
        seconds: How long it lasts, 0 for the kinds that do not.
    """

    at: float
    kind: FaultKind
    seconds: float = 0.0

    def __str__(self) -> str:
        """Return the text ``parse`` reads."""
        return f"{self.at:.2f}:{self.kind}" + (f":{self.seconds:g}" if self.seconds else "")


def text(faults: Sequence[Fault]) -> str:
    """Return a schedule as the text ``parse`` reads."""
    return ",".join(map(str, faults))


def parse(given: str) -> list[Fault]:
    """Read a schedule: ``SHARE:KIND[:SECONDS]``, several separated by commas, as in ``0.30:kill-worker``.

    Raises:
        UsageError: A fault is unknown or a number out of range; the text says which and what is allowed.
    """
    faults = sorted(_parse_one(part.strip()) for part in given.split(",") if part.strip())
    if not faults:
        raise UsageError(f"no fault in {given!r}: expected SHARE:KIND[:SECONDS]; known are {', '.join(FaultKind)}")
    return faults


def _parse_one(given: str) -> Fault:
    share, _, rest = given.partition(":")
    name, _, seconds = rest.partition(":")
    if name not in list(FaultKind):
        raise UsageError(f"fault {given!r}: {unknown('kind', name, FaultKind)}")
    kind = FaultKind(name)
    at = _figure(given, "share of the events", share, 1.0)
    if seconds and kind not in LASTING:
        raise UsageError(f"fault {given!r}: {kind} takes no seconds")
    lasts = _figure(given, "seconds", seconds, LONGEST_SECONDS) if seconds else 0.0
    return Fault(at, kind, lasts or (3.0 if kind in LASTING else 0.0))


def _figure(given: str, what: str, number: str, greatest: float) -> float:
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value <= greatest:
        raise UsageError(f"fault {given!r}: {what} {number!r}, expected a number from 0 to {greatest:g}")
    return value


def require(faults: Sequence[Fault], brokers: int, network: bool) -> None:
    """Refuse faults that what they run on cannot have.

    Raises:
        UsageError: A fault needs more brokers or the proxy; the text says which option.
    """
    for fault in faults:
        if fault.kind in CLUSTER and brokers < CLUSTER_BROKERS:
            raise UsageError(f"fault '{fault}': {fault.kind} needs --brokers {CLUSTER_BROKERS} or more")
        if fault.kind in NETWORK and not network:
            raise UsageError(f"fault '{fault}': {fault.kind} needs --network")


def schedules_of(
    runs: int, seed: int, given: str | None, *, brokers: int, network: bool
) -> list[tuple[int | None, list[Fault]]]:
    """Return the schedule of each run, and the seed it was drawn from.

    Args:
        runs: How many.
        seed: Of the first; each run adds one.
        given: The schedule of every run, as text; None to draw them.
        brokers: Of the cluster.
        network: Whether the network fails.

    Raises:
        UsageError: The text is no schedule, or one of its faults needs another cluster or the proxy.
    """
    if given is None:
        return [(one, draw(one, brokers=brokers, network=network)) for one in range(seed, seed + runs)]
    faults = parse(given)
    require(faults, brokers, network)
    return [(None, faults)] * runs


def draw(seed: int, least: int = 3, most: int = 5, *, brokers: int = 1, network: bool = False) -> list[Fault]:
    """Return the schedule of a seed: ``least`` to ``most`` faults, in time order.

    With a cluster or a network that fails there is at least one fault of each. Some kinds are rare in one schedule,
    because they cost seconds, and many schedules show more than a long one.

    Args:
        seed: Decides everything.
        least: Fewest faults.
        most: Most faults.
        brokers: Of the cluster; from three on it has faults of its own.
        network: Whether the network fails.
    """
    dice = random.Random(f"chaos-{seed}")  # noqa: S311 - a seed is wanted, not secrecy
    count = dice.randint(least, most)
    wanted = [CLUSTER] * (brokers >= CLUSTER_BROKERS) + [NETWORK] * network
    known = [kind for kind in FaultKind if kind not in {*CLUSTER, *NETWORK}] + [kind for one in wanted for kind in one]
    kinds = [dice.choice(group) for group in wanted]
    while len(kinds) < count:
        kind = dice.choice(known)
        if not _too_many([*kinds, kind], brokers):
            kinds.append(kind)
    return sorted(Fault(round(dice.uniform(0.02, 0.92), 2), kind, _lasts(dice, kind)) for kind in kinds)


def _too_many(kinds: Sequence[FaultKind], brokers: int) -> bool:
    """Whether brokers go away more than once, twice in a cluster, or clients wait for silence more than once."""
    outages = 2 if brokers >= CLUSTER_BROKERS else 1
    return sum(kind in OUTAGES for kind in kinds) > outages or kinds.count(FaultKind.HALF_OPEN) > 1


def _lasts(dice: random.Random, kind: FaultKind) -> float:
    brief = kind in {FaultKind.STOP_BROKER, FaultKind.KILL_BROKER}
    return round(dice.uniform(0.5, 2.5 if brief else 9.0), 1) if kind in LASTING else 0.0
