"""A network that can fail: ports on this machine that lead to other ports, slowly, not at all, or into silence."""

import asyncio
import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, NamedTuple, Self

HOST: Final = "127.0.0.1"
CHUNK_BYTES: Final = 256 << 10
"""What passes at once: with a delay of 0.1 s, 2.5 MB in a second."""
_RESET: Final = struct.pack("ii", 1, 0)
"""With this lingering, a closed socket sends a reset, like a router that has forgotten the connection."""


class Passing(NamedTuple):
    """Bytes before they are passed on."""

    connection: int
    """Number of the connection, from 1."""
    onward: bool
    """Whether they are on their way to the server."""
    chunk: bytes


class Proxy:
    """Context manager: inside, the ports ``lead_to`` returned pass bytes on to theirs; faults concern all of them.

    Its methods may be called from any thread, also by ``watch``, and have taken effect when they return.

    Args:
        watch: Sees every chunk, in the proxy's thread; a connection it has cut does not pass that chunk on.
    """

    def __init__(self, watch: Callable[[Passing], object] | None = None) -> None:
        self._watch = watch
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._servers: list[asyncio.Server] = []
        self._connections: set[_Connection] = set()
        self._open = True
        self._delay = 0.0
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lead_to(self, port: int) -> int:
        """Return a new port that leads to ``port``."""

        async def listen() -> int:
            server = await asyncio.start_server(lambda *near: self._pass(port, *near), HOST, 0, limit=CHUNK_BYTES)
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])

        return asyncio.run_coroutine_threadsafe(listen(), self._loop).result()

    def slow(self, seconds: float) -> None:
        """Delay every chunk, in both directions, from now on."""
        self._do(lambda: setattr(self, "_delay", seconds))

    def cut(self) -> None:
        """Reset every connection, and every new one until ``heal``."""
        self._do(self._cut)

    def half_open(self) -> None:
        """Let the servers forget their connections while the clients still hold them: nothing answers there any more.

        New connections pass.
        """
        self._do(self._forget)

    def heal(self) -> None:
        """Let new connections pass; half-open ones stay silent."""
        self._do(lambda: setattr(self, "_open", True))

    def _do(self, action: Callable[[], object]) -> None:
        if threading.current_thread() is self._thread:
            action()
            return

        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    def _forget(self) -> None:
        for one in list(self._connections):
            one.forget()

    def _cut(self) -> None:
        self._open = False
        for one in list(self._connections):
            one.reset()

    async def _pass(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        if not self._open:
            return _reset(writer)
        connection = _Connection(writer, next(self._numbers))
        self._connections.add(connection)
        try:
            with contextlib.suppress(OSError):
                far_reader, connection.far = await asyncio.open_connection(HOST, port, limit=CHUNK_BYTES)
                answers = asyncio.create_task(self._pump(far_reader, writer, connection, False))
                try:
                    await self._pump(reader, connection.far, connection, True)
                finally:
                    connection.end()
                    await answers
        finally:
            connection.end()
            self._connections.discard(connection)
        return None

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: "_Connection", onward: bool
    ) -> None:
        """Pass on what comes until one side ends; of a half-open connection, read what the client sends and drop it."""
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if self._delay:
                    await asyncio.sleep(self._delay)
                if self._watch is not None:
                    self._watch(Passing(connection.number, onward, chunk))
                if connection.whole:
                    writer.write(chunk)
                    await writer.drain()
        if connection.whole:
            connection.end()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        self._cut()
        waiting = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


class _Connection:
    """A client's side and, once connected, the server's side.

    Args:
        near: The client's.
        number: Its number.
    """

    def __init__(self, near: asyncio.StreamWriter, number: int) -> None:
        self.number = number
        self.near = near
        self.far: asyncio.StreamWriter | None = None
        self.whole = True
        """Whether bytes are passed on."""

    def forget(self) -> None:
        """Reset the server's side alone."""
        self.whole = False
        if self.far is not None:
            _reset(self.far)

    def reset(self) -> None:
        """Reset both sides."""
        self.forget()
        _reset(self.near)

    def end(self) -> None:
        """Close both sides in order."""
        self.whole = False
        for side in filter(None, (self.near, self.far)):
            side.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
