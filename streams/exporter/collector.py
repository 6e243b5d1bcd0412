"""Serves a run to Prometheus: each scrape computes the values from the results, as of event time."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar, cast

from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from streams.contract.names import TRUTH
from streams.contract.runinfo import RunInfo
from streams.exporter import samples
from streams.exporter.brokerhealth import BrokerHealth
from streams.metrics import definitions as metrics
from streams.metrics.definitions import EXPORTER_METRICS
from streams.metrics.families import Families
from streams.metrics.labels import TOP_ROOMS
from streams.metrics.server import OPTION, serve_metrics
from streams.read.derive import ResultsAt
from streams.read.difference import difference
from streams.read.runview import RunView

_T = TypeVar("_T")


class Source(Protocol):
    """Where an exporter reads the run: a ``ResultReader``."""

    def snapshot(self) -> RunView:
        """Return the current view of the run; thread-safe."""
        ...


class Exporter(Collector):
    """The metrics of ``streams.metrics.definitions.EXPORTER_METRICS``, of the run its source follows.

    Args:
        source: Provides the run.
        broker: Returns the broker's health; None while it is unknown.
        rooms: At most so many rooms have series of their own, those where the most people have been.
    """

    def __init__(
        self,
        source: Source,
        broker: Callable[[], BrokerHealth | None] = lambda: None,
        *,
        rooms: int = TOP_ROOMS,
    ) -> None:
        self._source = source
        self._broker = broker
        self._rooms = rooms
        self._took = 0.0
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[tuple[object, ...], object]] = {}

    def collect(self) -> Iterator[Family]:
        """Yield every family; without a run, most have no samples."""
        with self._lock:
            started = time.perf_counter()
            families = Families(EXPORTER_METRICS)
            view = self._source.snapshot()
            samples.add_reading(families, view)
            families.add(metrics.SCRAPE, self._took)
            broker = self._broker()
            if broker is not None:
                samples.add_broker(families, broker)
            if view.info is not None:
                self._add_run(families, view, view.info)
            self._took = time.perf_counter() - started
        yield from families

    @contextlib.contextmanager
    def serving(self, port: int, address: str = "127.0.0.1", *, option: str = OPTION) -> Iterator[str]:
        """Serve the metrics until the context is left; yields the URL.

        Args:
            port: TCP port; 0 for any free one.
            address: Local address to listen on.
            option: The option that sets the port, for the error.

        Raises:
            EnvironmentMissingError: The port is not available; the text names the option to choose another.
        """
        bound, close = serve_metrics(self, port, address, option=option)
        try:
            yield f"http://{address}:{bound}/metrics"
        finally:
            close()

    def _add_run(self, families: Families, view: RunView, info: RunInfo) -> None:
        samples.add_run(families, info)
        families.add(metrics.RUN_ENDED, view.ended)
        if view.replay_at is not None:
            samples.add_phase(families, info, view.replay_at)
        if view.status is not None:
            samples.add_replay(families, view.status)
        known = {name: now for name in sorted(view.engines) if (now := view.now(name)) is not None}
        rooms = samples.most_visited((now.view for now in known.values()), info.spaces, self._rooms)
        families.add(metrics.ROOMS_LEFT_OUT, len(info.spaces) - len(rooms))
        for name, engine in sorted(view.engines.items()):
            samples.add_engine(families, engine, info.events, view.replay_at)
            now = known.get(name)
            if now is None:
                continue
            samples.add_audience(families, name, now, rooms)
            samples.add_durations(families, name, now)
            samples.add_breakdowns(families, name, now)
            samples.add_tweets(families, name, now)
            self._add_reaction(families, name, info, now)
            self._add_difference(families, name, view, now, rooms)

    def _add_reaction(self, families: Families, name: str, info: RunInfo, now: ResultsAt) -> None:
        key = ("reaction", name)
        found = self._once(key, (now.view, now.until), lambda: samples.reaction_at(info, now.view, now.until))
        if found is not None:
            samples.add_reaction(families, name, found, samples.minutes_since_announced(info, now))

    def _add_difference(
        self, families: Families, name: str, view: RunView, now: ResultsAt, rooms: Sequence[str]
    ) -> None:
        truth = view.engines.get(TRUTH)
        if name == TRUTH or truth is None or not truth.drained:
            return
        key, state = ("difference", name), (now.view, truth.results, now.until)
        samples.add_difference(families, name, self._once(key, state, lambda: difference(*state)), rooms)

    def _once(self, key: tuple[str, str], state: tuple[object, ...], work: Callable[[], _T]) -> _T:
        """Return the result of ``work``, computed again only after ``state`` has changed."""
        known = self._known.get(key)
        if known is None or known[0] != state:
            known = self._known[key] = (state, work())
        return cast("_T", known[1])
