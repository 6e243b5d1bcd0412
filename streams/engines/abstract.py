"""What an engine is: something that reads the input topics of one run and upserts results and progress.

What every engine owes (docs/architecture.md has the records, and the tests of conformance hold every engine to it):

- **Input.** Every record of both input topics of ``settings.info``, from the first one on, whatever was read before.
- **Results.** For every window and space or subject the counts, by event time, published under ``settings.engine``.
  Events of one person are in one partition in the order they were sent; no other order may be relied on, and a late
  event corrects the window it belongs to, however late.
- **Duplicates.** An event id counts once, however often and at however many offsets it arrives.
- **Upserts.** A key may be written again with a greater version; it must never be written with a greater version and
  an older state.
- **Foreign records** are put aside (``dead-letters``) and counted; they stop nothing.
- **Progress** is published after the results it speaks of, and says ``ended`` for a partition only when everything
  up to its end mark is in the results.
- **Restart.** A worker that was killed at any instant and started again, or replaced by another, leads to the same
  final counts. What it keeps in between is its own business.
- **End.** ``run`` returns when the run's progress under this engine's name covers every partition with ``ended``, so
  with several workers each stays until all are done, and takes over from one that is lost.

What an engine does *not* owe: an order among its result records, a result for every input record, results of windows
in which nothing happened, running values or ratios (readers make those), exactly one record per key, any speed.
Engines hold no metrics of the night: the exporter makes them of the results. A worker's own metrics are optional.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from streams.contract.runinfo import RunInfo
from streams.kafka.connection import Connection


@dataclass(frozen=True)
class WorkerSettings:
    """What one worker of an engine is told.

    Args:
        connection: Where the brokers are.
        info: The run.
        engine: The name its results are published under.
        worker: Its number among the workers of this engine, 0, 1, …; None where nobody counts them. Two workers with
            one number must not run at once: the second one takes the first one's place in the consumer group.
        metrics_port: Port of its /metrics, 0 for any free one, None for none.
        metrics_address: Address its /metrics listens on.
        checkpoint_seconds: How often an engine that keeps state in Kafka writes it there, at most.
        options: Settings of one engine alone, by name.
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
    """What a worker did.

    Args:
        ended: The run is done, rather than the worker told to stop.
        events: Distinct events this worker counted itself.
        duplicates: Events it met again.
        dead_letters: Records it put aside.
        seconds: Wall clock time from its first to its last record; 0 where it had none.
        cpu_seconds: Processor time of the whole process.
        stages: Seconds it spent per stage, by name.
    """

    ended: bool
    events: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)


class Engine(ABC):
    """A stream processor that can be held to the truth; the module's text is the contract."""

    name: ClassVar[str]
    """What it is called on the command line, and the name of its results unless another is given."""
    private: ClassVar[tuple[str, ...]] = ()
    """Base names of topics of the run that it reads and writes for itself."""

    def group(self, settings: WorkerSettings) -> str | None:  # noqa: ARG002 - engines say
        """Return the consumer group it joins; None where it has a way of its own, which nobody checks beforehand."""
        return None

    @abstractmethod
    def run(self, settings: WorkerSettings) -> Summary:
        """Work until the run is done or SIGTERM or SIGINT asks to stop, which is obeyed within seconds.

        Called in the main thread of a process of its own.

        Raises:
            EngineError: It cannot go on; the text says why.
            BrokerError: No broker answers.
        """
