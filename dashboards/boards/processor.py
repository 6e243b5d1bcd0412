"""The processor panels of *The pipeline*: engines as seen by the exporter, workers by their own metrics."""

from dashboards import palette
from dashboards import queries as q
from dashboards import thresholds as limits
from dashboards.panels import NO_WORKER, QUARTER, THIRD, GraphStyle, Panel, PanelQuery, PanelText, graph


def keeping_up() -> tuple[Panel, ...]:
    """Return the panels about keeping up."""
    return _counted(), _lag_seconds(), _lag_records(), _lag_of_partitions(), _by_worker(), _stages()


def losses() -> tuple[Panel, ...]:
    """Return the panels about dead letters, duplicates and takeovers."""
    return _dead_letters(), _reasons(), _duplicates(), _worker_duplicates(), _restored(), _published()


def checkpoints() -> tuple[Panel, ...]:
    """Return the panels about chunks, checkpoints and restarts."""
    return _chunks(), _checkpoints(), _bytes(), _uptime()


def _counted() -> Panel:
    text = PanelText(
        "Events counted per second",
        "Distinct events each engine counts, per second of wall clock time.",
        "the same curve as the events sent, a moment later.",
    )
    return graph(text, "cps", PanelQuery(q.COUNTED_PER_SECOND, "{{engine}}"), style=GraphStyle(), span=THIRD)


def _lag_seconds() -> Panel:
    text = PanelText(
        "Lag in wall-clock seconds",
        "How far each engine is behind the replay, divided by the replay's speed: the delay a viewer sees. The line is "
        "the threshold of the alert ProcessorBehind.",
        "a second or two in every phase; when a worker is killed, a step and a slope back to zero.",
    )
    style = GraphStyle(limit=(limits.LAG_SECONDS, palette.BAD), soft_top=1.2 * limits.LAG_SECONDS)
    return graph(text, "s", PanelQuery(q.LAG_WALL, "{{engine}}"), style=style, span=THIRD)


def _lag_records() -> Panel:
    text = PanelText(
        "Lag in records",
        "Records between the workers' positions and the ends of their partitions, by topic, over all workers.",
        "near zero; a rise in **melting** that comes down again. A partition without an owner is not included.",
        empty=NO_WORKER,
    )
    return graph(text, "short", PanelQuery(q.LAG_RECORDS, "{{engine}} {{topic}}"), style=GraphStyle(), span=THIRD)


def _lag_of_partitions() -> Panel:
    text = PanelText(
        "Slowest partition",
        "How far the slowest partition of each topic is behind the replay, in event time.",
        "similar values for both topics; a topic that falls behind has a worker that is stuck or overloaded.",
        empty=NO_WORKER,
    )
    return graph(text, "s", PanelQuery(q.LAG_OF_PARTITIONS, "{{engine}} {{topic}}"), style=GraphStyle(), span=THIRD)


def _by_worker() -> Panel:
    text = PanelText(
        "Events counted per second, by worker",
        "Distinct events each worker counts, per second of wall clock time.",
        "workers that share the load evenly; when a worker dies, its line ends and the others rise.",
        empty=NO_WORKER,
    )
    return graph(
        text, "cps", PanelQuery(q.COUNTED_BY_WORKER, "{{engine}} {{instance}}"), style=GraphStyle(), span=THIRD
    )


def _stages() -> Panel:
    text = PanelText(
        "Time by stage",
        "Seconds of work per second in each stage, over all workers: 1 is one processor core. Waiting is not included.",
        "*decode* and *fold* in proportion to the events, *checkpoint* far below them, *restore* only after a restart.",
        empty=NO_WORKER,
    )
    return graph(text, "short", PanelQuery(q.STAGES, "{{stage}}"), style=GraphStyle(stacked=True), span=THIRD)


def _dead_letters() -> Panel:
    text = PanelText(
        "Dead letters",
        "Records on the input topics that are no events of this run, so far; they are kept on the topic "
        "`dead-letters`.",
        "zero, or the number of injected faults.",
    )
    return graph(text, "short", PanelQuery(q.DEAD_LETTERS, "{{engine}}"), style=GraphStyle(), span=THIRD)


