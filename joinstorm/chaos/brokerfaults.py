"""Faults of the brokers and of the network between them and their clients."""

from collections.abc import Callable, Sequence
from typing import Final

from joinstorm.chaos.faultschedule import Fault, FaultKind
from joinstorm.chaos.proxy import Proxy
from joinstorm.embedded.cluster import EmbeddedCluster

SLOW_SECONDS: Final = 0.1
"""Delay of a slow network, each way."""
LOOK_SECONDS: Final = 0.5
"""Between two looks whether a broker is up, or all replicas are in sync."""


class BrokerFaults:
    """Injects faults into a cluster and its network.

    Args:
        cluster: The brokers.
        proxy: The network; None if it cannot fail.
        topics: The topics whose leaders are killed.
        later: Has something done after some seconds.
    """

    def __init__(
        self,
        cluster: EmbeddedCluster,
        proxy: Proxy | None,
        topics: Sequence[str],
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self._cluster = cluster
        self._proxy = proxy
        self._topics = topics
        self._later = later
        self.starting: set[int] = set()
        """Brokers that are not up yet."""
        self.kinds: dict[FaultKind, Callable[[Fault], None]] = {
            FaultKind.STOP_BROKER: self._stop_broker,
            FaultKind.KILL_BROKER: lambda fault: self._kill(self._last(), fault.seconds),
            FaultKind.KILL_LEADER: lambda fault: self._kill(cluster.leader(topics), fault.seconds),
            FaultKind.KILL_CONTROLLER: lambda fault: self._kill(cluster.controller(), fault.seconds),
            FaultKind.ROLLING_RESTART: lambda _: self._restart(list(range(len(cluster.brokers)))),
            FaultKind.SLOW_NETWORK: self._slow_network,
            FaultKind.CUT_NETWORK: self._cut_network,
            FaultKind.HALF_OPEN: lambda _: self._network.half_open(),
        }
        """How each kind is injected."""

    def mend(self) -> None:
        """Start every broker and let everything pass."""
        if self._proxy is not None:
            self._proxy.slow(0)
            self._proxy.heal()
        self._cluster.start()

    @property
    def _network(self) -> Proxy:
        assert self._proxy is not None  # ``require`` has refused the fault
        return self._proxy

    def _last(self) -> int | None:
        return max((index for index, one in enumerate(self._cluster.brokers) if one.alive()), default=None)

    def _stop_broker(self, fault: Fault) -> None:
        if (index := self._last()) is not None:
            self._cluster.brokers[index].stop()
            self._later(fault.seconds, lambda: self._start(index))

    def _kill(self, index: int | None, seconds: float) -> None:
        """Kill a broker; the last one while none of the cluster has the part that should be hit."""
        chosen = self._last() if index is None else index
        if chosen is not None:
            self._cluster.brokers[chosen].kill()
            self._later(seconds, lambda: self._start(chosen))

    def _start(self, index: int) -> None:
        """Start a broker without waiting for it: other faults end while it starts."""
        self._cluster.brokers[index].launch()
        self.starting.add(index)
        self._look(index)

    def _look(self, index: int) -> None:
        broker = self._cluster.brokers[index]
        if not broker.alive() or broker.is_listed():
            self.starting.discard(index)
        else:
            self._later(LOOK_SECONDS, lambda: self._look(index))

    def _restart(self, left: list[int]) -> None:
        """Restart the first broker, and the others when all replicas are in sync."""
        self._cluster.brokers[left[0]].stop()
        self._start(left[0])
        if left[1:]:
            self._later(LOOK_SECONDS, lambda: self._go_on(left[1:]))

    def _go_on(self, left: list[int]) -> None:
        if not self.starting and self._cluster.in_sync(self._topics):
            self._restart(left)
        else:
            self._later(LOOK_SECONDS, lambda: self._go_on(left))

    def _slow_network(self, fault: Fault) -> None:
        self._network.slow(SLOW_SECONDS)
        self._later(fault.seconds, lambda: self._network.slow(0))

    def _cut_network(self, fault: Fault) -> None:
        self._network.cut()
        self._later(fault.seconds, self._network.heal)
