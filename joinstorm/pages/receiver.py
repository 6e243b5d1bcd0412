"""The receiver: a webhook that keeps every notification before it answers, and serves what arrived as metrics."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from joinstorm.pages.notifications import Notification, ReceivedNotification, decode, line_of
from joinstorm.pages.tally import PageTally
from streams.errors import DecodeError, EnvironmentMissingError, reason

LOOPBACK: Final = "127.0.0.1"
METRICS: Final = "/metrics"
_LARGEST_BODY: Final = 16 << 20
_POLL_SECONDS: Final = 0.02
_STOP_SECONDS: Final = 5.0


class Receiver:
    """Context manager: takes notifications of Alertmanager over HTTP while the block lasts.

    A notification is on disk before it is acknowledged, so what Alertmanager counts as sent is kept.

    Args:
        path: The file that keeps them, a line each; lines are added to one that is there.
        host: Local address to listen on.
        port: TCP port; 0 for any free one.
        listener: Called with each notification, in the thread that took it.

    Raises:
        EnvironmentMissingError: The port is not available.
    """

    def __init__(
        self,
        path: Path,
        host: str = LOOPBACK,
        port: int = 0,
        listener: Callable[[ReceivedNotification], None] = lambda _one: None,
    ) -> None:
        self._path = path
        self._listener = listener
        self._lock = threading.Lock()
        self._received: list[ReceivedNotification] = []
        self._tally = PageTally()
        self._registry = CollectorRegistry()
        self._registry.register(self._tally)
        self._file: BinaryIO
        try:
            self._server = _Server((host, port), _handler(self))
        except (OSError, OverflowError) as error:
            why = reason(error) if isinstance(error, OSError) else error
            raise EnvironmentMissingError(
                f"the receiver cannot listen on {host}:{port}: {why}; choose another port, 0 for any free one"
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="receiver", daemon=True
        )

    def __enter__(self) -> Self:
        self._file = self._path.open("ab", buffering=0)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_STOP_SECONDS)
        self._file.close()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The address for a webhook on this machine."""
        return f"http://{LOOPBACK}:{self.port}/"

    def received(self) -> list[ReceivedNotification]:
        """Return what has arrived, in the order of arrival."""
        with self._lock:
            return list(self._received)

    def accept(self, body: bytes) -> None:
        """Keep a notification.

        Raises:
            DecodeError: It is none; nothing is kept.
            OSError: It cannot be written, so the sender has to try again.
        """
        notification: Notification = decode(body)
        with self._lock:
            one = ReceivedNotification(time.time_ns() // 1_000_000, notification)
            self._file.write(line_of(one.at, body))
            self._received.append(one)
            self._tally.count(one)
        self._listener(one)

    def metrics(self) -> bytes:
        """Return what arrived as a page of metrics."""
        with self._lock:
            return generate_latest(self._registry)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a sender that was killed leaves a connection behind, and one that lives sends again."""


def _handler(owner: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: else each answer waits for an acknowledgement

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > _LARGEST_BODY:
                self.close_connection = True
                self._answer(400, f"expected a Content-Length of at most {_LARGEST_BODY}")
                return
            body = self.rfile.read(int(length))
            try:
                owner.accept(body)
            except DecodeError as error:
                self._answer(400, str(error))  # Alertmanager does not repeat what is refused with a 4xx
            except OSError as error:
                self._answer(503, f"cannot keep it: {reason(error)}")
            else:
                self._answer(200, "kept")

        def do_GET(self) -> None:
            if self.path == METRICS:
                self._answer(200, owner.metrics(), CONTENT_TYPE_LATEST)
            else:
                self._answer(404, f"expected POST of a notification, or GET {METRICS}")

        def _answer(self, status: int, body: str | bytes, kind: str = "text/plain; charset=utf-8") -> None:
            content = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            pass

    return Handler
