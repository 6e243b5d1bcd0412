"""The alerts of the night in event time: the expressions of the rules over event-time series of one run and engine."""

import re
from collections.abc import Sequence
from typing import Final

from dashboards.queries import OF_ENGINE, at_night
from dashboards.rules import ALERTS, ENGINES, RECORDINGS, Alert
from streams.contract.names import PhaseName
from streams.metrics import definitions as m

_METRICS: Final = {metric.name: metric for metric in m.OF_THE_NIGHT}
_SELECTOR: Final = re.compile(r"\b(joinstorm_\w+)(?:\{([^}]*)\})?")


def of_the_night() -> list[Alert]:
    """Return the alerts that are about the night: those that are due in some phase of it."""
    return [alert for alert in ALERTS if alert.due]


def of_the_evening() -> list[Alert]:
    """Return the alerts of the night that are not about the thread of the day after."""
    return [alert for alert in of_the_night() if PhaseName.THREAD not in alert.due]


def firing(alerts: Sequence[Alert]) -> str:
    """Return a query for the alerts that fire at each moment, by ``alertname``."""
    return " or ".join(_named(alert, f"group by (engine) ({in_event_time(alert.expr)})") for alert in alerts)


def states(alerts: Sequence[Alert]) -> str:
    """Return a query for alerts at each moment, by ``alertname``: 1 where one fires, else 0."""
    silent = f"0 * group by (engine) ({at_night(m.WAITING, OF_ENGINE)})"
    return " or ".join([firing(alerts), *(_named(alert, silent) for alert in alerts)])


def _named(alert: Alert, expr: str) -> str:
    return f'label_replace({expr}, "alertname", "{alert.name}", "", "")'


def in_event_time(expr: str) -> str:
    """Return a rule's expression over event-time series of the boards' run and engine; recordings are written out."""
    for rule in RECORDINGS:
        expr = expr.replace(rule.name, f"({rule.expr})")
    return _SELECTOR.sub(_twin, expr)


def _twin(found: re.Match[str]) -> str:
    matchers = [one for one in (found[2] or "").split(",") if one and one != ENGINES]
    return at_night(_METRICS[found[1]], OF_ENGINE, *matchers)
