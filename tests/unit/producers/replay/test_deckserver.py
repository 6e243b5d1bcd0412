"""The deck's server under bad requests, over raw sockets: each gets 4xx and one line, and the deck goes on."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from producers.replay import deckserver
from producers.replay.control import ControlClient
from producers.replay.deck import Deck, Pause, Resume, SetSpeed, Step, Stop
from producers.replay.deckrequests import is_known_host
from producers.replay.deckserver import DeckServer
from streams.errors import UsageError

HOST = b"Host: localhost:%d\r\n"


class Served:
    """A deck that is served on loopback."""

    def __init__(self, seconds: float) -> None:
        self.deck = Deck()
        listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        self.server = DeckServer(self.deck, listening, "127.0.0.1", seconds=seconds)

    def send(self, request: bytes) -> bytes:
        """Send bytes and return everything the server answers until it ends the connection."""
        with self.connect(request) as client:
            answer = b""
            while got := client.recv(4096):
                answer += got
        return answer

    def ask(self, request: bytes) -> tuple[int, dict[str, object]]:
        """Return status and content of the answer to a request, in which ``%HOST`` is the right header."""
        head, _, body = self.send(request.replace(b"%HOST", HOST % self.port)).partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    def connect(self, request: bytes) -> socket.socket:
        """Return a connection over which a request was sent."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        client.sendall(request)
        return client

    def answers(self) -> bool:
        """Return whether a good client gets an answer."""
        return bool(ControlClient(f"http://127.0.0.1:{self.port}").state()["state"] == "starting")


@pytest.fixture
def served() -> Iterator[Served]:
    """Serve a deck that gives every connection a minute."""
    made = Served(60)
    made.server.start()
    yield made
    made.server.stop()


@pytest.fixture
def hasty() -> Iterator[Served]:
    """Serve a deck that gives every connection a blink."""
    made = Served(0.05)
    made.server.start()
    yield made
    made.server.stop()


def post(path: str, body: bytes = b"", headers: bytes = b"") -> bytes:
    """Return a request with a body."""
    return (b"POST %s HTTP/1.1\r\n%%HOST%sContent-Length: %d\r\n\r\n" % (path.encode(), headers, len(body))) + body


