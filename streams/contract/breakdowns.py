"""Breakdowns in the results: joins, fails, drops and leaves by client, fails and drops by reason.

A count ``drops_by_reason:room_closed`` holds how many of the window's drops have that reason. Clients and reasons are
closed sets, so that a record's text can grow neither the results nor the labels of a metric: what is none of them, or
is missing, is ``other``. So the breakdowns of a count always add up to it.
"""

from collections.abc import Iterator
from typing import Final

from streams.contract.events import GAVE_UP, ROOM_CLOSED, Presence, PresenceKind
from streams.contract.names import OTHER

CLIENTS: Final = ("web", "ios", "android")
"""The clients that are told apart; the others are ``other``."""
CAUSES: Final = ("overloaded", ROOM_CLOSED, "connection_lost", "login_failed", "timed_out")
"""The reasons of fails and drops that are told apart; the others are ``other``, and so is a missing one."""
JOINS_BY_CLIENT: Final = "joins_by_client:"
FAILS_BY_CLIENT: Final = "fails_by_client:"
DROPS_BY_CLIENT: Final = "drops_by_client:"
LEAVES_BY_CLIENT: Final = "leaves_by_client:"
"""Without give-ups, as ``leaves``."""
FAILS_BY_REASON: Final = "fails_by_reason:"
DROPS_BY_REASON: Final = "drops_by_reason:"
BY_CLIENT: Final = {
    PresenceKind.JOIN: JOINS_BY_CLIENT,
    PresenceKind.FAIL: FAILS_BY_CLIENT,
    PresenceKind.DROP: DROPS_BY_CLIENT,
    PresenceKind.LEAVE: LEAVES_BY_CLIENT,
}
"""The family of counts for each kind of event; each is a prefix, followed by the client."""
BY_REASON: Final = {PresenceKind.FAIL: FAILS_BY_REASON, PresenceKind.DROP: DROPS_BY_REASON}
"""The same, followed by the reason."""
BREAKDOWNS: Final = (*BY_CLIENT.values(), *BY_REASON.values())
"""The families of counts, all in the window and the space of the event."""
MEMBERS: Final = {
    **dict.fromkeys(BY_CLIENT.values(), (*CLIENTS, OTHER)),
    **dict.fromkeys(BY_REASON.values(), (*CAUSES, OTHER)),
}
"""What follows each prefix."""


def breakdowns_of(event: Presence) -> Iterator[str]:
    """Yield the breakdowns that an event increments."""
    gave_up = event.kind is PresenceKind.LEAVE and event.reason == GAVE_UP
    if event.kind in BY_CLIENT and not gave_up:
        yield BY_CLIENT[event.kind] + (event.client if event.client in CLIENTS else OTHER)
    if event.kind in BY_REASON:
        yield BY_REASON[event.kind] + (event.reason if event.reason in CAUSES else OTHER)


def is_breakdown(count: str) -> bool:
    """Whether a count of ``results.audience`` is one of breakdowns."""
    return count.startswith(BREAKDOWNS)
