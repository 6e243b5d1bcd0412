"""The tape deck over HTTP, on this machine: a small server in the replay's process, and a client that finds it.

    GET  /state                        what the deck displays, as JSON
    POST /pause /resume /toggle /stop  no body
    POST /speed  {"speed": 60}         a number of at least 0.1, or "max"
    POST /step   {"length": "5s"}
    POST /jump   {"moment": "talk+10m"}

A refused command answers 400 with {"error": text}. Requests with an ``Origin`` are refused: a web page could make a
browser send them, and a replay is controlled by users and programs of this machine only.
"""

import contextlib
import http.client
import json
import os
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from producers.replay.deck import Deck
from streams.errors import EnvironmentMissingError, JoinstormError, UsageError, reason

LOOPBACK = "127.0.0.1"
TIMEOUT_SECONDS = 5.0
_MAX_BODY = 10_000


def address_folder() -> Path:
    """Return the folder in which this user's running replays publish their addresses."""
    return Path(tempfile.gettempdir()) / f"joinstorm-{os.getuid()}"


class ControlServer:
    """Context manager: serves a deck while the block lasts.

    Args:
        deck: The deck to control.
        host: The address to listen on.
        port: The port to listen on; 0 for any free one.

    Raises:
        EnvironmentMissingError: The port is taken, or the address cannot be published; the text names the remedy.
    """

    def __init__(self, deck: Deck, host: str = LOOPBACK, port: int = 0) -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), type("Handler", (DeckHandler,), {"deck": deck}))
        except (OSError, OverflowError) as error:
            why = reason(error) if isinstance(error, OSError) else error
            raise EnvironmentMissingError(
                f"the deck cannot listen on {host}:{port}: {why}; choose another port with --control"
            ) from error
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._file = address_folder() / f"{os.getpid()}.json"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="control", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            self._file.write_text(json.dumps({"url": self.url, "pid": os.getpid(), "started": time.time()}))
        except OSError as error:
            self._server.server_close()
            raise EnvironmentMissingError(
                f"{self._file}: the deck's address cannot be written: {reason(error)}; "
                "go without the deck (--control off)"
            ) from error
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.unlink()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _commands(deck: Deck) -> dict[str, Callable[[dict[str, Any]], None]]:
    """Return the action of each path on the body of a request."""
    return {
        "/pause": lambda _: deck.pause(),
        "/resume": lambda _: deck.resume(),
        "/toggle": lambda _: deck.toggle(),
        "/stop": lambda _: deck.stop(),
        "/speed": lambda body: deck.set_speed(body["speed"]),
        "/step": lambda body: deck.step(str(body.get("length", "5s"))),
        "/jump": lambda body: deck.jump(str(body["moment"])),
    }


class DeckHandler(BaseHTTPRequestHandler):
    """Answers one request; ``ControlServer`` makes a subclass for its deck."""

    deck: ClassVar[Deck]

    def do_GET(self) -> None:
        """Answer with the state."""
        if self.path == "/state":
            self._answer(200, self.deck.as_dict())
        else:
            self._answer(404, {"error": f"{self.path}: expected /state"})

    def do_POST(self) -> None:
        """Pass a command to the deck."""
        commands = _commands(self.deck)
        if self.path not in commands:
            self._answer(404, {"error": f"{self.path}: expected one of {', '.join(commands)}"})
        elif self.headers.get("Origin"):
            self._answer(403, {"error": "the deck accepts no commands from web pages"})
        else:
            self._answer(*self._obey(commands[self.path]))

    def _obey(self, command: Callable[[dict[str, Any]], None]) -> tuple[int, dict[str, Any]]:
        try:
            length = min(int(self.headers.get("Content-Length") or 0), _MAX_BODY)
            command(json.loads(self.rfile.read(length) or b"{}"))
        except KeyError as missing:
            return 400, {"error": f"{self.path} needs {missing} in its body"}
        except (ValueError, TypeError, AttributeError) as error:
            return 400, {"error": f"{self.path}: expected a JSON object as body: {error}"}
        except JoinstormError as error:
            return 400, {"error": str(error)}
        return 200, self.deck.as_dict()

    def _answer(self, code: int, body: dict[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Log nothing: a line per request would bury the rest."""


class ControlClient:
    """Sends commands to a replay in another process.

    Args:
        url: The server's ``url``; ``ControlClient.find`` knows those of running replays.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    @classmethod
    def find(cls, *, pid: int | None = None, run: str | None = None) -> "ControlClient":
        """Return a client of the replay in process ``pid``, of run ``run``, or of the one that started last.

        Raises:
            EnvironmentMissingError: No such replay is running on this machine.
        """
        running: list[tuple[float, str]] = []
        for file in address_folder().glob("*.json"):
            try:
                address = json.loads(file.read_text())
                if pid in {None, address["pid"]} and run in {None, cls(address["url"]).state()["run"]}:
                    running.append((address["started"], address["url"]))
            except (OSError, ValueError, KeyError, TypeError, JoinstormError):
                continue  # ended meanwhile, or was killed and left its address behind
        if not running:
            wanted = "" if run is None else f" of run {run}"
            raise EnvironmentMissingError(f"no replay{wanted} is running here; give its address with --url")
        return cls(max(running)[1])

    def state(self) -> dict[str, Any]:
        """Return what the deck displays."""
        return self._ask("/state", None)

    def pause(self) -> dict[str, Any]:
        """Pause."""
        return self._ask("/pause", {})

    def resume(self) -> dict[str, Any]:
        """Continue after a pause."""
        return self._ask("/resume", {})

    def toggle(self) -> dict[str, Any]:
        """Pause when playing, resume when paused."""
        return self._ask("/toggle", {})

    def stop(self) -> dict[str, Any]:
        """End the replay."""
        return self._ask("/stop", {})

    def set_speed(self, speed: float | str) -> dict[str, Any]:
        """Change the speed."""
        return self._ask("/speed", {"speed": speed})

    def step(self, length: str = "5s") -> dict[str, Any]:
        """Play this much event time at full speed, then pause."""
        return self._ask("/step", {"length": length})

    def jump(self, moment: str) -> dict[str, Any]:
        """Go to a moment."""
        return self._ask("/jump", {"moment": moment})

    def _ask(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Return the answer of the deck.

        Raises:
            UsageError: The address is malformed, or the deck refuses the command.
            EnvironmentMissingError: No deck answers at the address.
        """
        _check_address(self.url)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data)  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - checked above
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, self.url) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise EnvironmentMissingError(f"no replay answers at {self.url}: {error}") from None
        return answer


def _check_address(url: str) -> None:
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(f"{url!r}: expected http://HOST:PORT")


def _refusal(error: urllib.error.HTTPError, url: str) -> JoinstormError:
    """Return what a refusal means: the deck's own text, or that another server answers at the address."""
    try:
        return UsageError(str(json.load(error)["error"]))
    except (ValueError, KeyError, TypeError):
        return EnvironmentMissingError(f"no replay answers at {url}: {error}")
