"""A worker's /metrics say what its state says."""

import asyncio
import socket
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from streams.contract.events import Mark, MarkKind, encode
from streams.contract.topics import PRESENCE
from streams.engines.abstract import WorkerSettings
from streams.engines.faust.worker import FaustWorker
from streams.engines.faust.workermetrics import Surroundings, WorkerCollector, serve
from streams.errors import EnvironmentMissingError
from streams.fold.state import PartitionState
from streams.kafka.connection import Connection
from streams.metrics import definitions as metrics
from tests.chunks import chunk_of
from tests.oracle import event_of, long_night

INFO = long_night()
PLACE = (PRESENCE, 1)


async def _worker() -> FaustWorker:
    worker = FaustWorker(WorkerSettings(Connection("127.0.0.1:1"), INFO, "faust"))
    worker.partitions.put([PartitionState(INFO, *PLACE)])
    mark = Mark(mark=MarkKind.WATERMARK, at=INFO.start + 1_000, run=INFO.run, v=1)
    values: list[bytes | None] = [encode(event_of(3 * n + 1, n)) for n in range(5)]
    values += [values[0], b"garbage", encode(mark)]
    await worker.accept(PLACE, chunk_of(0, 8, values, range(8)))
    return worker


def _registry() -> CollectorRegistry:
    around = Surroundings(lambda: {PLACE: 20}, lambda: INFO.start + 3_500, 1_000.5)
    registry = CollectorRegistry()
    registry.register(WorkerCollector(asyncio.run(_worker()), around))
    return registry


def test_every_metric_is_there_under_its_name_and_labels() -> None:
    """What is served is what streams.metrics.definitions announces, and nothing else."""
    families = {family.name: family for family in _registry().collect()}
    assert set(families) == {metric.name.removesuffix("_total") for metric in metrics.WORKER_METRICS}
    for metric in metrics.WORKER_METRICS:
        family = families[metric.name.removesuffix("_total")]
        assert family.type == metric.type
        assert family.documentation == metric.help
        assert all(tuple(sample.labels) == metric.labels for sample in family.samples)


def test_counts_and_lags() -> None:
    """Events, duplicates, records put aside, and how far the partition is behind in records and in event time."""
    registry = _registry()
    place = {"engine": "faust", "topic": PRESENCE, "partition": "1"}
    assert registry.get_sample_value(metrics.WORKER_EVENTS.name, place) == 5
    assert registry.get_sample_value(metrics.WORKER_DUPLICATES.name, place) == 1
    assert registry.get_sample_value(metrics.WORKER_CHUNKS.name, place) == 1
    reason = {"engine": "faust", "topic": PRESENCE, "reason": "not_json"}
    assert registry.get_sample_value(metrics.WORKER_DEAD_LETTERS.name, reason) == 1
    assert registry.get_sample_value(metrics.WORKER_LAG.name, place) == 12
    assert registry.get_sample_value(metrics.WORKER_EVENT_LAG.name, place) == 2.5
    assert registry.get_sample_value(metrics.WORKER_START.name, {"engine": "faust"}) == 1_000.5


def test_a_taken_port_is_an_error_that_names_the_option() -> None:
    """Whoever listens there already, the user is told which option to change."""
    worker = asyncio.run(_worker())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentMissingError, match=rf"127\.0\.0\.1:{port}.*--metrics-port"):
            serve(worker, Surroundings(dict, lambda: None, 0.0), port, "127.0.0.1")


def test_metrics_are_served_on_a_free_port_and_end() -> None:
    """Port 0 takes any; closing frees it."""
    worker = asyncio.run(_worker())
    port, close = serve(worker, Surroundings(dict, lambda: None, 0.0), 0, "127.0.0.1")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert b"joinstorm_worker_events_total" in answer.read()
    close()
