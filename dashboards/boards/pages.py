"""Panels of what a receiver of notifications got: pages that arrived, how late, and what was repeated."""

from dashboards import palette
from dashboards import queries as q
from dashboards.panels import THIRD, GraphStyle, Panel, PanelQuery, PanelText, graph


def panels() -> tuple[Panel, ...]:
    """Return the panels, for a row of their own."""
    empty = "nothing to report: no page arrived, or there is no receiver (joinstorm pages)"
    received = PanelText(
        "Pages received",
        "Alerts that arrived at the receiver so far, by status: firing, then resolved. One sent again counts once.",
        "a step for each alert in **melting**, and one of the same height when it is over.",
        empty=empty,
    )
    delay = PanelText(
        "Delay of a page",
        "Wall clock time from when Prometheus fired an alert until its newest page arrived.",
        "under a second. As long as Alertmanager is away, pages wait.",
        empty=empty,
    )
    notifications = PanelText(
        "Notifications",
        "Notifications that arrived so far, and those whose alerts had all arrived before.",
        "no repetition, unless Alertmanager was killed: it sends again what it had not noted as sent.",
        empty="nothing to report: there is no receiver (joinstorm pages)",
    )
    colours = {"all": palette.AUDIENCE, "repeated": palette.BAD}
    return (
        graph(received, "short", PanelQuery(q.PAGES, "{{alertname}} {{status}}"), style=GraphStyle(), span=THIRD),
        graph(delay, "s", PanelQuery(q.PAGE_DELAY, "{{alertname}}"), style=GraphStyle(), span=THIRD),
        graph(
            notifications,
            "short",
            PanelQuery(q.NOTIFICATIONS, "all"),
            PanelQuery(q.NOTIFICATIONS_REPEATED, "repeated"),
            style=GraphStyle(colours),
            span=THIRD,
        ),
    )
