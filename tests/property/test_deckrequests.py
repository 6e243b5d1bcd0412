"""Whatever bytes arrive at the deck's port, the answer is 200 or 4xx in one line, and the server goes on."""

import json
import socket
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from producers.replay.deck import Deck, SetSpeed, Step
from producers.replay.deckrequests import RefusedRequestError, body_length, check_sender, obey, parse_head
from producers.replay.deckserver import DeckServer

PORT = 8080
PATHS = ("/state", "/pause", "/resume", "/toggle", "/stop", "/speed", "/step", "/jump", "/", "/eject", "//", "*")
LINES = st.sampled_from(
    [
        b"Host: localhost:8080", b"Host: evil.example", b"Host:", b"Origin: null", b"Content-Length: 2",
        b"Content-Length: -1", b"Content-Length: 1e3", b"Transfer-Encoding: chunked", b"Expect: 100-continue", b": x",
        b"X: \x00", b"\xff: x", b" folded", b"Sec-Fetch-Site: same-origin", b"Connection: keep-alive",
    ]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
DURATIONS = st.from_regex(r"\A-?[0-9]{0,30}(\.[0-9]{1,9})?(ms|s|m|h|d)?\Z")
SPEEDS = st.floats() | DURATIONS | st.sampled_from(["max", "inf", "nan", "1_0", "٣"]) | JSON
BODIES = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    SPEEDS.map(lambda speed: json.dumps({"speed": speed}).encode()),
    (DURATIONS | JSON).map(lambda length: json.dumps({"length": length}).encode()),
    (st.text(max_size=30) | DURATIONS).map(lambda moment: json.dumps({"moment": moment}).encode()),
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Return a request that is good, bad in one place, or no request at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    method = draw(st.sampled_from([b"GET", b"POST", b"PUT", b"get", b"", b"\x00"]))
    path, version = draw(st.sampled_from(PATHS)).encode(), draw(st.sampled_from([b"HTTP/1.0", b"HTTP/1.1", b"X"]))
    body = draw(BODIES)
    lines = [b"Content-Length: %d" % len(body), *draw(st.lists(LINES, max_size=3))]
    return b"\r\n".join([b" ".join([method, path, version]), *lines, b"", body])


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Serve a deck."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = DeckServer(Deck(), listening, "127.0.0.1")
    server.start()
    yield listening.getsockname()[1]
    server.stop()


def exchange(port: int, request: bytes) -> bytes:
    """Send everything, say that this was all, and return everything that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while got := client.recv(65_536):
            answer += got
    return answer


@settings(max_examples=300)
@given(requests())
@example(b"")
@example(b"\r\n\r\n")
def test_any_bytes_are_answered(port: int, request: bytes) -> None:
    """Raw bytes over a socket: nothing is answered by silence but silence."""
    answer = exchange(port, request)
    if request:
        head, _, body = answer.partition(b"\r\n\r\n")
        status, content = int(head.split()[1]), json.loads(body)
        assert status == 200 or 400 <= status < 500
        assert status == 200 or content["error"].isprintable()
    assert exchange(port, b"GET /state HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@given(st.sampled_from(["/speed", "/step"]), BODIES)
def test_a_command_that_is_obeyed_is_finite(path: str, body: bytes) -> None:
    """What reaches the replay is a speed and a step it can calculate with."""
    deck = Deck()
    head = parse_head(b"POST %s HTTP/1.0\r\n\r\n" % path.encode())
    try:
        check_sender(head, "127.0.0.1", PORT)
        obey(deck, head, body)
    except RefusedRequestError:
        assert deck.take() is None
        return
    command = deck.take()
    match command:
        case SetSpeed(speed):
            assert speed == 0 or 0.1 <= speed <= 1_000_000
        case Step(milliseconds):
            assert 0 <= milliseconds <= 366 * 24 * 3_600_000
        case _:
            pytest.fail(f"{command}")


@given(st.text(st.characters(max_codepoint=0x100), max_size=30))
def test_a_length_is_a_number_within_the_limit(length: str) -> None:
    """A head with any Content-Length is refused or gives a length that may be read."""
    try:
        head = parse_head(f"POST /pause HTTP/1.0\r\nContent-Length: {length}\r\n\r\n".encode("latin-1"))
        found = body_length(head)
    except (RefusedRequestError, UnicodeEncodeError):
        return
    assert 0 <= found <= 10_000
