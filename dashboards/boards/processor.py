"""The processor's part of *The pipeline*: engines as the exporter sees them, workers as they see themselves."""

from dashboards import palette
from dashboards import queries as q
from dashboards import thresholds as limits
from dashboards.panels import QUARTER, THIRD, GraphStyle, Panel, PanelQuery, PanelText, graph


def keeping_up() -> tuple[Panel, ...]:
    """Return the panels that say whether the processor keeps up."""
    return _counted(), _lag_seconds(), _lag_records(), _lag_of_partitions(), _by_worker(), _stages()


def losing() -> tuple[Panel, ...]:
    """Return the panels that say what was put aside, met twice or taken over."""
    return _put_aside(), _why(), _duplicates(), _worker_duplicates(), _restored(), _published()


def checkpoints() -> tuple[Panel, ...]:
    """Return the panels about chunks, checkpoints and restarts."""
    return _chunks(), _checkpoints(), _bytes(), _age()


def _counted() -> Panel:
    text = PanelText(
        "Events counted a second",
        "Distinct events each engine counts, per second of wall clock time.",
        "the same curve as the events sent, a moment later.",
    )
    return graph(text, "cps", PanelQuery(q.COUNTED_PER_SECOND, "{{engine}}"), style=GraphStyle(), span=THIRD)


def _lag_seconds() -> Panel:
    text = PanelText(
        "Lag in seconds to wait",
        "How far each engine is behind the replay, divided by the replay's speed: how long a viewer waits for what "
        "has just happened. The line is where the alert ProcessorBehind begins.",
        "a second or two in every phase; a step when a worker is killed, then a slope back to zero.",
    )
    style = GraphStyle(limit=(limits.LAG_SECONDS, palette.BAD))
    return graph(text, "s", PanelQuery(q.LAG_WALL, "{{engine}}"), style=style, span=THIRD)


def _lag_records() -> Panel:
    text = PanelText(
        "Lag in records",
        "Records between the workers and the ends of their partitions, by topic, over all workers.",
        "near zero; **melting** lifts it, and it must come down again. While a partition has no owner it is missing "
        "here.",
    )
    return graph(text, "short", PanelQuery(q.LAG_RECORDS, "{{engine}} {{topic}}"), style=GraphStyle(), span=THIRD)


def _lag_of_partitions() -> Panel:
    text = PanelText(
        "Slowest partition",
        "How far the slowest partition of each topic is behind the replay, in event time.",
        "both topics alike; one that stays behind has a worker that is stuck or overloaded.",
    )
    return graph(text, "s", PanelQuery(q.LAG_OF_PARTITIONS, "{{engine}} {{topic}}"), style=GraphStyle(), span=THIRD)


def _by_worker() -> Panel:
    text = PanelText(
        "Events counted a second, by worker",
        "Distinct events each worker counts itself, per second of wall clock time.",
        "workers that share the load evenly; one line ends and the others rise when a worker dies.",
    )
    return graph(
        text, "cps", PanelQuery(q.COUNTED_BY_WORKER, "{{engine}} {{instance}}"), style=GraphStyle(), span=THIRD
    )


def _stages() -> Panel:
    text = PanelText(
        "Where the time goes",
        "Seconds of work per second in each stage, all workers together: 1 is one processor core. Waiting is not in "
        "it.",
        "decode and fold in proportion to the events; checkpoint far below them; restore only after a restart.",
    )
    return graph(text, "short", PanelQuery(q.STAGES, "{{stage}}"), style=GraphStyle(stacked=True), span=THIRD)


def _put_aside() -> Panel:
    text = PanelText(
        "Records put aside",
        "Records on the input topics that are no events of this run, so far; they are kept on the topic dead-letters.",
        "zero, unless faults were injected; then as many as were injected.",
    )
    return graph(text, "short", PanelQuery(q.DEAD_LETTERS, "{{engine}}"), style=GraphStyle(), span=THIRD)


def _why() -> Panel:
    text = PanelText(
        "Why they were put aside",
        "The same by reason, as the workers count them since they started.",
        "nothing; *not_json* and *wrong_shape* are other programs' records, *out_of_range* an id beyond the run's.",
    )
    return graph(text, "short", PanelQuery(q.WORKER_PUT_ASIDE, "{{engine}} {{reason}}"), style=GraphStyle(), span=THIRD)


def _duplicates() -> Panel:
    text = PanelText(
        "Duplicates met",
        "Events an engine met again and did not count again, so far.",
        "zero on a clean night; with injected duplicates it climbs and the errors stay zero.",
    )
    return graph(text, "short", PanelQuery(q.DUPLICATES, "{{engine}}"), style=GraphStyle(), span=THIRD)


def _worker_duplicates() -> Panel:
    text = PanelText(
        "Duplicates met, by worker",
        "The same as each worker counts them since it started.",
        "a step after a takeover is what the worker before had read and not yet checkpointed.",
    )
    return graph(
        text, "short", PanelQuery(q.WORKER_DUPLICATES, "{{engine}} {{instance}}"), style=GraphStyle(), span=THIRD
    )


def _restored() -> Panel:
    text = PanelText(
        "Partitions taken over",
        "Partitions the workers took over since they started: from a checkpoint, or from the beginning.",
        "one step at the start; every further one is a restart or a rebalance, and should say *checkpoint*.",
    )
    return graph(text, "short", PanelQuery(q.RESTORED, "{{engine}} {{source}}"), style=GraphStyle(), span=THIRD)


def _published() -> Panel:
    text = PanelText(
        "Results published a second",
        "Result and progress records the broker acknowledged, per second of wall clock time.",
        "it follows the number of open windows, not the number of events: flat through **melting**.",
    )
    return graph(text, "wps", PanelQuery(q.PUBLISHED, "{{engine}}"), style=GraphStyle(), span=THIRD)


def _chunks() -> Panel:
    text = PanelText(
        "Events in a chunk",
        "Events per chunk of records taken in, by topic: what one step of the fast path works on.",
        "hundreds to thousands under load; small chunks mean an idle topic, or a producer that sends small batches.",
    )
    return graph(text, "short", PanelQuery(q.CHUNK_SIZE, "{{topic}}"), style=GraphStyle(), span=QUARTER)


def _checkpoints() -> Panel:
    text = PanelText(
        "Checkpoints a second",
        "Checkpoints the workers write, by kind: a whole state, or the changes since.",
        "about one per partition and second, mostly changes.",
    )
    return graph(text, "ops", PanelQuery(q.CHECKPOINTS, "{{kind}}"), style=GraphStyle(), span=QUARTER)


def _bytes() -> Panel:
    text = PanelText(
        "Checkpoint bytes a second",
        "Bytes of the checkpoints the workers write.",
        "it grows with the crowd, not with the events; peaks are whole states.",
    )
    return graph(text, "Bps", PanelQuery(q.CHECKPOINT_BYTES, "{{engine}}"), style=GraphStyle(), span=QUARTER)


def _age() -> Panel:
    text = PanelText(
        "Age of the workers",
        "How long each worker has been running (wall clock).",
        "lines that climb side by side. One that starts again at zero is a restart; one that ends is a worker gone.",
    )
    return graph(text, "s", PanelQuery(q.WORKER_AGE, "{{engine}} {{instance}}"), style=GraphStyle(), span=QUARTER)
