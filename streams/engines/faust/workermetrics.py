"""A worker's own /metrics: values are read from its state when Prometheus asks, so counting costs nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.engines.faust.partitions import Place
from streams.engines.faust.worker import FaustWorker
from streams.metrics import definitions as metrics
from streams.metrics.metric import Metric as Definition
from streams.metrics.server import serve_metrics


@dataclass(frozen=True)
class Surroundings:
    """What a worker's metrics need to know besides its own state; called from the thread that answers scrapes.

    Args:
        ends: Offset after the last record of each owned partition, as far as known.
        replayed: Event time up to which everything was sent, if known.
        started: When the worker started, in seconds since the epoch.
    """

    ends: Callable[[], Mapping[Place, int]]
    replayed: Callable[[], int | None]
    started: float


class WorkerCollector(Collector):
    """Metrics of one worker; see ``streams.metrics.definitions.WORKER_METRICS``."""

    def __init__(self, worker: FaustWorker, surroundings: Surroundings) -> None:
        self._worker = worker
        self._surroundings = surroundings
        self._engine = worker.settings.engine

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        partitions, worker = self._worker.partitions, self._worker
        yield self._family(metrics.WORKER_START, [((), self._surroundings.started)])
        by_place = (
            (metrics.WORKER_EVENTS, partitions.events),
            (metrics.WORKER_CHUNKS, partitions.chunks),
            (metrics.WORKER_DUPLICATES, partitions.duplicates),
        )
        for metric, counts in by_place:
            yield self._family(metric, (((topic, str(number)), n) for (topic, number), n in list(counts.items())))
        yield self._family(metrics.WORKER_DEAD_LETTERS, list(partitions.reasons.items()))
        by_name = (
            (metrics.WORKER_STAGE, partitions.step_times.seconds),
            (metrics.WORKER_CHECKPOINTS, worker.written),
            (metrics.WORKER_RESTORED, worker.restored),
        )
        for metric, named in by_name:
            yield self._family(metric, (((name,), value) for name, value in named.items()))
        yield self._family(metrics.WORKER_CHECKPOINT_BYTES, [((), worker.written_bytes)])
        yield self._family(metrics.WORKER_PUBLISHED, [((), worker.published)])
        yield from self._lags()

    def _lags(self) -> Iterator[Metric]:
        ends, replayed = self._surroundings.ends(), self._surroundings.replayed()
        records: dict[tuple[str, ...], float] = {}
        seconds: dict[tuple[str, ...], float] = {}
        for (topic, number), state in list(self._worker.partitions.states.items()):
            place = (topic, str(number))
            end = ends.get((topic, number))
            if end is not None:
                records[place] = max(0, end - state.next_offset)
            if replayed is not None and state.watermark is not None:
                seconds[place] = max(0, replayed - state.watermark) / 1000
        yield self._family(metrics.WORKER_LAG, records.items())
        yield self._family(metrics.WORKER_EVENT_LAG, seconds.items())

    def _family(self, metric: Definition, values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
        kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
        family = kind(metric.name.removesuffix("_total"), metric.help, labels=metric.labels)
        for labels, value in values:
            family.add_metric([self._engine, *labels], value)
        return family


def serve(worker: FaustWorker, surroundings: Surroundings, port: int, address: str) -> tuple[int, Callable[[], None]]:
    """Serve a worker's metrics.

    Returns:
        The port, and a function that ends it.

    Raises:
        EnvironmentMissingError: The port cannot be had; the text names the option to choose another.
    """
    return serve_metrics(WorkerCollector(worker, surroundings), port, address)
