"""What a run offers Prometheus: one page of metrics, of the run and of all its workers, and its event-time series."""

import contextlib
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from prometheus_client.core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from joinstorm.prometheus.nightwriter import NightThread
from joinstorm.run.supervisor import ChildProcess
from streams.exporter.brokermonitor import BrokerMonitor
from streams.exporter.collector import Exporter
from streams.metrics.metric import NAMESPACE
from streams.metrics.server import serve_metrics
from streams.read.reader import ResultReader
from streams.read.runview import RunView
from streams.system.directhttp import open_directly

INSTANCE: Final = "instance"
"""The label that tells workers apart; Prometheus keeps it with ``honor_labels: true``."""
_WORKER_SECONDS: Final = 0.5
_MOST_WORKERS: Final = 16
"""Asked at the same time."""
Workers = Callable[[], Iterable[ChildProcess]]
"""Returns the workers of the moment."""


class RunPage(Collector):
    """The exporter's metrics and those of every worker, which get their worker's name as the label ``instance``.

    Args:
        exporter: Of the run.
        workers: Returns the workers; one that does not answer is left out of the scrape.
    """

    def __init__(self, exporter: Exporter, workers: Workers) -> None:
        self._exporter = exporter
        self._workers = workers

    def collect(self) -> Iterator[Family]:
        """Yield every family once."""
        yield from self._exporter.collect()
        workers = list(self._workers())
        with ThreadPoolExecutor(_MOST_WORKERS) as pool:
            pages = list(pool.map(_page, workers))
        yield from joined({worker.name: page for worker, page in zip(workers, pages, strict=True)}).values()


def joined(pages: dict[str, str]) -> dict[str, Family]:
    """Return our families of some pages of metrics as one of each, with the page's name as the label ``instance``."""
    families: dict[str, Family] = {}
    for instance, page in pages.items():
        for family in text_string_to_metric_families(page):
            if family.name.startswith(NAMESPACE):
                one = families.setdefault(family.name, Family(family.name, family.documentation, family.type))
                for sample in family.samples:
                    one.add_sample(sample.name, {INSTANCE: instance, **sample.labels}, sample.value)
    return families


def _page(worker: ChildProcess) -> str:
    """Return a worker's metrics; empty where it serves none, or none yet."""
    port = metrics_port(worker.log.read_text(errors="replace")) if worker.exit_code() is None else None
    if port is None:
        return ""
    url = f"http://127.0.0.1:{port}/metrics"
    with contextlib.suppress(OSError), open_directly(url, _WORKER_SECONDS) as answer:
        return str(answer.read().decode())
    return ""


def metrics_port(log: str) -> int | None:
    """Return the port that a worker names in its log; None before it does."""
    for line in reversed(log.splitlines()):
        if '"metrics_port"' in line:
            with contextlib.suppress(ValueError):
                return int(json.loads(line)["metrics_port"])
    return None


@contextlib.contextmanager
def serving(reader: ResultReader, port: int | None, workers: Workers) -> Iterator[str]:
    """Serve a run's metrics until the context is left; yields the page's address, empty where there is none.

    Args:
        reader: Of the run.
        port: Of the page; 0 for any free one, None for none.
        workers: Returns the workers.

    Raises:
        EnvironmentMissingError: The port is not available.
    """
    if port is None:
        yield ""
        return
    with BrokerMonitor(reader.connection, reader.topics) as broker:
        bound, close = serve_metrics(RunPage(Exporter(reader, broker.health), workers), port)
        try:
            yield f"http://127.0.0.1:{bound}/metrics"
        finally:
            close()


def writing(
    reader: ResultReader, url: str, notify: Callable[[str], None]
) -> contextlib.AbstractContextManager[NightThread | None]:
    """Return a context in which a run's event-time series are written to a Prometheus; nothing happens without one."""
    return NightThread(reader, url, notify) if url else contextlib.nullcontext()


class _Fixed:
    """The end of a run, in place of a reader."""

    def __init__(self, view: RunView) -> None:
        self._view = view

    def snapshot(self) -> RunView:
        return self._view


def lingering(view: RunView, page: str, notify: Callable[[str], None]) -> None:
    """Serve the end of a run where it was served, until a signal is raised as an exception.

    Args:
        view: The run as it ended.
        page: Where it was served; empty for any free port.
        notify: Called with a line that says where it is served and how to end that.
    """
    port = urllib.parse.urlsplit(page).port or 0
    with Exporter(_Fixed(view)).serving(port) as url:
        notify(f"metrics: {url}; Ctrl-C ends")
        threading.Event().wait()
