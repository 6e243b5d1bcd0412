"""The tape deck's HTTP server: one thread, whatever is connected, and no connection for longer than a few seconds."""

import asyncio
import contextlib
import logging
import socket
import threading
from http import HTTPStatus
from typing import Final

from producers.replay import deckrequests
from producers.replay.deck import Deck
from producers.replay.deckrequests import RefusedRequestError

REQUEST_SECONDS: Final = 5.0
"""How long one connection may last, from its first byte to the last of the answer."""
MAX_CONNECTIONS: Final = 64
"""Connections open at once; one more ends the oldest, so half-open ones cannot keep a user out."""
OBEY_SECONDS: Final = 2.0
"""How long an answer waits for the replay to obey; then it shows the state before."""
_LOOK_SECONDS: Final = 0.005
_MAX_HEAD: Final = 8 << 10
_MAX_UNREAD: Final = 1 << 20
_log = logging.getLogger(__name__)


class DeckServer:
    """Serves a deck in a thread of its own, from ``start`` to ``stop``.

    Args:
        deck: The deck to control.
        listening: A bound socket; the server closes it.
        host: The address the socket is bound to, as the user gave it.
        seconds: How long one connection may last.
    """

    def __init__(self, deck: Deck, listening: socket.socket, host: str, *, seconds: float = REQUEST_SECONDS) -> None:
        self._deck = deck
        self._listening = listening
        self._host = host
        self._port: int = listening.getsockname()[1]
        self._seconds = seconds
        self._open: dict[asyncio.Task[None], None] = {}
        """The connections in the order in which they came."""
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._listening.listen()  # from here on a client is answered, however late the thread comes to it
        self._thread.start()

    def stop(self) -> None:
        """End every connection and the thread."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def close(self) -> None:
        """Give up the socket of a server that was never started."""
        self._listening.close()
        self._loop.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, sock=self._listening, limit=_MAX_HEAD)
        async with server:
            await self._over.wait()
            server.close()
            left = list(self._open)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = None
        if len(self._open) > MAX_CONNECTIONS:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.cancel()
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._open.pop(task, None)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, then wait for the client's end: an end with bytes unread would cost it the answer."""
        answer = await self._answer(reader)
        if not answer:
            return
        async with asyncio.timeout(self._seconds):
            writer.write(answer)
            writer.write_eof()
            unread = _MAX_UNREAD
            while unread > 0 and (got := len(await reader.read(_MAX_HEAD))):
                unread -= got

    async def _obeyed(self, number: int) -> None:
        """Wait until the deck shows the state after its first ``number`` commands, if a replay plays."""
        deadline = self._loop.time() + OBEY_SECONDS
        while self._deck.state.state in {"playing", "paused", "moving"} and not self._deck.has_obeyed(number):
            if self._loop.time() > deadline:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        """Return the answer to the next request; empty if no whole head of one comes in time."""
        head = None
        try:
            async with asyncio.timeout(self._seconds):
                head = deckrequests.parse_head(await reader.readuntil(b"\r\n\r\n"))
                deckrequests.check_sender(head, self._host, self._port)
                body = await reader.readexactly(deckrequests.body_length(head))
            deckrequests.obey(self._deck, head, body)
            if head.method == "POST":
                await self._obeyed(self._deck.given)
            return deckrequests.answer(HTTPStatus.OK, self._deck.as_dict())
        except RefusedRequestError as error:
            return deckrequests.refusal(error)
        except TimeoutError:
            late = _refused(HTTPStatus.REQUEST_TIMEOUT, f"expected a whole request within {self._seconds:g} s")
            return late if head is not None else b""
        except asyncio.LimitOverrunError:
            return _refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"expected at most {_MAX_HEAD} bytes of head")
        except asyncio.IncompleteReadError as error:
            return _refused(HTTPStatus.BAD_REQUEST, "the request is cut off") if error.partial or head else b""
        except Exception:  # noqa: BLE001 - whatever a request does, the replay goes on
            _log.exception("a request to the deck")
            return _refused(HTTPStatus.BAD_REQUEST, "the deck cannot read this request")


def _refused(status: HTTPStatus, text: str) -> bytes:
    return deckrequests.refusal(RefusedRequestError(status, text))
