"""The metrics of the receiver of notifications, as data; see ``streams.metrics.definitions``."""

from streams.metrics.metric import Metric, counter, gauge

_SINCE_RECEIVER = "since the receiver's start"
PAGES = counter(
    "pages_received", "alerts", "alertname severity status",
    "Alerts that arrived at the receiver, by status: firing, and resolved. One that is sent again counts once.",
    "count of different alerts, by their labels and the time they fired", _SINCE_RECEIVER,
)  # fmt: skip
PAGE_DELAY = gauge(
    "page_delay_seconds", "seconds", "alertname severity",
    "Wall clock time from when Prometheus fired the alert until its page arrived.", "arrival - start of the alert",
    "the newest page of the alert",
)  # fmt: skip
NOTIFICATIONS = counter(
    "notifications_received", "notifications", "", "Notifications of Alertmanager; each has one or several alerts.",
    "count", _SINCE_RECEIVER,
)  # fmt: skip
NOTIFICATIONS_REPEATED = counter(
    "notifications_repeated", "notifications", "", "Notifications whose alerts had all arrived before.", "count",
    _SINCE_RECEIVER,
)  # fmt: skip
RECEIVER_METRICS: tuple[Metric, ...] = (PAGES, PAGE_DELAY, NOTIFICATIONS, NOTIFICATIONS_REPEATED)
"""The metrics of the receiver of notifications, in the order of definition."""
