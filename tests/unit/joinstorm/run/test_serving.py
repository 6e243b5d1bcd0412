"""The page of a run: the workers' metrics beside the run's own, each with its worker's name."""

import sys
from pathlib import Path

from joinstorm.run.serving import RunPage, joined, metrics_port
from joinstorm.run.supervisor import Supervisor
from streams.exporter.collector import Exporter
from streams.metrics.definitions import WORKER_METRICS
from streams.metrics.server import serve_metrics
from streams.read.runview import RunView

PAGE = """\
# HELP joinstorm_worker_events_total Distinct events.
# TYPE joinstorm_worker_events_total counter
joinstorm_worker_events_total{engine="faust",partition="0",topic="tweets"} 7.0
# HELP process_open_fds Files.
# TYPE process_open_fds gauge
process_open_fds 12.0
"""


class Nothing:
    """Replaces the reader before any run."""

    def snapshot(self) -> RunView:
        """Return an empty view."""
        return RunView()


def test_workers_are_told_apart_by_their_names() -> None:
    """One family for all workers; what is not ours is left out."""
    families = joined({"worker-0": PAGE, "worker-1": PAGE.replace("7.0", "9.0"), "worker-2": ""})
    (family,) = families.values()
    assert [(sample.labels["instance"], sample.value) for sample in family.samples] == [
        ("worker-0", 7),
        ("worker-1", 9),
    ]
    assert family.samples[0].name in {metric.name for metric in WORKER_METRICS}
    assert family.samples[0].labels == {"instance": "worker-0", "engine": "faust", "partition": "0", "topic": "tweets"}


def test_a_worker_names_its_port_in_its_log() -> None:
    """The newest one counts: a worker that was restarted has another."""
    assert metrics_port("") is None
    assert metrics_port('Traceback\n{"engine": "quix"}\n') is None
    log = '{"worker": 0, "metrics_port": 4711}\nnoise "metrics_port"\n{"worker": 0, "metrics_port": 4712}\nmore\n'
    assert metrics_port(log) == 4712


def test_the_page_asks_every_worker(tmp_path: Path) -> None:
    """A worker that serves is on the page; one that does not, or is gone, does not hold it up."""
    inner = RunPage(Exporter(Nothing()), list)  # stands for a worker: it serves families of ours
    port, close = serve_metrics(inner, 0)
    with Supervisor(tmp_path) as supervisor:
        command = [sys.executable, "-c", "import signal; signal.pause()"]
        serving = supervisor.start("worker-0", command)
        serving.log.write_text(f'{{"metrics_port": {port}}}\n')
        silent = supervisor.start("worker-1", command)
        silent.log.write_text('{"metrics_port": 1}\n')
        page = RunPage(Exporter(Nothing()), lambda: [serving, silent])
        samples = [sample for family in page.collect() for sample in family.samples]
    close()
    assert {sample.labels["instance"] for sample in samples if "instance" in sample.labels} == {"worker-0"}