BAD = {
    "negative length": (b"POST /speed HTTP/1.1\r\n%HOSTContent-Length: -1\r\n\r\n", 400),
    "length in words": (b"POST /speed HTTP/1.1\r\n%HOSTContent-Length: ten\r\n\r\n", 400),
    "length in another script": (b"POST /speed HTTP/1.1\r\n%HOSTContent-Length: \xd9\xa1\r\n\r\n", 400),
    "two lengths": (b"POST /pause HTTP/1.1\r\n%HOSTContent-Length: 0\r\nContent-Length: 2\r\n\r\n{}", 400),
    "missing length": (b'POST /speed HTTP/1.1\r\n%HOST\r\n{"speed": 7}', 400),
    "huge length": (b"POST /speed HTTP/1.1\r\n%HOSTContent-Length: 99999999999\r\n\r\n" + b"a" * 20_000, 413),
    "length beyond 64 bits": (b"POST /speed HTTP/1.1\r\n%HOSTContent-Length: " + b"9" * 400 + b"\r\n\r\n", 400),
    "chunked": (b"POST /pause HTTP/1.1\r\n%HOSTTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
    "no host": (b"GET /state HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /state HTTP/1.1\r\n%HOST%HOST\r\n", 400),
    "another host": (b"GET /state HTTP/1.1\r\nHost: evil.example:1\r\n\r\n", 403),
    "another host by HTTP/1.0": (b"POST /stop HTTP/1.0\r\nHost: evil.example\r\n\r\n", 403),
    "another port": (b"POST /stop HTTP/1.1\r\nHost: localhost:1\r\n\r\n", 403),
    "a web page": (post("/stop", headers=b"Origin: http://example.org\r\n"), 403),
    "a web page without a name": (post("/stop", headers=b"Origin: null\r\n"), 403),
    "a web page that hides": (post("/stop", headers=b"Origin:\r\nSec-Fetch-Site: cross-site\r\n"), 403),
    "a link on a web page": (b"GET /state HTTP/1.1\r\n%HOSTSec-Fetch-Site: cross-site\r\n\r\n", 403),
    "method of a path": (b"GET /stop HTTP/1.1\r\n%HOST\r\n", 405),
    "unknown method": (b"PUT /pause HTTP/1.1\r\n%HOST\r\n", 405),
    "HEAD": (b"HEAD /state HTTP/1.1\r\n%HOST\r\n", 405),
    "path upwards": (b"GET /../../etc/passwd HTTP/1.1\r\n%HOST\r\n", 404),
    "whole address": (b"GET http://localhost/state HTTP/1.1\r\n%HOST\r\n", 404),
    "endless path": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n%HOST\r\n", 431),
    "escape in the path": (b"GET /\x1b]0;x\x07 HTTP/1.1\r\n%HOST\r\n", 400),
    "no HTTP": (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    "another version": (b"GET /state HTTP/2\r\n%HOST\r\n", 400),
    "folded header": (b"GET /state HTTP/1.1\r\n%HOST a: b\r\n\r\n", 400),
    "deep JSON": (post("/speed", b"[" * 9_999), 400),
    "deep JSON beside": (post("/speed", b'{"x": ' + b"[" * 9_000 + b"]" * 900), 400),
    "no JSON": (post("/speed", b"\xff\xfe"), 400),
    "NaN": (post("/speed", b'{"speed": NaN}'), 400),
    "infinity as a number": (post("/speed", b'{"speed": 1e400}'), 400),
    "infinity as text": (post("/speed", b'{"speed": "inf"}'), 400),
    "NaN as text": (post("/speed", b'{"speed": "nan"}'), 400),
    "truth as a speed": (post("/speed", b'{"speed": true}'), 400),
    "negative speed": (post("/speed", b'{"speed": -1}'), 400),
    "too slow": (post("/speed", b'{"speed": 1e-300}'), 400),
    "too fast": (post("/speed", b'{"speed": 1e300}'), 400),
    "many digits": (post("/speed", b'{"speed": ' + b"9" * 5_000 + b"}"), 400),
    "many digits as text": (post("/speed", b'{"speed": "' + b"9" * 5_000 + b'"}'), 400),
    "a list as a speed": (post("/speed", b'{"speed": [1]}'), 400),
    "a list": (post("/speed", b"[1]"), 400),
    "null": (post("/jump", b"null"), 400),
    "nothing to jump to": (post("/jump", b"{}"), 400),
    "a step beyond every number": (post("/step", b'{"length": "99999999999999999999h"}'), 400),
    "a step of many digits": (post("/step", b'{"length": "' + b"9" * 5_000 + b'h"}'), 400),
    "a step backwards": (post("/step", b'{"length": "-5s"}'), 400),
    "a step as a number": (post("/step", b'{"length": 5}'), 400),
    "a step of no length": (post("/step", b'{"length": "nans"}'), 400),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_refused_in_one_line(served: Served, case: str) -> None:
    """The status is one of the client's faults, the text one line, and the deck gets no command."""
    request, expected = BAD[case]
    status, content = served.ask(request)
    assert (status, list(content)) == (expected, ["error"])
    assert str(content["error"]).isprintable()
    assert served.deck.take() is None
    assert served.answers()


def test_good_requests_in_every_form(served: Served) -> None:
    """With or without a length, by HTTP/1.0 without a host, by every name of loopback: the deck obeys."""
    for name in (b"localhost", b"127.0.0.1", b"[::1]", b"LOCALHOST"):
        assert served.ask(b"GET /state HTTP/1.1\r\nHost: %s:%d\r\n\r\n" % (name, served.port))[0] == 200
    assert served.ask(b"POST /pause HTTP/1.0\r\n\r\n")[0] == 200
    assert served.ask(b"POST /resume HTTP/1.1\r\n%HOST\r\n")[0] == 200
    assert served.ask(post("/speed", b'{"speed": "max"}'))[0] == 200
    assert served.ask(post("/step", headers=b"Sec-Fetch-Site: none\r\n"))[0] == 200
    assert [served.deck.take() for _ in range(5)] == [Pause(), Resume(), SetSpeed(0.0), Step(5_000), None]


def test_half_open_connections_keep_nobody_out(served: Served) -> None:
    """Two hundred connections that never finish a request: the next client is answered, by one thread."""
    threads = threading.active_count()
    with ExitStack() as stack:
        half = [stack.enter_context(served.connect(b"POST /pause HTTP/1.1\r\nHost:")) for _ in range(200)]
        assert served.answers()
        assert threading.active_count() == threads
        assert all(one.recv(1) == b"" for one in half[: 200 - deckserver.MAX_CONNECTIONS])
    assert served.deck.take() is None


def test_a_connection_ends_after_a_while(hasty: Served) -> None:
    """A request without its whole body is refused; one whose head is not whole is none, and gets no answer."""
    for part in (b"", b"POST /pause HT", b"POST /pause HTTP/1.1\r\nHost:"):
        with contextlib.suppress(ConnectionResetError):
            assert hasty.send(part) == b""
    short = hasty.send(b"POST /speed HTTP/1.1\r\n%sContent-Length: 99\r\n\r\n{" % (HOST % hasty.port))
    assert short.startswith(b"HTTP/1.1 408 ")
    assert hasty.answers()


def test_a_client_that_leaves_harms_nothing(served: Served) -> None:
    """A client may go before, during or after its request."""
    for request in (b"", b"POST /step HTTP/1.1\r\nCont", b"GET /state HTTP/1.0\r\n\r\n"):
        served.connect(request).close()
    with served.connect(b"POST /pause HTT") as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert served.answers()


def test_a_fault_of_ours_ends_no_replay(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a command raises, the answer is a refusal and the server goes on."""
    monkeypatch.setattr(Deck, "pause", lambda _: 1 // 0)
    assert served.ask(post("/pause"))[0] == 400
    assert served.answers()


def test_the_deck_takes_no_more_than_it_can_hold() -> None:
    """A thousand commands may wait; one more is refused, but never the one that ends the replay."""
    deck = Deck()
    for _ in range(1_000):
        deck.pause()
    with pytest.raises(UsageError, match="1,000 commands wait"):
        deck.resume()
    deck.stop()
    taken = [deck.take() for _ in range(1_001)]
    assert taken == [Pause()] * 1_000 + [Stop()]


@pytest.mark.parametrize(
    ("given", "host", "known"),
    [
        ("localhost:80", "127.0.0.1", True),
        ("localhost", "127.0.0.1", True),
        ("[::1]:80", "::1", True),
        ("10.0.0.7:80", "10.0.0.7", True),
        ("deck.internal:80", "deck.internal", True),
        ("10.0.0.8:80", "10.0.0.7", False),
        ("10.0.0.8:80", "0.0.0.0", True),
        ("[fe80::1]:80", "::", True),
        (f"{socket.gethostname()}:80", "0.0.0.0", True),
        ("evil.example:80", "0.0.0.0", False),
        ("evil.example:80", "127.0.0.1", False),
        ("localhost.evil.example:80", "127.0.0.1", False),
        ("localhost:80@evil.example", "127.0.0.1", False),
        ("localhost:", "127.0.0.1", False),
        ("localhost:+80", "127.0.0.1", False),
        ("localhost:99999", "127.0.0.1", False),
        ("", "127.0.0.1", False),
    ],
)
def test_hosts(given: str, host: str, known: bool) -> None:
    """Loopback and the address listened on are known; where that is every address, any number and this machine."""
    assert is_known_host(given, host, 80) == known
