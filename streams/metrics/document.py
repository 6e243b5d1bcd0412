"""docs/metrics.md, generated from ``streams.metrics.definitions``: ``python -m streams.metrics.document``."""

import sys
from collections.abc import Iterable

from streams.metrics.definitions import (
    EVENT_TIME_METRICS,
    EXPORTER_METRICS,
    WORKER_METRICS,
)
from streams.metrics.labels import TOP_HASHTAGS
from streams.metrics.metric import EVENT_TIME, Metric
from streams.metrics.receiver import RECEIVER_METRICS

_SECTIONS = (
    (
        "The launch",
        (
            "audience",
            "waiting",
            "presence",
            "drop_ratio",
            "join_success",
            "distinct_listeners",
            "waited",
            "time_to",
            "exit",
            "client",
            "reason",
        ),
    ),
    ("Tweets and the announcement", ("tweets", "stance", "hashtag", "distinct_authors", "thread", "reaction")),
    ("The run and its replay", ("run", "phase", "night", "talk", "announcement", "capacity", "replay")),
    ("Engines", ("engine",)),
    ("The broker", ("broker",)),
    ("The exporter", ("exporter",)),
    ("Workers", ("worker",)),
    ("The receiver of pages", ("page", "notifications")),
)
_HEAD = f"""# Metrics

Generated from `streams/metrics/definitions.py` (`python -m streams.metrics.document`); a test fails if the two differ.

The exporter (`joinstorm export`, or inside `joinstorm run`) serves the first six groups. Every worker of the engine
`faust` serves the seventh, on its own port, and the receiver of pages (`joinstorm pages`, or inside `joinstorm
rehearse`) the last.

**Which run.** The exporter serves one run: the newest, or the one chosen by option. `joinstorm_run_info` names it. So
no label grows with the number of runs.

**As of when.** Values of the night are as of *event time*. An engine is shown as of its watermark, up to which it has
counted every event sent. The engine named `truth` knows the whole night from the start and is shown as of the replay.
An engine's error compares it with the truth as of the engine's watermark, so lag does not count as error.

**Rates.** Counters of the night grow with event time. `rate()` over them is per second of wall clock time, so it scales
with the replay's speed. Metrics named `…_last_minute…` are counts in the last 60 s of event time: per minute of the
night, at any speed.

**Absent values.** A ratio without a denominator is absent, not zero. Errors are absent until the whole truth has been
read; the reaction is absent until there are two hours of baseline before the announcement and a window after it.

**Labels.** `space`, `subject`, `kind`, `stance`, `phase`, `topic`, `reason`, `state` and `value` come from closed sets.
`engine` holds the engines that have written results, `hashtag` the {TOP_HASHTAGS} most used tags. `bound` is
`estimate`, `low` or `high`: an estimate and its 95 % interval.
"""
_EVENT_TIME = f"""
## Event-time series

With `--remote-write`, `joinstorm run` and `joinstorm export` also write the values of the night into a Prometheus with
event time as their timestamps, as `joinstorm backfill` does for a whole night ([grafana.md](grafana.md#event-time)).
Their names begin with `{EVENT_TIME}_`, their first label is `run`, and what they measure is what the metric without
`event_time_` does. No rule over scraped series reads them.

| metric | type | labels |
| --- | --- | --- |
"""
_COLUMNS = ("metric", "type", "unit", "labels", "meaning", "formula", "window")


def text() -> str:
    """Return the whole page."""
    metrics = (*EXPORTER_METRICS, *WORKER_METRICS, *RECEIVER_METRICS)
    return _HEAD + "".join(_section(title, prefixes, metrics) for title, prefixes in _SECTIONS) + _event_time()


def _event_time() -> str:
    rows = (
        f"| `{metric.name}` | {metric.type} | {', '.join(f'`{label}`' for label in metric.labels)} |\n"
        for metric in EVENT_TIME_METRICS
    )
    return _EVENT_TIME + "".join(rows)


def _section(title: str, prefixes: tuple[str, ...], metrics: Iterable[Metric]) -> str:
    rows = [_row(metric) for metric in metrics if metric.name.removeprefix("joinstorm_").startswith(prefixes)]
    head = f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}\n"
    return f"\n## {title}\n\n{head}" + "".join(rows)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    cells = (f"`{metric.name}`", metric.type, metric.unit, labels, metric.meaning, metric.formula, metric.window)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    sys.stdout.write(text())
