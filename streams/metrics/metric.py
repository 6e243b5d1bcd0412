"""What a metric is: name, type, unit, labels, meaning, formula and window."""

from dataclasses import dataclass, replace
from typing import Literal

NAMESPACE = "joinstorm"
EVENT_TIME = f"{NAMESPACE}_event_time"
"""How the names of event-time series begin."""

AS_OF = "the night up to the engine's watermark"
LAST_MINUTE = "the last 60 s of event time before the watermark"
NOW = "now"


@dataclass(frozen=True)
class Metric:
    """One metric family.

    Args:
        name: Name in PromQL, suffixes included.
        type: Prometheus type.
        unit: Unit of the value: seconds, ratio, listeners …
        labels: Label names, in order.
        meaning: What it measures, as a sentence.
        formula: How the value is computed, in the terms of docs/architecture.md.
        window: The time the value covers.
    """

    name: str
    type: Literal["gauge", "counter", "histogram"]
    unit: str
    labels: tuple[str, ...]
    meaning: str
    formula: str
    window: str

    @property
    def help(self) -> str:
        """The HELP text."""
        return f"{self.meaning} Formula: {self.formula}. Window: {self.window}."


def gauge(name: str, unit: str, labels: str, meaning: str, formula: str, window: str) -> Metric:
    """Return a gauge; ``labels`` are separated by spaces."""
    return Metric(f"{NAMESPACE}_{name}", "gauge", unit, tuple(labels.split()), meaning, formula, window)


def counter(name: str, unit: str, labels: str, meaning: str, formula: str, window: str) -> Metric:
    """Return a counter; ``labels`` are separated by spaces."""
    return Metric(f"{NAMESPACE}_{name}_total", "counter", unit, tuple(labels.split()), meaning, formula, window)


def at_event_time(metric: Metric) -> Metric:
    """Return the event-time twin of a metric: its samples carry event time, and the label ``run`` says of which run."""
    labels = metric.labels if "run" in metric.labels else ("run", *metric.labels)
    return replace(metric, name=metric.name.replace(NAMESPACE, EVENT_TIME, 1), labels=labels)
