"""docs/metrics.md matches the code."""

from pathlib import Path

from streams.metrics.definitions import EXPORTER_METRICS, WORKER_METRICS
from streams.metrics.document import text

PAGE = Path(__file__).parents[4] / "docs" / "metrics.md"


def test_the_page_is_the_one_the_code_makes() -> None:
    """Whoever changes a metric makes the page again: python -m streams.metrics.document > docs/metrics.md."""
    assert PAGE.read_text() == text()


def test_every_metric_is_on_the_page_once() -> None:
    """No metric is missing, and none is in two groups."""
    made = text()
    for metric in (*EXPORTER_METRICS, *WORKER_METRICS):
        assert made.count(f"\n| `{metric.name}` |") == 1, metric.name
