"""Breakdowns: closed sets that add up to their count, the same for the codec and for the kernels' numbers."""

import pytest

from streams.contract.breakdowns import BREAKDOWNS, CAUSES, CLIENTS, MEMBERS, breakdowns_of, is_breakdown
from streams.contract.events import Presence, PresenceKind
from streams.contract.results import digest, is_optional
from streams.kernels.breakdowns import CAUSE_LABEL, CLIENT_LABEL, LABELS
from streams.kernels.cells import DROP, FAIL, JOIN, LEAVE, REJOIN


def presence(kind: PresenceKind, client: str = "ios", reason: str | None = None) -> Presence:
    """Return an event."""
    return Presence(event_id=0, at=0, kind=kind, listener=1, space="room", client=client, try_=1, v=1, reason=reason)


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        (presence(PresenceKind.ATTEMPT), []),
        (presence(PresenceKind.JOIN, reason="overloaded"), ["joins_by_client:ios"]),
        (presence(PresenceKind.JOIN, "toaster"), ["joins_by_client:other"]),
        (presence(PresenceKind.FAIL, reason="login_failed"), ["fails_by_client:ios", "fails_by_reason:login_failed"]),
        (presence(PresenceKind.FAIL), ["fails_by_client:ios", "fails_by_reason:other"]),
        (presence(PresenceKind.DROP, "web", "gave_up"), ["drops_by_client:web", "drops_by_reason:other"]),
        (presence(PresenceKind.LEAVE), ["leaves_by_client:ios"]),
        (presence(PresenceKind.LEAVE, reason="gave_up"), []),
    ],
)
def test_the_breakdowns_of_an_event(event: Presence, counts: list[str]) -> None:
    """What is not told apart, or is missing, is other; a give-up has none."""
    assert list(breakdowns_of(event)) == counts
    assert all(is_breakdown(count) and is_optional(count) for count in counts)


def test_labels_of_kernels_are_the_counts_of_the_contract() -> None:
    """The number of a cell's first count, and a place in the closed set, lead to the count that the codec gives."""
    kinds = {JOIN: "join", REJOIN: "join", FAIL: "fail", DROP: "drop", LEAVE: "leave"}
    for cell, kind in kinds.items():
        for place, client in enumerate((*CLIENTS, "other")):
            assert LABELS[CLIENT_LABEL[cell] + place] == f"{kind}s_by_client:{client}"
    for cell in (FAIL, DROP):
        for place, cause in enumerate((*CAUSES, "other")):
            assert LABELS[CAUSE_LABEL[cell] + place] == f"{kinds[cell]}s_by_reason:{cause}"
    assert len(set(LABELS)) == len(LABELS)
    assert {label for label in LABELS if is_breakdown(label)} == {f + one for f in BREAKDOWNS for one in MEMBERS[f]}


def test_the_digest_leaves_breakdowns_out() -> None:
    """An engine that publishes no breakdowns has the digest of one that does."""
    with_them = {(0, "room"): {"joins": 1, "joins_by_client:ios": 1}, (5, "room"): {"drops_by_reason:other": 2}}
    assert digest(with_them, {}) == digest({(0, "room"): {"joins": 1}}, {})
