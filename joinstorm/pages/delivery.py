"""What Prometheus fired compared with what arrived: lost, repeated, in order, and how late; pure.

A *page* here is one alert that fired at one time; a notification has one or several. What Alertmanager documents is
not held against it: after a kill it sends again what it had not noted as sent (it promises at least once), and an alert
that ends and fires again before it has seen the end, within ``group_interval`` or while it was away, is one page.
"""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Final, Literal

import msgspec

from joinstorm.pages.lives import FiredAlert
from joinstorm.pages.notifications import Labels, NotifiedAlert, ReceivedNotification, Status

PageState = Literal["arrived", "folded", "lost"]
Key = tuple[Labels, int, Status]
RESEND_SECONDS: Final = 5
"""Prometheus sends an alert that fires to Alertmanager again after so long; its own default is a minute."""


class AlertmanagerOutage(msgspec.Struct, frozen=True):
    """Alertmanager was killed and started again; milliseconds since the epoch."""

    down: int
    up: int


class PageDelivery(msgspec.Struct, frozen=True):
    """What became of one page; wall clock times in milliseconds since the epoch."""

    alert: str
    labels: dict[str, str]
    fired: int
    state: PageState
    """``folded``: Alertmanager did not see the end of the page before, so it made one page of both."""
    arrived: int | None
    ended: int | None
    """When Prometheus found it over; None where it fired to the end."""
    resolved: int | None
    """When the notification of its end arrived."""
    runbook_url: str = ""

    @property
    def delay(self) -> int | None:
        """Milliseconds from firing to arrival."""
        return None if self.arrived is None else max(0, self.arrived - self.fired)


class Delivery(msgspec.Struct, frozen=True):
    """The account of all pages of a rehearsal."""

    pages: tuple[PageDelivery, ...]
    """In the order in which they fired."""
    notifications: int
    repeated: int
    """Notifications that said nothing new, without a reason that Alertmanager documents."""
    repeated_after_restart: int
    """Those it sent again because it was killed before it noted them as sent."""
    unexpected: int
    """Alerts that arrived and that this Prometheus did not fire."""
    out_of_order: int
    """Pages that arrived after one that fired later, though Alertmanager was there."""
    outages: tuple[AlertmanagerOutage, ...]

    @property
    def expected(self) -> int:
        """Pages that have to arrive."""
        return sum(page.state != "folded" for page in self.pages)

    @property
    def arrived(self) -> int:
        """Pages that arrived."""
        return sum(page.state == "arrived" for page in self.pages)

    @property
    def unresolved(self) -> int:
        """Pages that arrived and ended, and whose end did not arrive."""
        return sum(page.state == "arrived" and page.ended is not None and page.resolved is None for page in self.pages)

    @property
    def delays(self) -> tuple[float, int] | None:
        """The median and the greatest delay (ms); None without a page."""
        found = [page.delay for page in self.pages if page.delay is not None]
        return (median(found), max(found)) if found else None

    def problems(self, *, alone: bool = True) -> tuple[str, ...]:
        """Return what is wrong, a line each.

        Args:
            alone: No other Prometheus uses the Alertmanager, so nothing unexpected may arrive.
        """
        return tuple(_problems(self, alone=alone))


def _problems(found: Delivery, *, alone: bool) -> Iterator[str]:
    if lost := [page for page in found.pages if page.state == "lost"]:
        away = sum(_only_in_outage(page, found.outages) for page in lost)
        why = f"; {away} of them began and ended while Alertmanager was away" if away else ""
        yield f"{len(lost)} of {found.expected} pages did not arrive, the first: {lost[0].alert}{why}"
    if found.repeated:
        yield f"{found.repeated} notifications were repeated without a reason"
    if found.unresolved:
        yield f"the end of {found.unresolved} pages did not arrive"
    if found.out_of_order:
        yield f"{found.out_of_order} pages arrived after one that fired later"
    if alone and found.unexpected:
        yield f"{found.unexpected} alerts arrived that Prometheus did not fire"


