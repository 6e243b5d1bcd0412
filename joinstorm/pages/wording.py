"""A notification in words: a line for each of its alerts."""

from datetime import UTC, datetime

from joinstorm.pages.notifications import ALERTNAME, ReceivedNotification


def lines_of(one: ReceivedNotification) -> list[str]:
    """Return a line for each alert of a notification: when it arrived, what it is, and how late."""
    at = datetime.fromtimestamp(one.at / 1000, UTC)
    found = []
    for alert in one.notification.alerts:
        name = alert.labels.get(ALERTNAME, "without a name")
        others = ", ".join(f"{label}={value}" for label, value in sorted(alert.labels.items()) if label != ALERTNAME)
        delay = f"{max(0, one.at - alert.fired) / 1000:.1f} s after it fired" if alert.status == "firing" else "over"
        what = alert.annotations.get("summary", "")
        line = f"{at:%H:%M:%S} {alert.status} {name} ({others}), {delay}"
        found.append(f"{line}: {what}" if what else line)
    return found
