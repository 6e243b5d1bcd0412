"""Requests to servers of joinstorm's own reach them whatever the environment says of proxies."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from streams.system.directhttp import open_directly


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_no_proxy_is_asked(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a proxy in the environment that nobody serves, a server on loopback still answers."""
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.delenv("REQUEST_METHOD", raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with open_directly(f"http://127.0.0.1:{server.server_address[1]}/metrics", 60) as answer:
            assert answer.read() == b"/metrics"
        thread.join()