def deliver(
    lives: Sequence[FiredAlert],
    received: Sequence[ReceivedNotification],
    outages: Sequence[AlertmanagerOutage] = (),
    fold_ms: int = 0,
    interval_ms: int = 1000,
) -> Delivery:
    """Compare what Prometheus fired with what arrived.

    Args:
        lives: What fired, in order.
        received: What arrived, in order.
        outages: When Alertmanager was away.
        fold_ms: An alert that ends and fires again within so long may make one page.
        interval_ms: Between two evaluations.
    """
    first: dict[Key, tuple[int, NotifiedAlert]] = {}
    for one in received:
        for alert in one.notification.alerts:
            first.setdefault((alert.key, alert.fired, alert.status), (one.at, alert))
    pages = tuple(_pages(lives, first, outages, fold_ms, interval_ms))
    known = {(life.labels, life.fired) for life in lives}
    repeated, excused = _repeats(received, outages)
    return Delivery(
        pages=pages,
        notifications=len(received),
        repeated=repeated,
        repeated_after_restart=excused,
        unexpected=len({(labels, fired) for labels, fired, _ in first} - known),
        out_of_order=_out_of_order(pages, outages),
        outages=tuple(outages),
    )


def _pages(
    lives: Iterable[FiredAlert],
    first: dict[Key, tuple[int, NotifiedAlert]],
    outages: Sequence[AlertmanagerOutage],
    fold_ms: int,
    interval_ms: int,
) -> list[PageDelivery]:
    """Return what became of each life of an alert; one that goes on as the page before it passes its end on to that."""
    found: list[PageDelivery] = []
    heads: dict[Labels, int] = {}
    for life in lives:
        page = _page(life, first, interval_ms)
        head = heads.get(life.labels)
        if page.state == "lost" and head is not None and _goes_on(found[head], page, outages, fold_ms + interval_ms):
            found[head] = msgspec.structs.replace(found[head], ended=page.ended, resolved=page.resolved)
            page = msgspec.structs.replace(page, state="folded")
        else:
            heads[life.labels] = len(found)
        found.append(page)
    return found


def _page(life: FiredAlert, first: dict[Key, tuple[int, NotifiedAlert]], interval_ms: int) -> PageDelivery:
    arrival, resolution = (first.get((life.labels, life.fired, status)) for status in ("firing", "resolved"))
    return PageDelivery(
        alert=life.name,
        labels=dict(life.labels),
        fired=life.fired,
        state="arrived" if arrival else "lost",
        arrived=arrival[0] if arrival else None,
        ended=life.last + interval_ms if life.over else None,
        resolved=resolution[0] if resolution else None,
        runbook_url=arrival[1].annotations.get("runbook_url", "") if arrival else "",
    )


def _goes_on(head: PageDelivery, page: PageDelivery, outages: Iterable[AlertmanagerOutage], most_ms: int) -> bool:
    """Say whether Alertmanager makes one page of two: it did not see, or not note, the end of the one before."""
    if head.state != "arrived" or head.ended is None or head.resolved is not None:
        return False
    return page.fired - head.ended <= most_ms or _in_outage(head.ended, outages)


def _repeats(received: Iterable[ReceivedNotification], outages: Sequence[AlertmanagerOutage]) -> tuple[int, int]:
    """Return the notifications that say nothing new: without a reason, and with a restart before them.

    A restart excuses one repetition of what arrived before it.
    """
    latest: dict[Key, int] = {}
    repeated = excused = 0
    for one in received:
        keys = [(alert.key, alert.fired, alert.status) for alert in one.notification.alerts]
        if all(key in latest for key in keys):
            before = max((latest[key] for key in keys), default=one.at)
            restarted = any(before <= outage.up and outage.down <= one.at for outage in outages)
            repeated, excused = repeated + (not restarted), excused + restarted
        latest.update(dict.fromkeys(keys, one.at))
    return repeated, excused


def _out_of_order(pages: Iterable[PageDelivery], outages: Sequence[AlertmanagerOutage]) -> int:
    """Return how many pages arrived after one that fired later; what fired in an outage comes when it is over."""
    count, latest = 0, 0
    arrived = [page for page in pages if page.arrived is not None and not _in_outage(page.fired, outages)]
    for page in sorted(arrived, key=lambda one: (one.arrived or 0, one.fired)):
        count += page.fired < latest
        latest = max(latest, page.fired)
    return count


def _only_in_outage(page: PageDelivery, outages: Iterable[AlertmanagerOutage]) -> bool:
    """Say whether a page was over before Prometheus could send it to the Alertmanager that came back."""
    return page.ended is not None and _in_outage(page.fired, outages) and _in_outage(page.ended, outages)


def _in_outage(at: int, outages: Iterable[AlertmanagerOutage]) -> bool:
    return any(outage.down - 1000 <= at <= outage.up + 1000 * RESEND_SECONDS for outage in outages)
