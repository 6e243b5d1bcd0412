"""Pages through a real Prometheus and a real Alertmanager: each arrives once, also when Alertmanager is killed."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from joinstorm.pages.alertmanager import Alertmanager, configuration
from joinstorm.pages.delivery import RESEND_SECONDS, AlertmanagerOutage, Delivery, deliver
from joinstorm.pages.lives import FiredAlert, read_lives
from joinstorm.pages.notifications import NotifiedAlert, read_lines
from joinstorm.pages.receiver import Receiver
from joinstorm.prometheus.server import Prometheus
from joinstorm.rehearsal.rehearsing import scrape_config
from streams.errors import EXIT_INTERRUPTED
from streams.metrics.server import serve_metrics
from streams.system.threads import poll_until
from tests.conftest import need_program

SECONDS = 90.0
"""How long a state may take; these processes share the machine with other tests."""


@pytest.fixture(autouse=True)
def _programs() -> None:
    """Skip without the programs, or fail where everything is required."""
    need_program("prometheus", "promtool")
    need_program("prometheus-alertmanager", package="prometheus-alertmanager")


class Faults(Collector):
    """A metric whose series come and go as a test wants."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()

    def collect(self) -> Iterator[Metric]:
        """Yield a series for each fault there is."""
        family = GaugeMetricFamily("fault", "A fault.", labels=["fault"])
        for name in self.names:
            family.add_metric([name], 1.0)
        yield family


@dataclass
class Stage:
    """Processes of a test: what Prometheus scrapes, Prometheus, Alertmanager and the receiver."""

    faults: Faults
    receiver: Receiver
    alertmanager: Alertmanager
    prometheus: Prometheus

    def account(self, *outages: AlertmanagerOutage) -> Delivery:
        """Return what fired compared with what arrived."""
        return deliver(self.lives(), self.receiver.received(), outages, 1_000)

    def lives(self) -> list[FiredAlert]:
        """Return what fired."""
        return read_lives(self.prometheus, "10m", time.time(), 3_000)

    def settled(self, pages: int, *outages: AlertmanagerOutage) -> bool:
        """Say whether so many pages fired, and each of them and its end arrived."""
        found = self.account(*outages)
        over = all(page.ended for page in found.pages)
        return found.expected == found.arrived == pages and over and not found.unresolved


@contextlib.contextmanager
def staged(folder: Path, *webhooks: str) -> Iterator[Stage]:
    """Yield the processes, all of them ready; an alert fires for each fault."""
    rule = {"alert": "Fault", "expr": "fault", "annotations": {"runbook_url": "book#{{ $labels.fault }}"}}
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    faults = Faults()
    port, close = serve_metrics(faults, 0)
    with (
        contextlib.ExitStack() as stack,
        Receiver(folder / "kept.jsonl") as own,
        Alertmanager(folder / "alertmanager", configuration(own.url, webhooks)) as alertmanager,
        Prometheus(
            folder / "prometheus",
            scrape_config(f"127.0.0.1:{port}", str(path), alertmanager.url),
            arguments=(f"--rules.alert.resend-delay={RESEND_SECONDS}s",),
        ) as prometheus,
    ):
        stack.callback(close)
        yield Stage(faults, own, alertmanager, prometheus)


def wait(state: Callable[[], object]) -> None:
    """Wait for a state."""
    assert poll_until(lambda: state() or None, SECONDS), "it did not come to that in time"


def test_each_page_arrives_once_and_in_order_at_every_webhook(tmp_path: Path) -> None:
    """Three alerts, two of them after the first: both receivers get each page and its end once, with its runbook."""
    with Receiver(tmp_path / "other.jsonl") as other, staged(tmp_path, other.url) as stage:
        stage.faults.names = ("first",)
        wait(stage.receiver.received)
        stage.faults.names = ("first", "second", "third")
        wait(lambda: len(stage.receiver.received()) == 3)
        stage.faults.names = ()
        wait(lambda: stage.settled(3))
        wait(lambda: len(other.received()) == 6)
        found = stage.account()
    assert not found.problems()
    assert (found.notifications, found.repeated, found.unexpected) == (6, 0, 0)
    assert found.pages[0].labels["fault"] == "first"
    assert {page.runbook_url for page in found.pages} == {"book#first", "book#second", "book#third"}
    assert len(list(read_lines(tmp_path / "kept.jsonl"))) == 6


def test_a_killed_alertmanager_loses_no_page(tmp_path: Path) -> None:
    """One page is sent before the kill, one fires meanwhile: both arrive, and what is sent again has its reason."""
    with staged(tmp_path) as stage:
        stage.faults.names = ("before",)
        wait(stage.receiver.received)
        down = round(time.time() * 1000)
        stage.alertmanager.kill()
        stage.faults.names = ("before", "meanwhile")
        wait(lambda: len(stage.lives()) == 2)
        stage.alertmanager.start()
        outage = AlertmanagerOutage(down, round(time.time() * 1000))
        wait(lambda: stage.account(outage).arrived == 2)
        stage.faults.names = ()
        wait(lambda: stage.settled(2, outage))
        found = stage.account(outage)
    assert not found.problems()
    assert found.repeated_after_restart <= 1
    assert (found.pages[1].arrived or 0) >= outage.up - 1000


def test_an_alert_over_before_alertmanager_is_back_is_lost_and_named(tmp_path: Path) -> None:
    """Alertmanager does not notify the end of an alert it never saw firing, so that page never arrives."""
    with staged(tmp_path) as stage:
        stage.faults.names = ("before",)
        wait(stage.receiver.received)
        stage.alertmanager.kill()
        stage.faults.names = ("before", "meanwhile")
        wait(lambda: len(stage.lives()) == 2)
        stage.faults.names = ("before",)
        wait(lambda: stage.lives()[1].over)
        stage.alertmanager.start()
        stage.faults.names = ("before", "after")
        wait(lambda: any("after" in alert.labels.values() for alert in _alerts(stage)))
        found = stage.account()
    assert [page.state for page in found.pages] == ["arrived", "lost", "arrived"]
    assert found.problems()[0] == "1 of 3 pages did not arrive, the first: Fault"


def _alerts(stage: Stage) -> list[NotifiedAlert]:
    return [alert for one in stage.receiver.received() for alert in one.notification.alerts]


def test_pages_are_kept_until_ctrl_c(tmp_path: Path) -> None:
    """`joinstorm pages` names its webhook, keeps and shows a notification, and a signal ends it in order."""
    kept = tmp_path / "pages.jsonl"
    command = [sys.executable, "-P", "-m", "joinstorm.cli", "pages", "--port", "0", "--out", str(kept)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = process.stderr.readline().split()[1].rstrip(",")
        with staged(tmp_path, url) as stage:
            stage.faults.names = ("only",)
            wait(lambda: kept.exists() and kept.read_text())
        process.terminate()
        shown, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == EXIT_INTERRUPTED
    assert "firing Fault (fault=only" in shown
    assert [alert.labels["fault"] for one in read_lines(kept) for alert in one.notification.alerts][:1] == ["only"]
