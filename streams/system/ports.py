"""Free TCP ports for servers that are about to start."""

import contextlib
import random
import socket
from pathlib import Path

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""Linux: the first and the last port that it gives to outgoing connections."""
FIRST = 20_000
LAST_RESORT = 32_768
"""Where outgoing connections begin by Linux's default; other systems begin higher."""


def free_ports(count: int) -> list[int]:
    """Return different TCP ports of loopback that are free at the moment.

    They lie below the ports of outgoing connections: otherwise any connection of any process could take one before
    the server binds it. They are drawn at random, so that two processes that look at the same time rarely meet.

    Raises:
        OSError: There are not so many.
    """
    last = _first_outgoing()
    if last - FIRST < 10 * count:
        return _any_free(count)
    drawn = random.SystemRandom().sample(range(FIRST, last), last - FIRST)
    with contextlib.ExitStack() as held:
        found: list[int] = []
        for port in drawn:
            if len(found) == count:
                break
            with contextlib.suppress(OSError):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                found.append(port)
    if len(found) < count:
        raise OSError(f"only {len(found)} of {count} ports between {FIRST} and {last} are free")
    return found


def _first_outgoing() -> int:
    try:
        return int(EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return LAST_RESORT


def _any_free(count: int) -> list[int]:
    """Return what the system gives, where it keeps too few for servers."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [int(free.getsockname()[1]) for free in sockets]
