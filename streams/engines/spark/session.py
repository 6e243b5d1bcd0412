"""A Spark session in a JVM of the worker."""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from streams.engines.abstract import WorkerSettings
from streams.engines.environments import JARS, environment
from streams.engines.spark.jvm import gateway
from streams.engines.spark.options import SparkOptions
from streams.errors import EngineError

CONNECTOR: Final = "spark-sql-kafka-*.jar"
LOG: Final = "spark.log"
"""What Spark prints, in the state folder."""


@contextlib.contextmanager
def running(settings: WorkerSettings, folder: Path, turn: IO[str], stop: threading.Event) -> Iterator[SparkSession]:
    """Run Spark inside the block; it ends with it, and is killed as soon as ``stop`` is set.

    It needs no clean end: whatever a micro-batch has not finished is played again from the checkpoint.

    Args:
        settings: The worker's settings.
        folder: The state folder.
        turn: The locked file of the worker whose turn it is; a successor also waits for the JVM of a killed worker.
        stop: Set by a signal.

    Raises:
        EngineError: Spark does not start.
        Stopped: ``stop`` was set before Spark had started.
    """
    options, scratch = SparkOptions.of(settings.options), folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    given = options.session(settings.info, settings.engine, _jars(), scratch)
    with (folder / LOG).open("ab") as log, gateway(options.java(settings.info, scratch), given, log, turn, stop) as jvm:
        conf = SparkConf(loadDefaults=False).setAll(list(given.items()))
        session = SparkSession(SparkContext(conf=conf, gateway=jvm))
        yield session
        session.stop()


def _jars() -> list[Path]:
    jars = Path(os.environ.get("JOINSTORM_ENGINE_FOLDER", environment("spark", os.environ))) / JARS
    if not list(jars.glob(CONNECTOR)):
        raise EngineError(f"no {CONNECTOR} in {jars}: joinstorm engines install spark")
    return sorted(jars.glob("*.jar"))
