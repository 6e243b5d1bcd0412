"""A rehearsal as text and as JSON (``pages.json``)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from joinstorm.alerts import scoreformats
from joinstorm.alerts.durations import duration_text
from joinstorm.pages.delivery import Delivery, PageDelivery
from joinstorm.rehearsal.account import NightClock
from joinstorm.rehearsal.rehearsing import RehearsalOutcome

_PAGES_SHOWN = 40
"""In the text; JSON has every page."""


def as_json(found: RehearsalOutcome) -> str:
    """Return it as JSON: the delivery, every page, and the score of every alert."""
    delivery = found.delivery
    document: dict[str, Any] = {
        "ok": found.ok,
        "exact": found.run.verdict.exact,
        "scenario": found.night.scenario,
        "scale": found.night.scale,
        "seed": found.night.seed,
        "expected": delivery.expected,
        "arrived": delivery.arrived,
        "lost": delivery.expected - delivery.arrived,
        "repeated": delivery.repeated,
        "repeated_after_restart": delivery.repeated_after_restart,
        "folded": len(delivery.pages) - delivery.expected,
        "unresolved": delivery.unresolved,
        "out_of_order": delivery.out_of_order,
        "unexpected": delivery.unexpected,
        "notifications": delivery.notifications,
        "delay_ms": dict(zip(("median", "most"), delivery.delays, strict=True)) if delivery.delays else None,
        "outages": delivery.outages,
        "problems": found.problems,
        "pages": [_page(page, found) for page in delivery.pages],
        "alerts": msgspec.json.decode(scoreformats.as_json(found.scores)),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _page(page: PageDelivery, found: RehearsalOutcome) -> dict[str, Any]:
    at = found.clock.at(page.fired)
    where = {"at": at, "phase": None if at is None else found.night.phase_at(at), "delay_ms": page.delay}
    return {**msgspec.to_builtins(page), **where}


def as_text(found: RehearsalOutcome) -> str:
    """Return it for people: how the pages arrived, each page, and the alerts against the truth."""
    lines = [delivery_line(found.delivery)]
    lines += _rows(found)
    lines += ["", *scoreformats.table(found.scores), ""]
    lines += [f"problem: {problem}" for problem in found.problems]
    lines.append(
        "verdict: every page arrived" if not found.problems else "verdict: not every page arrived as it should"
    )
    return "\n".join(lines)


def delivery_line(delivery: Delivery) -> str:
    """Return the account of the pages in one line."""
    parts = [
        f"pages: {delivery.expected} expected, {delivery.arrived} arrived",
        f"{delivery.repeated} repeated",
        "in order" if not delivery.out_of_order else f"{delivery.out_of_order} out of order",
    ]
    if delivery.delays:
        middle, most = delivery.delays
        parts.append(f"after {middle / 1000:.1f} s (median), {most / 1000:.1f} s (most)")
    if delivery.outages:
        away = sum(outage.up - outage.down for outage in delivery.outages) / 1000
        parts.append(
            f"Alertmanager was killed and away for {away:.1f} s, "
            f"{delivery.repeated_after_restart} notifications sent again for it"
        )
    return "; ".join(parts)


def _rows(found: RehearsalOutcome) -> Iterator[str]:
    pages = found.delivery.pages
    names = max((len(page.alert) for page in pages), default=0)
    for page in pages[:_PAGES_SHOWN]:
        yield f"  {_when(found.clock, page.fired)}  {page.alert:<{names}}  {_how(page)}  {_where(page, found)}".rstrip()
    if len(pages) > _PAGES_SHOWN:
        yield f"  and {len(pages) - _PAGES_SHOWN} further pages (--format json has all)"


def _when(clock: NightClock, wall: int) -> str:
    at = clock.at(wall)
    return "--------" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S}"


def _how(page: PageDelivery) -> str:
    if page.delay is None:
        return page.state
    lasted = "to the end" if page.ended is None else f"for {duration_text(page.ended - page.fired)}"
    return f"arrived after {page.delay / 1000:.1f} s, {lasted} by the clock"


def _where(page: PageDelivery, found: RehearsalOutcome) -> str:
    at = found.clock.at(page.fired)
    phase = "" if at is None else found.night.phase_at(at)
    return "  ".join(filter(None, (phase, page.runbook_url)))
