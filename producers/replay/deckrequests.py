"""The tape deck's side of HTTP without I/O: from a request's head and body to an answer.

    GET  /state                        what the deck displays, as JSON
    POST /pause /resume /toggle /stop  no body
    POST /speed  {"speed": 60}         a number from 0.1 to 1,000,000, or "max"
    POST /step   {"length": "5s"}
    POST /jump   {"moment": "talk+10m"}

A refused request gets a status of 4xx and {"error": text}. A replay is controlled by users and programs of this machine
only: requests that a browser sends for a web page are refused by their ``Origin`` or ``Sec-Fetch-Site``, and those for
a name that is not this machine's (a web page can make its own name mean 127.0.0.1) by their ``Host``.
"""

import ipaddress
import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import msgspec

from producers.replay.deck import Deck
from streams.errors import JoinstormError
from streams.visible import visible_line

MAX_BODY: Final = 10_000
_LONGEST_QUOTE: Final = 100
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^\[\]:@/?#\s]+)(?::(?P<port>[0-9]{1,5}))?")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DEFAULT_PORT: Final = 80

Command: TypeAlias = Callable[[bytes], None]


class RefusedRequestError(Exception):
    """A request is refused; the text says why.

    Args:
        status: The status of the answer.
        text: The reason, one line.
    """

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class RequestHead:
    """The request line and the headers of a request."""

    method: str
    path: str
    headers: dict[str, list[str]]
    """The values of each header by its name in small letters."""
    old: bool
    """Whether the client speaks HTTP/1.0, in which ``Host`` may be missing."""


class _Speed(msgspec.Struct):
    speed: float | str


class _Step(msgspec.Struct):
    length: str = "5s"


class _Jump(msgspec.Struct):
    moment: str


def parse_head(head: bytes) -> RequestHead:
    """Return the parts of a head, which ends with an empty line.

    Raises:
        RefusedRequestError: It is not a head of HTTP/1.0 or HTTP/1.1.
    """
    try:
        first, *lines = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    except UnicodeDecodeError:
        raise _bad("expected a request in ASCII") from None
    parts = first.split(" ")
    if len(parts) != 3 or not first.isprintable() or parts[2] not in {"HTTP/1.0", "HTTP/1.1"}:  # noqa: PLR2004
        raise _bad("expected a request line of HTTP/1.0 or HTTP/1.1")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name) or not value.replace("\t", " ").isprintable():
            raise _bad("expected headers of the form NAME: VALUE")
        headers.setdefault(name.lower(), []).append(value.strip(" \t"))
    return RequestHead(parts[0], parts[1], headers, old=parts[2] == "HTTP/1.0")


def check_sender(head: RequestHead, host: str, port: int) -> None:
    """Refuse a request that a web page may have caused.

    Args:
        head: The request's head.
        host: The address the deck listens on.
        port: The port it listens on.

    Raises:
        RefusedRequestError: The request is for another host, or a browser sent it for a page.
    """
    names = head.headers.get("host", [])
    if len(names) > 1 or not (names or head.old):
        raise _bad("expected one Host header")
    if names and not is_known_host(names[0], host, port):
        raise RefusedRequestError(HTTPStatus.FORBIDDEN, f"the deck is not at {_quoted(names[0])}")
    fetched = head.headers.get("sec-fetch-site", [])
    if "origin" in head.headers or any(site != "none" for site in fetched):
        raise RefusedRequestError(HTTPStatus.FORBIDDEN, "the deck accepts no commands from web pages")


def is_known_host(given: str, host: str, port: int) -> bool:
    """Return whether a Host header names the deck: loopback or the address it listens on, with its port.

    A deck that listens on every address is also known by any number and by this machine's name; another name could be
    one that a web page has made to mean this machine.
    """
    match = _HOST.fullmatch(given)
    if match is None or int(match["port"] or _DEFAULT_PORT) != port:
        return False
    name, own = match["name"].lower(), host.strip("[]").lower()
    if name in _LOOPBACK or name.strip("[]") == own:
        return True
    every = _address(own) is not None and ipaddress.ip_address(own).is_unspecified
    return every and (_address(name.strip("[]")) is not None or name == socket.gethostname().lower())


def body_length(head: RequestHead) -> int:
    """Return the number of bytes of the body.

    Raises:
        RefusedRequestError: The length is not a number, is given twice or otherwise than as a length, or is too large.
    """
    if "transfer-encoding" in head.headers:
        raise RefusedRequestError(HTTPStatus.LENGTH_REQUIRED, "expected a body with Content-Length")
    given = head.headers.get("content-length", ["0"])
    if len(given) > 1 or not _LENGTH.fullmatch(given[0]):
        raise _bad("Content-Length: expected one number")
    length = int(given[0])
    if length > MAX_BODY:
        text = f"Content-Length: expected at most {MAX_BODY} bytes"
        raise RefusedRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
    return length


def obey(deck: Deck, head: RequestHead, body: bytes) -> None:
    """Pass a request to the deck; the answer is what the deck displays once the replay has obeyed.

    Raises:
        RefusedRequestError: There is no such path or method, the body is not as expected, or the deck refuses.
    """
    commands = _commands(deck)
    if head.path == "/state":
        _require(head, "GET")
        return
    if head.path not in commands:
        expected = f"{_quoted(head.path)}: expected /state or one of {', '.join(commands)}"
        raise RefusedRequestError(HTTPStatus.NOT_FOUND, expected)
    _require(head, "POST")
    try:
        commands[head.path](body or b"{}")
    except msgspec.MsgspecError as error:
        raise _bad(f"{head.path}: {visible_line(str(error), _LONGEST_QUOTE)}") from None
    except (RecursionError, UnicodeError):
        raise _bad(f"{head.path}: expected a JSON object as body") from None
    except JoinstormError as error:
        raise _bad(visible_line(str(error), MAX_BODY)) from None


def answer(status: HTTPStatus, content: dict[str, Any]) -> bytes:
    """Return a whole answer, after which the connection ends."""
    payload = json.dumps(content).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + payload


def refusal(error: RefusedRequestError) -> bytes:
    """Return the answer to a refused request."""
    return answer(error.status, {"error": str(error)})


def _commands(deck: Deck) -> dict[str, Command]:
    """Return the action of each path on the body of a request."""
    return {
        "/pause": lambda _: deck.pause(),
        "/resume": lambda _: deck.resume(),
        "/toggle": lambda _: deck.toggle(),
        "/stop": lambda _: deck.stop(),
        "/speed": lambda body: deck.set_speed(msgspec.json.decode(body, type=_Speed).speed),
        "/step": lambda body: deck.step(msgspec.json.decode(body, type=_Step).length),
        "/jump": lambda body: deck.jump(msgspec.json.decode(body, type=_Jump).moment),
    }


def _require(head: RequestHead, method: str) -> None:
    if head.method != method:
        text = f"{head.path}: expected {method}, found {_quoted(head.method)}"
        raise RefusedRequestError(HTTPStatus.METHOD_NOT_ALLOWED, text)


def _bad(text: str) -> RefusedRequestError:
    return RefusedRequestError(HTTPStatus.BAD_REQUEST, text)


def _quoted(text: str) -> str:
    return visible_line(text, _LONGEST_QUOTE)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
