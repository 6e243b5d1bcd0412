"""The receiver over HTTP on the loopback: what it keeps, refuses and counts."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from joinstorm.pages.notifications import ReceivedNotification, read_lines
from joinstorm.pages.receiver import Receiver
from joinstorm.pages.wording import lines_of
from streams.errors import DecodeError, EnvironmentMissingError
from streams.metrics.receiver import RECEIVER_METRICS


def body(status: str = "firing", starts: str = "2026-11-29T09:00:00.123456789Z") -> bytes:
    """Return a notification as Alertmanager sends it, with fields that we do not read."""
    alert = {
        "status": status, "labels": {"alertname": "Melting", "severity": "page"}, "startsAt": starts,
        "annotations": {"summary": "it melts"}, "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://x/graph",
        "fingerprint": "f00",
    }  # fmt: skip
    document = {
        "receiver": "recorder", "status": status, "alerts": [alert], "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://x", "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0,
    }  # fmt: skip
    return json.dumps(document, indent=1).encode()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """Return a receiver that listens."""
    with Receiver(tmp_path / "kept.jsonl") as made:
        yield made


def ask(receiver: Receiver, method: str, path: str = "/", content: bytes | None = None) -> tuple[int, str]:
    """Return the status and the text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=10)
    connection.request(method, path, content)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def test_a_notification_is_kept_before_it_is_acknowledged(receiver: Receiver, tmp_path: Path) -> None:
    """It is on one line of the file, with every field as it came, and read again it is the same."""
    assert ask(receiver, "POST", "/", body())[0] == 200
    (line,) = (tmp_path / "kept.jsonl").read_text().splitlines()
    assert json.loads(line)["notification"] == json.loads(body())
    assert list(read_lines(tmp_path / "kept.jsonl")) == receiver.received()
    alert = receiver.received()[0].notification.alerts[0]
    assert alert.fired == 1_795_942_800_123
    assert dict(alert.key) == {"alertname": "Melting", "severity": "page"}


@pytest.mark.parametrize("content", [b"", b"{}", b"[1", b'{"version": "4", "status": "odd", "alerts": []}', b"\xff"])
def test_what_is_no_notification_is_refused(receiver: Receiver, content: bytes, tmp_path: Path) -> None:
    """It gets one line that says what was expected, and nothing is kept."""
    status, text = ask(receiver, "POST", "/", content)
    assert (status, receiver.received()) == (400, [])
    assert "expected a notification of Alertmanager" in text
    assert not (tmp_path / "kept.jsonl").read_text()


def test_what_arrived_is_served_as_metrics(receiver: Receiver) -> None:
    """A repeated page counts once, its repetition by itself; every metric is one of the definitions."""
    for content in (body(), body(), body("resolved")):
        ask(receiver, "POST", "/", content)
    page = ask(receiver, "GET", "/metrics")[1]
    assert 'joinstorm_pages_received_total{alertname="Melting",severity="page",status="firing"} 1.0' in page
    assert 'joinstorm_pages_received_total{alertname="Melting",severity="page",status="resolved"} 1.0' in page
    assert "joinstorm_notifications_repeated_total 1.0" in page
    assert "joinstorm_notifications_received_total 3.0" in page
    assert all(f"# HELP {metric.name} " in page for metric in RECEIVER_METRICS)


def test_other_paths_are_named(receiver: Receiver) -> None:
    """A browser that comes by is told what there is."""
    assert ask(receiver, "GET", "/")[0] == 404


def test_a_taken_port_is_named(receiver: Receiver, tmp_path: Path) -> None:
    """One line names address and port."""
    with pytest.raises(EnvironmentMissingError, match=f"127.0.0.1:{receiver.port}"):
        Receiver(tmp_path / "other.jsonl", port=receiver.port)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    """Reading names the line that is none."""
    path = tmp_path / "kept.jsonl"
    path.write_bytes(b'{"at": 1, "notification": {"version": "4", "status": "firing", "alerts": []}}\n{"at"\n')
    with pytest.raises(DecodeError, match=r"kept\.jsonl:2"):
        list(read_lines(path))


def test_a_notification_in_words(receiver: Receiver) -> None:
    """A line has the alert, its labels, how late it is and its summary."""
    ask(receiver, "POST", "/", body())
    (line,) = lines_of(ReceivedNotification(1_795_942_801_123, receiver.received()[0].notification))
    assert line == "09:00:01 firing Melting (severity=page), 1.0 s after it fired: it melts"