def _reasons() -> Panel:
    text = PanelText(
        "Dead letters by reason",
        "Dead letters by reason, as counted by the workers since they started.",
        "no series at all; *not_json* and *wrong_shape* mean records of other programs, *out_of_range* an id beyond "
        "the run's.",
        empty="nothing to report: no worker has seen a dead letter",
    )
    return graph(
        text, "short", PanelQuery(q.WORKER_DEAD_LETTERS, "{{engine}} {{reason}}"), style=GraphStyle(), span=THIRD
    )


def _duplicates() -> Panel:
    text = PanelText(
        "Duplicates",
        "Records of events that were already counted, so far.",
        "zero without faults; with injected duplicates it climbs while the errors stay zero.",
    )
    return graph(text, "short", PanelQuery(q.DUPLICATES, "{{engine}}"), style=GraphStyle(), span=THIRD)


def _worker_duplicates() -> Panel:
    text = PanelText(
        "Duplicates, by worker",
        "Duplicates as counted by each worker since it started.",
        "after a takeover, a step: events the previous worker had read and not yet checkpointed.",
        empty=NO_WORKER,
    )
    return graph(
        text, "short", PanelQuery(q.WORKER_DUPLICATES, "{{engine}} {{instance}}"), style=GraphStyle(), span=THIRD
    )


def _restored() -> Panel:
    text = PanelText(
        "Partitions taken over",
        "Partitions taken over by the workers since they started: from a checkpoint, or from the beginning.",
        "one step at the start; further steps are restarts or rebalances, and should be from a *checkpoint*.",
        empty=NO_WORKER,
    )
    return graph(text, "short", PanelQuery(q.RESTORED, "{{engine}} {{source}}"), style=GraphStyle(), span=THIRD)


def _published() -> Panel:
    text = PanelText(
        "Results published per second",
        "Result and progress records acknowledged by the broker, per second of wall clock time.",
        "a line that follows the number of open windows, not of events: flat through **melting**.",
        empty=NO_WORKER,
    )
    return graph(text, "wps", PanelQuery(q.PUBLISHED, "{{engine}}"), style=GraphStyle(), span=THIRD)


def _chunks() -> Panel:
    text = PanelText(
        "Events per chunk",
        "Events per chunk of records, by topic: the input of one step of the fast path.",
        "hundreds to thousands under load; small chunks mean an idle topic or a producer with small batches.",
        empty=NO_WORKER,
    )
    return graph(text, "short", PanelQuery(q.CHUNK_SIZE, "{{topic}}"), style=GraphStyle(), span=QUARTER)


def _checkpoints() -> Panel:
    text = PanelText(
        "Checkpoints per second",
        "Checkpoints written by the workers, by kind: the whole state, or the changes since the last one.",
        "about one per partition and second, mostly changes.",
        empty=NO_WORKER,
    )
    return graph(text, "ops", PanelQuery(q.CHECKPOINTS, "{{kind}}"), style=GraphStyle(), span=QUARTER)


def _bytes() -> Panel:
    text = PanelText(
        "Checkpoint bytes per second",
        "Bytes of the checkpoints written by the workers.",
        "a line that grows with the crowd, not with the events; its peaks are whole states.",
        empty=NO_WORKER,
    )
    return graph(text, "Bps", PanelQuery(q.CHECKPOINT_BYTES, "{{engine}}"), style=GraphStyle(), span=QUARTER)


def _uptime() -> Panel:
    text = PanelText(
        "Worker uptime",
        "Time since each worker started (wall clock).",
        "parallel climbing lines. A line that drops to zero is a restart; a line that ends is a lost worker.",
        empty=NO_WORKER,
    )
    return graph(text, "s", PanelQuery(q.WORKER_AGE, "{{engine}} {{instance}}"), style=GraphStyle(), span=QUARTER)
