"""Faults of brokers and their network: what lasts ends in time, whatever else is going on."""

from collections.abc import Callable
from typing import Any

import pytest

from joinstorm.chaos.brokerfaults import SLOW_SECONDS, BrokerFaults
from joinstorm.chaos.faultschedule import Fault, FaultKind

TOPICS = ["t"]


class Broker:
    """Stands in for a broker; it is up when ``up`` says so."""

    def __init__(self, log: list[str], name: str) -> None:
        self._log, self._name = log, name
        self._alive = True
        self.up = True

    def alive(self) -> bool:
        """Whether its process runs."""
        return self._alive

    def is_listed(self) -> bool:
        """Whether it answers."""
        return self.up

    def launch(self) -> None:
        """Begin to start."""
        self._log.append(f"launch {self._name}")
        self._alive = True

    def stop(self) -> None:
        """End in order."""
        self._log.append(f"stop {self._name}")
        self._alive = self.up = False

    def kill(self) -> None:
        """End at once."""
        self._log.append(f"kill {self._name}")
        self._alive = self.up = False


class Cluster:
    """Stands in for a cluster of three; the second leads, the first is the controller."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.brokers = [Broker(self.log, name) for name in "abc"]
        self.synced = True

    def leader(self, topics: list[str]) -> int:
        """Return who leads."""
        assert topics == TOPICS
        return 1

    def controller(self) -> int | None:
        """Return who is the controller."""
        return 0

    def in_sync(self, _: list[str]) -> bool:
        """Whether all have everything."""
        return self.synced


class Network:
    """Stands in for the proxy."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Note a call."""
        return lambda *given: self._log.append(" ".join([name, *map(str, given)]))


class Rig:
    """Faults on a cluster that is not there, and a clock."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._now = 0.0
        cluster: Any = self.cluster
        network: Any = Network(self.cluster.log)
        self.faults = BrokerFaults(cluster, network, TOPICS, lambda s, do: self._due.append((self._now + s, do)))

    def inject(self, kind: FaultKind, seconds: float = 0.0) -> None:
        """Inject a fault."""
        self.faults.kinds[kind](Fault(0.5, kind, seconds))

    def at(self, now: float) -> list[str]:
        """Let time pass, and return what has happened since."""
        while ready := sorted((one for one in self._due if one[0] <= now), key=lambda one: one[0]):
            self._due.remove(ready[0])
            self._now = ready[0][0]
            ready[0][1]()
        self._now = now
        happened = list(self.cluster.log)
        self.cluster.log.clear()
        return happened


@pytest.fixture
def rig() -> Rig:
    """Return what faults are injected into."""
    return Rig()


@pytest.mark.parametrize(
    ("kind", "begun", "name"),
    [
        (FaultKind.STOP_BROKER, "stop c", "c"),
        (FaultKind.KILL_BROKER, "kill c", "c"),
        (FaultKind.KILL_LEADER, "kill b", "b"),
        (FaultKind.KILL_CONTROLLER, "kill a", "a"),
    ],
)
def test_a_broker_ends_and_starts_again(rig: Rig, kind: FaultKind, begun: str, name: str) -> None:
    """The last one, the leader or the controller, after the seconds of the fault; until it is up it is starting."""
    rig.inject(kind, 2.0)
    assert rig.at(1.9) == [begun]
    assert rig.at(2.1) == [f"launch {name}"]
    index = "abc".index(name)
    assert rig.faults.starting == {index}
    rig.cluster.brokers[index].up = True
    assert rig.at(3.0) == []
    assert not rig.faults.starting


def test_a_rolling_restart_waits_for_each_broker_and_for_all_replicas(rig: Rig) -> None:
    """The next broker stops when the one before is up and everything is in sync."""
    rig.inject(FaultKind.ROLLING_RESTART)
    assert rig.at(5.0) == ["stop a", "launch a"]
    rig.cluster.brokers[0].up, rig.cluster.synced = True, False
    assert rig.at(10.0) == []
    rig.cluster.synced = True
    assert rig.at(11.0) == ["stop b", "launch b"]
    rig.cluster.brokers[1].up = True
    assert rig.at(13.0) == ["stop c", "launch c"]
    rig.cluster.brokers[2].up = True
    assert rig.at(20.0) == []


def test_a_cut_ends_in_time_although_a_broker_is_starting(rig: Rig) -> None:
    """A broker that is slow to start keeps nothing else waiting."""
    rig.inject(FaultKind.CUT_NETWORK, 2.0)
    rig.inject(FaultKind.ROLLING_RESTART)
    assert rig.at(1.9) == ["cut", "stop a", "launch a"]
    assert rig.at(2.1) == ["heal"]


def test_the_network_is_slow_for_a_while_or_half_open_for_good(rig: Rig) -> None:
    """A delay ends; connections that were forgotten stay so."""
    rig.inject(FaultKind.SLOW_NETWORK, 3.0)
    rig.inject(FaultKind.HALF_OPEN)
    assert rig.at(2.9) == [f"slow {SLOW_SECONDS}", "half_open"]
    assert rig.at(9.0) == ["slow 0"]
