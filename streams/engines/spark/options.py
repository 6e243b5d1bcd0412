"""The options of the engine ``spark`` and the settings of Spark that follow from them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS
from streams.engines.shared.statefolder import OPTION as STATE_DIR
from streams.errors import UsageError
from streams.kafka.connection import Connection

MASTER: Final = "master"
"""Engine option: Spark's master URL; by default all cores of this machine."""
MEMORY: Final = "memory"
"""Engine option: heap of the driver, which does all the work unless there is a cluster."""
TRIGGER: Final = "trigger"
"""Engine option: the shortest time from one micro-batch to the next, such as ``500ms`` or ``2s``."""
BATCH: Final = "batch"
"""Engine option: the most records of one micro-batch."""
SUBMIT: Final = "submit"
"""Engine option: ``no`` if the job is submitted separately, with ``spark-submit``."""
SETTING: Final = "spark."
"""Prefix of engine options that are Spark settings, under Spark's own names."""

SHORT_NIGHT: Final = 5_000_000
"""With fewer events than this, Java's second compiler costs more than it saves: most of the work is done in Python."""
_OPTIONS: Final = (MASTER, MEMORY, TRIGGER, BATCH, SUBMIT, STATE_DIR)
_INTERVAL: Final = re.compile(r"(\d+)(ms|s)")
_SIZE: Final = re.compile(r"\d+[kmg]")
QUERY: Final[Mapping[str, str]] = {
    # A stateful task of every micro-batch per unit; fixed once a run has a checkpoint.
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    ),
    # A micro-batch saves the changes of its state, and a background thread the whole state now and then.
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.streaming.minBatchesToRetain": "10",
    "spark.sql.streaming.noDataMicroBatches.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
}
"""Settings of the query, also where the session is not ours."""
_DEFAULTS: Final[Mapping[str, str]] = {
    **QUERY,
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_AT_HOME: Final[Mapping[str, str]] = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.python.daemon.module": "streams.engines.spark.daemon",
}
"""Settings where the driver does all the work."""


@dataclass(frozen=True)
class SparkOptions:
    """The engine's options, checked.

    Args:
        master: Spark's master URL.
        memory: Heap of the driver.
        trigger_ms: Shortest time from one micro-batch to the next; None for the time between two checkpoints.
        batch: The most records of one micro-batch.
        submit: Whether the worker submits the job.
        settings: Settings of Spark by their names; they override ours.
    """

    master: str = "local[*]"
    memory: str = "1g"
    trigger_ms: int | None = None
    batch: int = 50_000
    submit: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Self:
        """Read the options of a worker.

        Raises:
            UsageError: An option is unknown or wrong; the text names it and what was expected.
        """
        settings = {name: value for name, value in options.items() if name.startswith(SETTING)}
        for name in options:
            if name not in settings and name not in _OPTIONS:
                raise UsageError(f"option {name!r}: expected one of {', '.join(_OPTIONS)} or {SETTING}NAME")
        return cls(
            master=options.get(MASTER, cls.master),
            memory=_matching(options, MEMORY, _SIZE, "a size such as 2g", cls.memory),
            trigger_ms=_milliseconds(options),
            batch=int(_matching(options, BATCH, re.compile("[1-9][0-9]*"), "a whole number above 0", str(cls.batch))),
            submit=_matching(options, SUBMIT, re.compile("yes|no"), "yes or no", "yes") == "yes",
            settings=settings,
        )

    @property
    def is_local(self) -> bool:
        """Whether the worker's own JVM does all the work."""
        return self.master.startswith("local")

    def session(self, info: RunInfo, jars: list[Path], scratch: Path) -> dict[str, str]:
        """Return the settings of the Spark session, by Spark's names.

        Args:
            info: The run.
            jars: The connector and what it needs, for the executors of a cluster.
            scratch: Folder for what need not outlive the worker.
        """
        return {
            **_DEFAULTS,
            **(_AT_HOME if self.is_local else {}),
            "spark.master": self.master,
            "spark.app.name": f"joinstorm {info.run}",
            "spark.driver.memory": self.memory,
            "spark.local.dir": str(scratch),
            **({} if self.is_local else {"spark.jars": ",".join(map(str, jars))}),
            **self.settings,
        }

    def java(self, info: RunInfo, scratch: Path) -> list[str]:
        """Return the flags of the driver's Java."""
        compiler = ["-XX:TieredStopAtLevel=1"] if info.events < SHORT_NIGHT else []
        return [f"-Xmx{self.memory}", "-XX:+UseSerialGC", *compiler, f"-Djava.io.tmpdir={scratch}"]

    def source(self, info: RunInfo, connection: Connection) -> dict[str, str]:
        """Return the options of the Kafka source: every partition of both input topics, from its first record."""
        partitions = list(range(info.partitions))
        return {
            "kafka.bootstrap.servers": connection.bootstrap_servers,
            "kafka.isolation.level": "read_committed",
            "assign": json.dumps({info.topics[base]: partitions for base in INPUTS}),
            "startingOffsets": "earliest",
            "failOnDataLoss": "true",
            "maxOffsetsPerTrigger": str(self.batch),
        }


def _matching(options: Mapping[str, str], name: str, pattern: re.Pattern[str], expected: str, default: str) -> str:
    value = options.get(name, default)
    if not pattern.fullmatch(value):
        raise UsageError(f"option {name}={value!r}: expected {expected}")
    return value


def _milliseconds(options: Mapping[str, str]) -> int | None:
    if TRIGGER not in options:
        return None
    text = _matching(options, TRIGGER, _INTERVAL, "a time such as 500ms or 2s", "")
    number, unit = text.removesuffix("ms"), 1
    if not text.endswith("ms"):
        number, unit = text.removesuffix("s"), 1000
    return int(number) * unit
