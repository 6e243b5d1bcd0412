"""Remote write: the requests, and what a receiver's answer means."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import cramjam
import numpy as np
import pytest

from joinstorm.prometheus.remoteread import NAME, RemoteSeries
from joinstorm.prometheus.remotewrite import ReceiverAwayError, RemoteWriter, receiver, requests
from streams.errors import EnvironmentMissingError, UsageError

START = 1_684_965_600_000


def series(samples: int, name: str = "m") -> RemoteSeries:
    """Return a series that counts."""
    times = START + 5_000 * np.arange(samples, dtype=np.int64)
    return RemoteSeries(((NAME, name), ("run", "r")), times, np.arange(samples, dtype=np.float64))


class Receiver:
    """A receiver that answers with a status."""

    def __init__(self) -> None:
        self.status = 204
        self.bodies: list[bytes] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.headers["Content-Encoding"] == "snappy"
                self.send_response(owner.status)
                self.end_headers()
                self.wfile.write(b"its own words" if owner.status != 204 else b"")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = receiver(f"http://127.0.0.1:{self.server.server_port}")


@pytest.fixture
def listening() -> Iterator[Receiver]:
    """Return a receiver that listens."""
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_request_holds_labels_and_samples() -> None:
    """One message per series, as prompb.WriteRequest has it; a series without samples is left out."""
    (body,) = requests([series(1), series(0)])
    raw = bytes(cramjam.snappy.decompress_raw(body))
    labels = b"\n\x0d\n\x08__name__\x12\x01m\n\x08\n\x03run\x12\x01r"
    assert raw[:2] == bytes([0x0A, len(raw) - 2])
    assert raw[2:].startswith(labels)
    assert raw[2 + len(labels) :].startswith(b"\x12\x10\x09" + bytes(8) + b"\x10")


def test_many_samples_become_several_requests() -> None:
    """Of about a hundred thousand samples each."""
    assert len(list(requests(series(60_000) for _ in range(5)))) == 3
    assert list(requests([])) == []


def test_an_address_may_leave_out_the_path() -> None:
    """The address of a Prometheus is enough; anything but HTTP is refused."""
    assert receiver("http://host:9090") == receiver("http://host:9090/") == "http://host:9090/api/v1/write"
    assert receiver("https://host/api/v1/push") == "https://host/api/v1/push"
    for wrong in ("host:9090", "ftp://host", "http://"):
        with pytest.raises(UsageError, match="expected http"):
            receiver(wrong)


def test_answers_say_whether_to_try_again(listening: Receiver) -> None:
    """Taken, away for now, or refused with what a Prometheus needs."""
    writer = RemoteWriter(listening.url)
    writer.write([series(2)])
    assert len(listening.bodies) == 1
    listening.status = 503
    with pytest.raises(ReceiverAwayError, match="503 its own words"):
        writer.write([series(2)])
    for status in (400, 404):
        listening.status = status
        with pytest.raises(EnvironmentMissingError, match="enable-remote-write-receiver") as error:
            writer.write([series(2)])
        assert not error.value.retriable


def test_a_receiver_that_does_not_listen_is_away() -> None:
    """The address is named."""
    with pytest.raises(ReceiverAwayError, match="does not answer"):
        RemoteWriter(receiver("http://127.0.0.1:1")).write([series(1)])
