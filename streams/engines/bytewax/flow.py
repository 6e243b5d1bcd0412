"""The engine ``bytewax``: input from Kafka, state per source partition, results to Kafka.

Bytewax keeps state per key and snapshots it, together with the source's offsets, at the end of each epoch; after a
crash it resumes from the last complete epoch. The key is the source partition, because marks are in band and Bytewax
guarantees no order between keys. The resumed epoch's output is written twice; results are upserts with source offsets
as versions, so that is harmless.

By design it cannot change the number of workers while it runs (stop it and start it with another ``workers`` option),
or share its snapshots with a machine that cannot access their folder.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.inputs import StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from streams.contract.events import Mark, MarkKind
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS
from streams.engines.abstract import Summary, WorkerSettings
from streams.engines.shared.resultswriter import Out, ResultsWriter
from streams.engines.shared.simplefold import PartitionFold, decode
from streams.engines.shared.statefolder import forget, state_folder
from streams.engines.shared.stopping import stop_signals
from streams.errors import DecodeError, EngineError, UsageError

PUBLISH: Final = timedelta(milliseconds=250)
IDLE: Final = timedelta(milliseconds=20)
WORKERS: Final = "workers"
"""Engine option: worker threads of this process, 1 by default."""
Saved: TypeAlias = tuple[str, int, bytes]
"""Input topic by base name, partition, and the saved fold."""


def run(settings: WorkerSettings) -> Summary:
    """Work until every partition has ended or a signal asks to stop.

    Raises:
        UsageError: An option is invalid.
        EngineError: This would be a second worker, or the dataflow ended early.
    """
    if settings.worker:
        raise EngineError(f"{settings.engine}: only one process; set its worker threads with --option {WORKERS}=N")
    folder = state_folder(settings)
    snapshots = folder / "snapshots"
    if not snapshots.exists():
        fresh = folder / "fresh"
        fresh.mkdir(exist_ok=True)
        init_db_dir(fresh, 1)
        fresh.rename(snapshots)
    totals = CountTotals()
    with stop_signals() as stop:
        flow = dataflow(settings, totals, stop.is_set)
        cli_main(
            flow,
            workers_per_process=_workers(settings),
            epoch_interval=timedelta(seconds=settings.checkpoint_seconds),
            recovery_config=RecoveryConfig(snapshots),
        )
        stopped = stop.is_set()
    ended = len(totals.ended) == len(INPUTS) * settings.info.partitions
    if ended:
        forget(folder)
    elif not stopped:
        raise EngineError(f"{settings.engine}: the dataflow ended before the run was done")
    return totals.summary(ended=ended)


def _workers(settings: WorkerSettings) -> int:
    text = settings.options.get(WORKERS, "1")
    if not (text.isdigit() and int(text)):
        raise UsageError(f"option {WORKERS}={text!r}: expected a whole number, at least 1")
    return int(text)


def dataflow(settings: WorkerSettings, totals: "CountTotals", stopping: Callable[[], bool]) -> Dataflow:
    """Build the dataflow: both input topics, a fold per partition, the result topics."""
    flow = Dataflow("joinstorm")
    records = op.input("records", flow, EndingSource(settings, stopping))
    keyed = op.flat_map_batch("by_partition", records, _by_partition)

    folded = op.stateful_batch("fold", keyed, lambda saved: FoldLogic(settings, totals, saved))
    op.output("results", op.key_rm("out", folded), BytewaxResultSink(settings))
    return flow


def _by_partition(batch: list[KafkaSourceMessage]) -> Iterator[tuple[str, KafkaSourceMessage]]:
    return ((f"{message.topic}[{message.partition}]", message) for message in batch)


class CountTotals:
    """The totals of all workers of this process."""

    def __init__(self) -> None:
        self.ended: set[tuple[str, int]] = set()
        self.events = self.duplicates = self.dead_letters = 0
        self.first = self.last = 0.0

    def add(self, fold: PartitionFold, before: tuple[int, int, int]) -> None:
        """Add what a fold has counted since ``before``, its former events, duplicates and dead letters."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.events += fold.events - before[0]
        self.duplicates += fold.duplicates - before[1]
        self.dead_letters += fold.dead_letters - before[2]

    def summary(self, *, ended: bool) -> Summary:
        """Return the totals as a summary."""
        return Summary(
            ended=ended,
            events=self.events,
            duplicates=self.duplicates,
            dead_letters=self.dead_letters,
            seconds=self.last - self.first,
            cpu_seconds=time.process_time(),
        )


