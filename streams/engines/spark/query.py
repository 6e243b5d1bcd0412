"""The streaming query: both input topics, a fold with state per partition, results to Kafka after each micro-batch."""

import logging
import threading
import time
from pathlib import Path
from typing import Final

import msgspec
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming import StreamingQuery

from streams.contract.results import Progress
from streams.contract.runinfo import RunInfo
from streams.engines.abstract import WorkerSettings
from streams.engines.shared.resultswriter import ResultsWriter
from streams.engines.shared.stopping import RunEnd
from streams.engines.spark.options import SparkOptions
from streams.engines.spark.processor import FoldProcessor
from streams.engines.spark.rows import SCHEMA, OutRow, from_row
from streams.errors import EngineError

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.1
RESTARTS: Final = 5
"""How often a query that makes no progress is started again: on a busy machine Spark gives its Python 10 s to start."""


def play(
    session: SparkSession,
    settings: WorkerSettings,
    checkpoint: Path | str,
    publisher: "Publisher",
    stop: threading.Event,
) -> None:
    """Run the query until the run has ended or ``stop`` is set; a failed one starts again from its checkpoint.

    Args:
        session: The Spark session.
        settings: The worker's settings.
        checkpoint: Folder of the checkpoint, which the executors reach as well.
        publisher: Gets the records of each micro-batch.
        stop: Set by a signal.

    Raises:
        StreamingQueryException: The query has failed several times without a micro-batch in between.
        EngineError: The query has ended before the run.
    """
    failures, batches = 0, 0
    while not _over(publisher, stop):
        try:
            counting = _start(session, settings, checkpoint, publisher)
            while not _over(publisher, stop):
                if counting.awaitTermination(POLL_SECONDS):
                    raise EngineError("spark: the query ended before the run was done")
        except StreamingQueryException as error:
            failures = failures + 1 if publisher.batches == batches else 1
            batches = publisher.batches
            if failures > RESTARTS or stop.is_set():
                raise
            log.warning("the query starts again: %s", str(error).splitlines()[0])


def _over(publisher: "Publisher", stop: threading.Event) -> bool:
    return publisher.end.reached or stop.is_set()


def _start(
    session: SparkSession, settings: WorkerSettings, checkpoint: Path | str, publisher: "Publisher"
) -> StreamingQuery:
    options, info = SparkOptions.of(settings.options), settings.info
    records = session.readStream.format("kafka").options(**options.source(info, settings.connection)).load()
    milliseconds = options.trigger_ms
    if milliseconds is None:
        milliseconds = round(settings.checkpoint_seconds * 1000)
    return (
        counted(records, info, settings.engine)
        .writeStream.foreachBatch(publisher)
        .outputMode("update")
        .option("checkpointLocation", str(checkpoint))
        .trigger(processingTime=f"{milliseconds} milliseconds")
        .start()
    )


def counted(records: DataFrame, info: RunInfo, engine: str) -> DataFrame:
    """Return the records to write (``OutRow``) for records of the input topics, folded with state by partition."""
    processor = FoldProcessor(msgspec.json.encode(info), engine)
    by_partition = records.select("topic", "partition", "offset", "value").groupBy("topic", "partition")
    return by_partition.transformWithStateInPandas(processor, SCHEMA, "Update", "None")


class Publisher:
    """Writes the records of each micro-batch, results before progress.

    Spark has then saved the batch's state, but not yet that the batch is done. After a crash in between it plays the
    same offsets on the same state again, which gives the same records with the same versions.

    Args:
        settings: The worker's settings.
        end: Is given all progress that was published.
    """

    def __init__(self, settings: WorkerSettings, end: RunEnd) -> None:
        self._writer, self.end = ResultsWriter(settings), end
        self.batches = 0
        """Number of micro-batches written."""
        self.first = self.last = 0.0
        """When the first and the last micro-batch came, by the monotonic clock."""

    def __call__(self, batch: DataFrame, _number: int) -> None:
        """Write one micro-batch; returns once the broker has acknowledged everything."""
        self.first = self.first or time.monotonic()
        out = [from_row(OutRow(*row)) for row in batch.collect()]
        self._writer.write(out)
        for one in out:
            if isinstance(one, Progress):
                self.end.put(one)
        self.batches += 1
        self.last = time.monotonic()
