"""Presence events from JSON to columns: what ``streams.contract.events.decode_presence`` accepts, for whole chunks."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.contract.breakdowns import CAUSES, CLIENTS
from streams.contract.events import GAVE_UP, REJOIN_WITHIN_MS, VERSION, PresenceKind
from streams.kernels.cells import ATTEMPT, DROP, FAIL, FIRST_ATTEMPT, GIVE_UP, JOIN, LEAVE, REJOIN
from streams.kernels.jit import compiled, inner, seldom
from streams.kernels.json import names
from streams.kernels.limits import Limits, within
from streams.kernels.record import ABSENT, LARGEST, LOOKED_UP, NUMBER, Ints, read
from streams.kernels.table import Numbering, Table
from streams.kernels.words import BAD, Bytes

_FIELDS: Final = {
    "event_id": NUMBER,
    "at": NUMBER,
    "kind": LOOKED_UP,
    "listener": NUMBER,
    "space": LOOKED_UP,
    "client": LOOKED_UP,
    "try": NUMBER,
    "v": NUMBER,
    "reason": LOOKED_UP,
    "since_drop_ms": NUMBER,
}
FIELDS: Final = len(_FIELDS)
_NAMES: Final = names(list(_FIELDS))
_HOLDS: Final = np.array(list(_FIELDS.values()), np.int64)
_EVENT_ID, _AT, _KIND, _LISTENER, _SPACE, _CLIENT, _TRY, _V, _REASON, _SINCE = range(FIELDS)
_CELLS: Final = {
    PresenceKind.ATTEMPT: ATTEMPT,
    PresenceKind.JOIN: JOIN,
    PresenceKind.FAIL: FAIL,
    PresenceKind.LEAVE: LEAVE,
    PresenceKind.DROP: DROP,
}
_CELL_OF: Final = np.array([_CELLS[kind] for kind in PresenceKind], np.int64)
_KINDS: Final = len(PresenceKind)
_GAVE_UP: Final = _KINDS
"""Number of that reason among the texts, after the kinds."""
_CLIENTS: Final = _GAVE_UP + 1
"""Number of the first client among the texts."""
_CAUSES: Final = _CLIENTS + len(CLIENTS)
"""Number of the first reason of a fail or drop among the texts."""
_AFTER: Final = _CAUSES + len(CAUSES)


class PresenceTexts(NamedTuple):
    """What the strings of presence events are looked up in."""

    texts: Table
    space_of: Ints
    """Number of the space that a text names, -1 for none."""


class PresenceOut(NamedTuple):
    """Columns to be filled, a row per record."""

    ok: NDArray[np.bool_]
    """Whether the row was filled; if not, the record is one for the codec."""
    event_id: Ints
    at: Ints
    person: Ints
    space: NDArray[np.int32]
    cell: NDArray[np.uint8]
    since: Ints
    """Milliseconds since the drop before it, in the same sitting; negative for none."""
    client: NDArray[np.uint8]
    """Place in ``CLIENTS``, one beyond it for any other."""
    cause: NDArray[np.uint8]
    """Place of the reason in ``CAUSES``, one beyond it for any other and for none."""


def presence_texts(spaces: Sequence[str]) -> PresenceTexts:
    """Return the table of kinds, reasons, clients and spaces."""
    known = (*(kind.value for kind in PresenceKind), GAVE_UP, *CLIENTS, *CAUSES)
    texts = Numbering([text.encode() for text in known])
    numbers = [texts.number(space.encode()) for space in spaces]
    space_of = np.full(len(texts), -1, np.int64)
    space_of[numbers] = range(len(spaces))
    return PresenceTexts(texts.table(), space_of)


@inner
def _cell(kind: int, tries: int, reason: int, since: int) -> Any:
    """Return what an event counts as."""
    cell = _CELL_OF[kind]
    if cell == ATTEMPT:
        return FIRST_ATTEMPT if tries == 1 else ATTEMPT
    if cell == JOIN:
        return REJOIN if 0 <= since <= REJOIN_WITHIN_MS else JOIN
    if cell == LEAVE:
        return GIVE_UP if reason == _GAVE_UP else LEAVE
    return cell


@inner
def _place(text: int, first: int, after: int) -> Any:
    """Return the place of a text among those numbered from ``first``, one beyond the last for any other."""
    return text - first if first <= text < after else after - first


@seldom
def _nothing(data: Bytes, at: int, end: int, field: int, scratch: Bytes, context: Any) -> tuple[int, int]:  # noqa: ARG001 - there is no such field
    return ABSENT, BAD


@compiled
def decode_presence(
    data: Bytes,
    starts: Ints,
    ends: Ints,
    limits: Limits,
    known: PresenceTexts,
    scratch: Bytes,
    found: Ints,
    out: PresenceOut,
) -> int:
    """Fill the rows of the records that are events of the run, and return how many are not.

    Args:
        data: The buffer the records lie in.
        starts: Where each begins.
        ends: Where each ends; nothing from there on is read.
        limits: What events of the run keep to.
        known: What strings are looked up in.
        scratch: ``SCRATCH`` bytes.
        found: ``FIELDS`` numbers.
        out: The columns.
    """
    odd = 0
    for row in range(len(starts)):
        good = read(data, starts[row], ends[row], _NAMES, _HOLDS, known.texts, scratch, found, _nothing, 0)
        good = good and 0 <= found[_KIND] < _KINDS and found[_CLIENT] >= 0 and 0 < found[_TRY] <= LARGEST
        good = good and found[_V] == VERSION and found[_SINCE] <= LARGEST and 0 <= found[_SPACE] < len(known.space_of)
        good = good and within(limits, found[_EVENT_ID], found[_LISTENER], found[_AT])
        space = known.space_of[found[_SPACE]] if good else ABSENT
        out.ok[row] = space >= 0
        if space < 0:
            odd += 1
            continue
        out.event_id[row], out.at[row], out.person[row] = found[_EVENT_ID], found[_AT], found[_LISTENER]
        out.space[row] = space
        out.cell[row] = _cell(found[_KIND], found[_TRY], found[_REASON], found[_SINCE])
        out.since[row] = found[_SINCE]
        out.client[row] = _place(found[_CLIENT], _CLIENTS, _CAUSES)
        out.cause[row] = _place(found[_REASON], _CAUSES, _AFTER)
    return odd