class EndingSource(KafkaSource):  # type: ignore[misc]  # typed only if Bytewax is installed
    """Both input topics; a partition ends after its end mark, and a stop ends all of them."""

    def __init__(self, settings: WorkerSettings, stopping: Callable[[], bool]) -> None:
        topics = [settings.info.topics[base] for base in INPUTS]
        config = {**settings.connection.for_librdkafka(), "fetch.wait.max.ms": "50"}
        super().__init__(settings.connection.servers(), topics, batch_size=2000, add_config=config)
        self._info, self._stopping = settings.info, stopping

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> "EndingPartition":
        """Build a partition that resumes from its snapshot."""
        offset, ended = resume_state or (None, False)
        inner = super().build_part(step_id, for_part, offset)
        return EndingPartition(inner, self._info, self._stopping, ended=ended)


class EndingPartition(StatefulSourcePartition):  # type: ignore[misc]  # typed only if Bytewax is installed
    """A Kafka partition that ends after its end mark; its snapshot is the next offset and whether it has ended."""

    def __init__(self, inner: Any, info: RunInfo, stopping: Callable[[], bool], *, ended: bool) -> None:
        self._inner, self._info, self._stopping, self._ended = inner, info, stopping, ended
        self._idle = False

    def next_batch(self) -> list[KafkaSourceMessage]:
        """Return the available records."""
        if self._ended or self._stopping():
            raise StopIteration
        batch: list[KafkaSourceMessage] = self._inner.next_batch()
        self._idle = not batch
        self._ended = any(_is_end(one, self._info) for one in batch)
        return batch

    def next_awake(self) -> datetime | None:
        """Return when to poll again: at once, or a little later if nothing was available."""
        return datetime.now(UTC) + IDLE if self._idle else None

    def snapshot(self) -> tuple[int, bool]:
        """Return the next offset and whether the partition has ended."""
        return self._inner.snapshot(), self._ended

    def close(self) -> None:
        """Close the consumer."""
        self._inner.close()


class FoldLogic(StatefulBatchLogic):  # type: ignore[misc]  # typed only if Bytewax is installed
    """A ``PartitionFold`` as Bytewax state: fed in batches, published on notification, saved as bytes."""

    def __init__(self, settings: WorkerSettings, totals: "CountTotals", saved: Saved | None) -> None:
        self._settings, self._totals = settings, totals
        self._fold: PartitionFold | None = None
        self._due: datetime | None = None
        if saved is not None:
            topic, partition, state = saved
            self._new(topic, partition).load(state)

    def _new(self, topic: str, partition: int) -> PartitionFold:
        self._fold = PartitionFold(self._settings.info, self._settings.engine, topic, partition)
        return self._fold

    def on_batch(self, values: list[KafkaSourceMessage]) -> tuple[Iterable[Out], bool]:
        """Fold records; the changes are published a moment later."""
        first = values[0]
        fold = self._fold or self._new(_base(self._settings.info, first.topic), first.partition)
        before = (fold.events, fold.duplicates, fold.dead_letters)
        errors = ((fold.step(one.value, one.offset), one.value) for one in values)
        dead_letters = [(error, value) for error, value in errors if error is not None]
        self._totals.add(fold, before)
        self._due = self._due or datetime.now(UTC) + PUBLISH
        return dead_letters, self.RETAIN

    def on_notify(self) -> tuple[Iterable[Out], bool]:
        """Publish the changes, then the progress."""
        self._due = None
        return self._fold.take() if self._fold else [], self.RETAIN

    def on_eof(self) -> tuple[Iterable[Out], bool]:
        """Publish the remaining changes."""
        if self._fold is not None and self._fold.ended:
            self._totals.ended.add((self._fold.topic, self._fold.partition))
        return self.on_notify()

    def notify_at(self) -> datetime | None:
        """Return when to publish."""
        return self._due

    def snapshot(self) -> Saved | None:
        """Return the state."""
        fold = self._fold
        return None if fold is None else (fold.topic, fold.partition, fold.save())


def _is_end(message: KafkaSourceMessage, info: RunInfo) -> bool:
    """Whether a record is this run's end mark, by the same rules as in the fold."""
    if b'"end"' not in (message.value or b""):
        return False
    try:
        event = decode(_base(info, message.topic), message.value, info)
    except DecodeError:
        return False
    return isinstance(event, Mark) and event.mark is MarkKind.END


def _base(info: RunInfo, topic: str) -> str:
    return next(base for base in INPUTS if info.topics[base] == topic)


class BytewaxResultSink(DynamicSink):  # type: ignore[misc]  # typed only if Bytewax is installed
    """Writes results, and progress once the results it covers are acknowledged."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings

    def build(self, step_id: str, worker_index: int, worker_count: int) -> "ResultPartition":  # noqa: ARG002 - Bytewax's
        """Build one worker's writer."""
        return ResultPartition(self._settings)


class ResultPartition(StatelessSinkPartition):  # type: ignore[misc]  # typed only if Bytewax is installed
    """One worker's writer."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._writer = ResultsWriter(settings)

    def write_batch(self, items: list[Out]) -> None:
        """Write the records; raises EngineError if not all are acknowledged within 30 s."""
        self._writer.write(items)
