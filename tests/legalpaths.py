"""Whether the presence events of a tape are legal paths, checked a second way: by a regular language."""

import re
from collections.abc import Iterable
from typing import Any

SITTING = re.compile(r"(A(F|JD))*(A?G|AJL|AJ|A)?")
"""One sitting: attempts that fail or end in a drop, at last a leave from inside (L) or outside (G), or no end."""


def faults(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return what is wrong with presence rows (in order of time), a line per person at most.

    Rows hold at least person, kind, space, try, reason, at and since_drop_ms.
    """
    by_person: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_person.setdefault(row["person"], []).append(row)
    return [f"{person}: {fault}" for person, events in by_person.items() if (fault := _fault(events))]


def _fault(events: list[dict[str, Any]]) -> str | None:
    sittings: list[list[dict[str, Any]]] = [[]]
    for event in events:
        sittings[-1].append(event)
        if event["kind"] == "leave":
            sittings.append([])
    for sitting in sittings:
        word = "".join(_letter(event) for event in sitting)
        if not SITTING.fullmatch(word):
            return f"no sitting: {word}"
        if wrong := _wrong_values(sitting):
            return f"{wrong} in {word}"
    return None


def _letter(event: dict[str, Any]) -> str:
    kind: str = event["kind"]
    return "G" if kind == "leave" and event["reason"] == "gave_up" else kind[0].upper()


def _wrong_values(sitting: list[dict[str, Any]]) -> str | None:
    tries = 0
    dropped: int | None = None
    room: str | None = None
    for event in sitting:
        kind = event["kind"]
        if kind == "attempt":
            if not (event["try"] > tries if tries else event["try"] == 1):
                return f"try {event['try']} after {tries}"
            tries, room = event["try"], event["space"]
        elif event["try"] != tries:
            return f"{kind} of try {event['try']} in {tries}"
        if kind in {"join", "fail", "drop"} and event["space"] != room:
            return f"{kind} in another room"
        expected: int | None = event["at"] - dropped if kind == "join" and dropped is not None else None
        if event["since_drop_ms"] != expected:
            return f"since_drop_ms {event['since_drop_ms']} instead of {expected}"
        dropped = event["at"] if kind == "drop" else dropped
    return None
