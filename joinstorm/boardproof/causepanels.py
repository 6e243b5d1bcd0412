"""The expected answers of the panels of *The launch* by client and by reason, from the oracle's counts."""

from collections.abc import Callable
from functools import partial

from joinstorm.boardproof.momentvalues import Expected, ProofMoment, Shown, minute_before, series_by
from joinstorm.prometheus.server import Vector
from streams.contract.breakdowns import CAUSES, CLIENTS


def expected() -> dict[tuple[str, str], Expected]:
    """Return the expected answer of each query, by panel and letter: of the engine and of the truth."""
    found: dict[tuple[str, str], Expected] = {}
    for letter, of_truth in (("A", False), ("B", True)):
        for title, of_client in (
            ("Live audience by client", _client_audience),
            ("Join success by client", _client_success),
            ("Drop rate by client", _client_drops),
        ):
            found[title, letter] = partial(_by_client, of_client=of_client, of_truth=of_truth)
        for title, kind in (("Fails by reason", "fail"), ("Drops by reason", "drop")):
            found[title, letter] = partial(_by_reason, kind=kind, of_truth=of_truth)
    return found


def _by_client(now: ProofMoment, of_client: Callable[[Shown, str], float | None], *, of_truth: bool) -> Vector:
    shown, engine = (now.truth, "truth") if of_truth else (now.engine, now.chosen[0])
    return series_by("client", {client: of_client(shown, client) for client in (*CLIENTS, "other")}, engine=engine)


def _client(shown: Shown, plural: str, client: str, *, minute: bool) -> int:
    since = minute_before(shown.at) if minute else None
    return _over_rooms(shown, f"{plural}_by_client:{client}", since)


def _client_audience(shown: Shown, client: str) -> float | None:
    joins, drops, leaves = (_client(shown, plural, client, minute=False) for plural in ("joins", "drops", "leaves"))
    return joins - drops - leaves if joins else None


def _client_success(shown: Shown, client: str) -> float | None:
    joins, fails = (_client(shown, plural, client, minute=True) for plural in ("joins", "fails"))
    return joins / (joins + fails) if joins + fails else None


def _client_drops(shown: Shown, client: str) -> float | None:
    drops, leaves = (_client(shown, plural, client, minute=True) for plural in ("drops", "leaves"))
    present = (_client_audience(shown, client) or 0) + drops + leaves  # as a minute ago, and who has joined since
    return drops / present if present > 0 else None


def _by_reason(now: ProofMoment, kind: str, *, of_truth: bool) -> Vector:
    shown, engine = (now.truth, "truth") if of_truth else (now.engine, now.chosen[0])
    since = minute_before(shown.at)
    values: dict[str, float | None] = {}
    for reason in (*CAUSES, "other"):
        count = f"{kind}s_by_reason:{reason}"
        values[reason] = _over_rooms(shown, count, since) if _over_rooms(shown, count, None) else None
    return series_by("reason", values, kind=kind, engine=engine)


def _over_rooms(shown: Shown, count: str, since: int | None) -> int:
    return sum(shown.counted.presence(space, count, shown.at, since) for space in shown.counted.info.spaces)
