"""The engine interface: an engine reads the input topics of one run and upserts results and progress.

Every engine must provide the following (docs/architecture.md has the records, the conformance suite checks it):

- **Input.** It reads every record of both input topics of ``settings.info`` from the first one, regardless of earlier
  reads.
- **Results.** It publishes the counts of every window and space or subject, by event time, under ``settings.engine``.
  The events of one person are in one partition in the order they were sent. No other order is guaranteed, and a late
  event corrects its window, however late it is.
- **Duplicates.** An event id counts once, regardless of how often and at which offsets it arrives.
- **Upserts.** A key may be written again with a greater version, but never with a greater version and an older state.
- **Dead letters.** Records that are not events of the run are written to ``dead-letters`` and counted; they never stop
  the engine.
- **Progress** is published after the results it covers. It has ``ended`` for a partition only when everything up to the
  end mark is in the results.
- **Restart.** A worker that is killed at any instant and restarted or replaced leads to the same final counts. How it
  keeps its state is up to the engine.
- **End.** ``run`` returns when the run's progress under this engine's name has ``ended`` for every partition. So each
  of several workers stays until all are done, and takes over from one that is lost.

Not required: an order among result records, a result for every input record, results of empty windows, running values
or ratios (readers compute those), exactly one record per key, any particular speed. Engines have no metrics of the
night; the exporter derives them from the results. A worker's own metrics are optional.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from streams.contract.runinfo import RunInfo
from streams.kafka.connection import Connection


@dataclass(frozen=True)
class WorkerSettings:
    """The settings of one worker.

    Args:
        connection: Where the brokers are.
        info: The run.
        engine: The engine name in result keys.
        worker: The worker's number, 0, 1, …; None if workers are not numbered. Two workers with the same number must
            not run at once: the second takes the first one's place in the consumer group.
        metrics_port: Port of the worker's /metrics; 0 for any free one, None for none.
        metrics_address: Address the worker's /metrics listens on.
        checkpoint_seconds: Shortest time between two checkpoints.
        options: Options of the particular engine, by name.
    """

    connection: Connection
    info: RunInfo
    engine: str
    worker: int | None = None
    metrics_port: int | None = None
    metrics_address: str = "127.0.0.1"
    checkpoint_seconds: float = 1.0
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """The outcome of one worker.

    Args:
        ended: Whether the run is done, as opposed to the worker having been stopped.
        events: Distinct events this worker counted.
        duplicates: Duplicates it received.
        dead_letters: Dead letters it wrote.
        seconds: Wall clock time from its first to its last record; 0 if it had none.
        cpu_seconds: Processor time of the whole process.
        stages: Seconds per stage, by name.
    """

    ended: bool
    events: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)


class Engine(ABC):
    """Base class of engines; the module's docstring is their contract."""

    name: ClassVar[str]
    """The engine's name on the command line and, by default, in result keys."""
    private: ClassVar[tuple[str, ...]] = ()
    """Base names of the run's topics that only this engine reads and writes."""

    def group(self, settings: WorkerSettings) -> str | None:  # noqa: ARG002 - for subclasses
        """Return the consumer group the engine joins, for the check of rights; None if that is not to be checked."""
        return None

    def require(self, options: Mapping[str, str]) -> None:  # noqa: B027 - most engines need nothing
        """Check, before anything is started, that the engine can run with these options.

        Raises:
            UsageError: An option is missing or wrong.
            NotInstalledError: Something it needs is missing; the text says how to get it.
        """

    @abstractmethod
    def run(self, settings: WorkerSettings) -> Summary:
        """Work until the run is done or a signal (SIGTERM, SIGINT, SIGHUP) asks to stop; then return within seconds.

        Called in the main thread of the worker's process.

        Raises:
            EngineError: The engine cannot continue; the text says why.
            BrokerError: No broker answers.
        """
