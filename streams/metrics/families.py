"""Metric families for the definitions of ``streams.metrics.definitions``, in the same order."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family

from streams.metrics.metric import Metric


class Families:
    """Collects samples of known metrics.

    Args:
        metrics: The metrics that may get samples; each becomes a family even without one.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._families = {metric.name: _family(metric) for metric in metrics}

    def add(self, metric: Metric, value: float | None, *labels: str, at: float | None = None) -> None:
        """Add one sample; a value of None adds nothing.

        Args:
            metric: One of the metrics given at construction.
            value: Value in the metric's unit.
            labels: Label values, in the order of the metric's labels.
            at: Time of the sample in seconds since the epoch; the time of the scrape if not given.

        Raises:
            ValueError: The number of labels differs from the metric's.
        """
        if value is None:
            return
        self._families[metric.name].add_sample(
            metric.name, dict(zip(metric.labels, labels, strict=True)), float(value), timestamp=at
        )

    def __iter__(self) -> Iterator[Family]:
        """Yield the families in the order of definition."""
        yield from self._families.values()


def _family(metric: Metric) -> Family:
    kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
    return kind(metric.name.removesuffix("_total"), metric.help, labels=metric.labels)
