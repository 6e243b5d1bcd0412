"""The alerts of the night in event time: the expressions of the rules over event-time series of one run and engine."""

import re
from typing import Final

from dashboards.queries import OF_ENGINE, at_night
from dashboards.rules import ALERTS, ENGINES, RECORDINGS, Alert
from streams.metrics.definitions import OF_THE_NIGHT

_METRICS: Final = {metric.name: metric for metric in OF_THE_NIGHT}
_SELECTOR: Final = re.compile(r"\b(joinstorm_\w+)(?:\{([^}]*)\})?")


def of_the_night() -> list[Alert]:
    """Return the alerts that are about the night: those that are due in some phase of it."""
    return [alert for alert in ALERTS if alert.due]


def firing() -> str:
    """Return a query for the alerts that fire at each moment, by ``alertname``."""
    return " or ".join(
        f'label_replace(group by (engine) ({in_event_time(alert.expr)}), "alertname", "{alert.name}", "", "")'
        for alert in of_the_night()
    )


def in_event_time(expr: str) -> str:
    """Return a rule's expression over event-time series of the boards' run and engine; recordings are written out."""
    for rule in RECORDINGS:
        expr = expr.replace(rule.name, f"({rule.expr})")
    return _SELECTOR.sub(_twin, expr)


def _twin(found: re.Match[str]) -> str:
    matchers = [one for one in (found[2] or "").split(",") if one and one != ENGINES]
    return at_night(_METRICS[found[1]], OF_ENGINE, *matchers)
