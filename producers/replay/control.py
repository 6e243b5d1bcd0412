"""The tape deck over HTTP, on this machine: a small server in the replay's process, and a client that finds it.

``producers.replay.deckrequests`` lists the requests. A running replay publishes its address in a private folder of its
user, where the client looks for it.
"""

import contextlib
import http.client
import json
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from producers.replay.deck import Deck, DeckState
from producers.replay.deckserver import DeckServer
from streams.errors import EnvironmentMissingError, JoinstormError, UsageError, reason
from streams.system.directhttp import open_directly
from streams.system.privatefolder import PrivateFolder, runtime_folder

LOOPBACK: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - what an empty host means
TIMEOUT_SECONDS: Final = 5.0
_SUFFIX: Final = ".json"
_LARGEST_ANSWER: Final = 1 << 20
WITHOUT: Final = "go without the deck (--control off)"


class Address(msgspec.Struct):
    """Where a replay's deck listens."""

    url: str
    pid: int
    started: float
    """Seconds since the epoch."""


def address_folder() -> Path:
    """Return the folder in which this user's running replays publish their addresses."""
    return runtime_folder(os.environ)


class ControlServer:
    """Context manager: serves a deck while the block lasts.

    Args:
        deck: The deck to control.
        host: The address to listen on; IPv6 in brackets or not, every address if empty.
        port: The port to listen on; 0 for any free one.

    Raises:
        EnvironmentMissingError: The port is taken, or the address cannot be published; the text names the remedy.
    """

    def __init__(self, deck: Deck, host: str = LOOPBACK, port: int = 0) -> None:
        bare = host.strip("[]") or EVERYWHERE
        family = socket.AF_INET6 if ":" in bare else socket.AF_INET
        try:
            listening = socket.create_server((bare, port), family=family)
        except (OSError, OverflowError, UnicodeError) as error:
            why = reason(error) if isinstance(error, OSError) else error
            raise EnvironmentMissingError(
                f"the deck cannot listen on {host}:{port}: {why}; choose another port with --control"
            ) from error
        shown = f"[{bare}]" if family == socket.AF_INET6 else bare
        self.url = f"http://{shown}:{listening.getsockname()[1]}"
        self._server = DeckServer(deck, listening, bare)
        self._folder = PrivateFolder(address_folder())
        self._name = f"{os.getpid()}{_SUFFIX}"

    def __enter__(self) -> Self:
        try:
            self._folder.write(self._name, msgspec.json.encode(Address(self.url, os.getpid(), time.time())))
        except OSError as error:
            self._server.close()
            raise EnvironmentMissingError(
                f"{self._folder.path / self._name}: the deck's address cannot be written: {reason(error)}; {WITHOUT}"
            ) from error
        except EnvironmentMissingError as error:
            self._server.close()
            raise EnvironmentMissingError(f"{error}; {WITHOUT}") from error
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, EnvironmentMissingError):
            self._folder.remove(self._name)
        self._server.stop()


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
            EnvironmentMissingError: No such replay is running here, or the folder of addresses is not private.
        """
        running: list[tuple[float, str]] = []
        for content in _published().values():
            try:
                address = msgspec.json.decode(content, type=Address)
                if pid in {None, address.pid} and run in {None, cls(address.url).state()["run"]}:
                    running.append((address.started, address.url))
            except (msgspec.MsgspecError, UnicodeError, RecursionError, JoinstormError):
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
            with open_directly(request, TIMEOUT_SECONDS) as response:
                state = msgspec.json.decode(response.read(_LARGEST_ANSWER), type=DeckState)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, self.url) from None
        except (OSError, ValueError, RecursionError, http.client.HTTPException) as error:
            raise EnvironmentMissingError(f"no replay answers at {self.url}: {error}") from None
        return asdict(state)


def _published() -> dict[str, bytes]:
    folder = PrivateFolder(address_folder())
    try:
        return folder.read_all(_SUFFIX)
    except OSError as error:
        raise EnvironmentMissingError(f"{folder.path}: cannot be read: {reason(error)}; give --url") from None


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
        return UsageError(str(json.loads(error.read(_LARGEST_ANSWER))["error"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, http.client.HTTPException):
        return EnvironmentMissingError(f"no replay answers at {url}: {error}")
