"""Serves series to a Prometheus by remote read, and notes which selectors were asked for.

A Prometheus that reads from here has an empty storage of its own: its answers are those to the series of the moment.
"""

import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Protocol, Self

from joinstorm.prometheus.remoteread import Matcher, ReadQuery, RemoteSeries, answer, queries

_POLL_SECONDS: Final = 0.02
"""How soon it sees that it has to stop."""
_STOP_SECONDS: Final = 5.0


class SeriesSource(Protocol):
    """Where series come from."""

    def named(self, name: str) -> Iterable[RemoteSeries]:
        """Return the series of a metric; of all metrics for an empty name."""
        ...


class _Nothing:
    def named(self, name: str) -> Iterable[RemoteSeries]:  # noqa: ARG002 - the protocol's signature
        return ()


class SampleServer:
    """Context manager: an HTTP server on the loopback; ``source`` may be replaced between two queries.

    Attributes:
        source: What it serves.
        asked: Every selector Prometheus asked for since the list was last cleared.
    """

    def __init__(self) -> None:
        self.source: SeriesSource = _Nothing()
        self.asked: list[tuple[Matcher, ...]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: else each answer waits for an acknowledgement

            def do_POST(self) -> None:
                asked = queries(self.rfile.read(int(self.headers["Content-Length"])))
                body = answer(owner.found(query) for query in asked)
                self.send_response(200)
                for header, value in (("Type", "application/x-protobuf"), ("Encoding", "snappy")):
                    self.send_header(f"Content-{header}", value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="samples", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_STOP_SECONDS)

    @property
    def config(self) -> str:
        """A configuration for a Prometheus that reads from here alone."""
        port = self._server.server_address[1]
        return f"remote_read: [{{url: 'http://127.0.0.1:{port}/read', read_recent: true}}]\n"

    def found(self, query: ReadQuery) -> Iterator[bytes]:
        """Note a query and yield the messages of the series that answer it, sorted by labels."""
        self.asked.append(query.matchers)
        series = [
            one for one in self.source.named(query.name) if all(each.accepts(one.by_name) for each in query.matchers)
        ]
        for one in sorted(series, key=lambda each: each.labels):
            if message := one.message(query.start, query.end):
                yield message
