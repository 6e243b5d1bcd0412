"""The network that can fail, between sockets of this process."""

import socket
import threading
from collections.abc import Iterator

import pytest

from joinstorm.chaos.proxy import Passing, Proxy

SECONDS = 30


class Echo:
    """A server that sends back what it gets, in upper case; ``ended`` counts the connections that are over."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.ended = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept nothing more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                accepted = self._listening.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while found := connection.recv(1 << 16):
                    connection.sendall(found.upper())
            except ConnectionResetError:
                pass
        self.ended.release()


@pytest.fixture
def echo() -> Iterator[Echo]:
    """Yield a server."""
    made = Echo()
    yield made
    made.close()


def ask(connection: socket.socket, text: bytes) -> bytes:
    """Send and return as many bytes of the answer."""
    connection.sendall(text)
    found = b""
    while len(found) < len(text) and (part := connection.recv(1 << 16)):
        found += part
    return found


def connect(port: int) -> socket.socket:
    """Return a connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def test_everything_passes(echo: Echo) -> None:
    """More bytes than any buffer holds come back as the server sent them, on two ports; the end passes too."""
    with Proxy() as proxy:
        for port in (proxy.lead_to(echo.port), proxy.lead_to(echo.port)):
            with connect(port) as connection:
                sending = threading.Thread(target=connection.sendall, args=(b"abc" * 400_000,))
                sending.start()
                found = b""
                while len(found) < 1_200_000:
                    found += connection.recv(1 << 16)
                sending.join()
                assert found == b"ABC" * 400_000
            assert echo.ended.acquire(timeout=SECONDS)


def test_nothing_listens_behind_it() -> None:
    """A connection to a port where nothing listens ends at once."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with Proxy() as proxy, connect(proxy.lead_to(port)) as connection:
        assert connection.recv(1) == b""


def test_a_cut_resets_old_and_new_connections_until_it_is_healed(echo: Echo) -> None:
    """Client and server notice at once; afterwards the same port works again."""
    with Proxy() as proxy:
        port = proxy.lead_to(echo.port)
        with connect(port) as old:
            assert ask(old, b"a") == b"A"
            proxy.cut()
            with pytest.raises(ConnectionResetError):
                old.recv(1)
        assert echo.ended.acquire(timeout=SECONDS)
        with pytest.raises(ConnectionResetError), connect(port) as new:
            new.recv(1)
        proxy.heal()
        with connect(port) as healed:
            assert ask(healed, b"b") == b"B"


def test_a_half_open_connection_stays_silent(echo: Echo) -> None:
    """The server's side is over, the client's takes everything and answers nothing; a new connection works."""
    with Proxy() as proxy:
        port = proxy.lead_to(echo.port)
        with connect(port) as old, connect(port) as new:
            assert ask(old, b"a") == b"A"
            proxy.half_open()
            assert echo.ended.acquire(timeout=SECONDS)
            old.sendall(b"x" * 4_000_000)  # more than buffers hold: it is read
            old.settimeout(0.05)
            with pytest.raises(TimeoutError):
                old.recv(1)
            new.close()
        with connect(port) as later:
            assert ask(later, b"b") == b"B"


def test_what_is_slow_keeps_its_order(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow network asks for its delay in both directions, and changes no byte."""
    with Proxy() as proxy:
        port = proxy.lead_to(echo.port)
        waits: list[float] = []

        async def wait(seconds: float) -> None:
            waits.append(seconds)

        monkeypatch.setattr("joinstorm.chaos.proxy.asyncio.sleep", wait)
        proxy.slow(0.25)
        with connect(port) as connection:
            assert ask(connection, b"a" * 1000) == b"A" * 1000
        assert len(waits) >= 2
        assert set(waits) == {0.25}
        waits.clear()
        proxy.slow(0)
        with connect(port) as connection:
            assert ask(connection, b"c") == b"C"
        assert not waits


def test_a_watch_sees_every_chunk_and_may_cut(echo: Echo) -> None:
    """It sees requests and answers; what it cuts at does not reach the server."""
    seen: list[Passing] = []

    def watch(passing: Passing) -> None:
        seen.append(passing)
        if b"!" in passing.chunk:
            proxy.cut()

    with Proxy(watch) as proxy:
        with connect(proxy.lead_to(echo.port)) as connection:
            assert ask(connection, b"a") == b"A"
            connection.sendall(b"!")
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        assert seen == [(1, True, b"a"), (1, False, b"A"), (1, True, b"!")]


def test_it_ends_with_connections_open(echo: Echo) -> None:
    """Leaving the block ends everything, and its ports refuse."""
    with Proxy() as proxy:
        port = proxy.lead_to(echo.port)
        connection = connect(port)
        assert ask(connection, b"a") == b"A"
    with connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(port)
