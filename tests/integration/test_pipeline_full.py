"""``joinstorm run`` fills the board The pipeline: one scraped page has the run, its broker and its workers."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from dashboards import promql, stored
from dashboards.lint import panels
from joinstorm.prometheus.server import Prometheus
from joinstorm.run.supervisor import Supervisor, joinstorm
from streams.kafka.connection import Connection
from streams.system.ports import free_ports
from tests.conftest import need_program
from tests.streaming import until
from tests.tinytape import tiny_tape

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
NOTHING_TO_REPORT: Final = {
    "Result records rejected": "no record was rejected",
    "Dead letters by reason": "there are none in this run",
    "Pages received": "no receiver of pages",
    "Delay of a page": "no receiver of pages",
    "Notifications": "no receiver of pages",
}
"""Panels that say so where nothing is wrong."""
CONFIG: Final = stored.HERE / "provisioning" / "prometheus" / "prometheus.yml"


def test_every_panel_has_data_and_the_page_lingers(kafka: Connection, unique_run: str, tmp_path: Path) -> None:
    """Two workers, told apart; after the verdict the page is still there, and Ctrl-C ends it as the verdict says."""
    need_program("prometheus")
    tape = tiny_tape(tmp_path / "night.tape", people=900)
    (port,) = free_ports(1)
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", f"{unique_run}."]
    options = ["--speed", "30", "--play-quiet", "--workers", "2", "--no-report"]
    options += ["--metrics-port", str(port), "--linger"]
    command = joinstorm("run", "--tape", str(tape.path), "--out", str(tmp_path / "out"), *options, *where)
    with Prometheus(tmp_path / "prometheus", config(port)) as prometheus, Supervisor(tmp_path / "logs") as supervisor:
        run = supervisor.start("run", command)
        until(lambda: "Ctrl-C ends" in run.log.read_text(), "the page after the verdict", 200)
        until(lambda: ended(prometheus), "a scrape of the end", 30)
        empty = [title for title, expr in queries() if not answers(prometheus, expr)]
        workers = prometheus.query("count by (instance) (last_over_time(joinstorm_worker_events_total[10m]))", now())
        supervisor.end(run, signal.SIGINT)
    assert set(empty) <= set(NOTHING_TO_REPORT)
    assert {dict(labels)["instance"] for labels in workers} == {"worker-0", "worker-1"}
    assert run.exit_code() == 0


def config(port: int) -> str:
    """Return the shipped configuration, for the run's page on another port."""
    shipped = yaml.safe_load(CONFIG.read_text())
    del shipped["rule_files"]
    shipped["scrape_configs"] = [one for one in shipped["scrape_configs"] if one["job_name"] == "joinstorm"]
    shipped["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    return yaml.safe_dump(shipped)


def now() -> float:
    """Return the time, in seconds since the epoch."""
    return time.time()


def ended(prometheus: Prometheus) -> bool:
    """Whether Prometheus knows that the run has ended."""
    return prometheus.query("max(last_over_time(joinstorm_run_ended[10m]))", now()).get(frozenset()) == 1


def queries() -> Iterator[tuple[str, str]]:
    """Yield title and query of every panel of the board."""
    values = {"engine": ".*", "__rate_interval": "4s"}
    for panel in panels(stored.boards()["joinstorm-pipeline"]):
        for target in panel["targets"]:
            yield panel["title"], promql.fill(target["expr"], values)


def answers(prometheus: Prometheus, expr: str) -> bool:
    """Whether a query has an answer anywhere in the last ten minutes, as the board would ask."""
    until_ms = round(now() * 1000)
    return bool(prometheus.query_range(expr, until_ms - 600_000, until_ms, 1_000))
