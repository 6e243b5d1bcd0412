"""The streaming query: both input topics, a fold with state per partition, results to Kafka after each micro-batch."""

import time
from pathlib import Path

import msgspec
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming import StreamingQuery

from streams.contract.results import Progress
from streams.engines.abstract import WorkerSettings
from streams.engines.shared.resultswriter import ResultsWriter
from streams.engines.shared.stopping import RunEnd
from streams.engines.spark.options import SparkOptions
from streams.engines.spark.processor import FoldProcessor
from streams.engines.spark.rows import SCHEMA, OutRow, from_row


def start(
    session: SparkSession, settings: WorkerSettings, checkpoint: Path | str, publisher: "Publisher"
) -> StreamingQuery:
    """Start the query from its checkpoint, or from the first records, and return Spark's handle of it.

    Args:
        session: The Spark session.
        settings: The worker's settings.
        checkpoint: Folder of the checkpoint, which the executors reach as well.
        publisher: Gets the records of each micro-batch.
    """
    options, info = SparkOptions.of(settings.options), settings.info
    records = session.readStream.format("kafka").options(**options.source(info, settings.connection)).load()
    folded = (
        records.select("topic", "partition", "offset", "value")
        .groupBy("topic", "partition")
        .transformWithStateInPandas(FoldProcessor(msgspec.json.encode(info), settings.engine), SCHEMA, "Update", "None")
    )
    milliseconds = options.trigger_ms
    if milliseconds is None:
        milliseconds = round(settings.checkpoint_seconds * 1000)
    return (
        folded.writeStream.foreachBatch(publisher)
        .outputMode("update")
        .option("checkpointLocation", str(checkpoint))
        .trigger(processingTime=f"{milliseconds} milliseconds")
        .start()
    )


class Publisher:
    """Writes the records of each micro-batch, results before progress.

    Spark has then saved the batch's state, but not yet that the batch is done. After a crash in between it plays the
    same offsets on the same state again, which gives the same records with the same versions.

    Args:
        settings: The worker's settings.
        end: Is given all progress that was published.
    """

    def __init__(self, settings: WorkerSettings, end: RunEnd) -> None:
        self._writer, self._end = ResultsWriter(settings), end
        self.first = self.last = 0.0
        """When the first and the last micro-batch came, by the monotonic clock."""

    def __call__(self, batch: DataFrame, _number: int) -> None:
        """Write one micro-batch; returns once the broker has acknowledged everything."""
        self.first = self.first or time.monotonic()
        out = [from_row(OutRow(*row)) for row in batch.collect()]
        self._writer.write(out)
        for one in out:
            if isinstance(one, Progress):
                self._end.put(one)
        self.last = time.monotonic()
