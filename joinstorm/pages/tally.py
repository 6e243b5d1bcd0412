"""What a receiver got, as metrics: pages by alert, repeated notifications, and how long a page took to arrive."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from joinstorm.pages.notifications import ALERTNAME, SEVERITY, Labels, ReceivedNotification, Status
from streams.metrics import receiver as m
from streams.metrics.families import Families


class PageTally(Collector):
    """Counts notifications; the caller keeps threads apart."""

    def __init__(self) -> None:
        self._seen: set[tuple[Labels, int, Status]] = set()
        self._pages: Counter[tuple[str, str, str]] = Counter()
        self._notifications = 0
        self._repeated = 0
        self._delays: dict[tuple[str, str], float] = {}

    def count(self, one: ReceivedNotification) -> None:
        """Count a notification: a page is an alert that fired at a time, however often it is sent."""
        self._notifications += 1
        new = False
        for alert in one.notification.alerts:
            key = (alert.key, alert.fired, alert.status)
            if key in self._seen:
                continue
            new = True
            self._seen.add(key)
            name, severity = alert.labels.get(ALERTNAME, ""), alert.labels.get(SEVERITY, "")
            self._pages[name, severity, alert.status] += 1
            if alert.status == "firing":
                self._delays[name, severity] = max(0, one.at - alert.fired) / 1000
        self._repeated += not new

    def collect(self) -> Iterator[Family]:
        """Yield every family once."""
        families = Families(m.RECEIVER_METRICS)
        families.add(m.NOTIFICATIONS, self._notifications)
        families.add(m.NOTIFICATIONS_REPEATED, self._repeated)
        for labels, count in sorted(self._pages.items()):
            families.add(m.PAGES, count, *labels)
        for names, delay in sorted(self._delays.items()):
            families.add(m.PAGE_DELAY, delay, *names)
        yield from families
