"""A Spark session in a JVM of the worker."""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from pyspark import SparkConf, SparkContext
from pyspark.accumulators import AccumulatorTCPServer
from pyspark.sql import SparkSession

import streams
from streams.contract.runinfo import RunInfo
from streams.engines.environments import JARS, environment
from streams.engines.spark.jvm import END_SECONDS, command, gateway
from streams.engines.spark.options import SparkOptions
from streams.errors import EngineError

CONNECTOR: Final = "spark-sql-kafka-*.jar"
LOG: Final = "spark.log"
"""What Spark prints, in the state folder."""
ARCHIVE: Final = "spark.jsa"
MAKING_SECONDS: Final = 600.0


def archive() -> Path:
    """Return the place of the archive of classes (see ``archive``)."""
    return _home() / ARCHIVE


@contextlib.contextmanager
def session_of(
    options: SparkOptions,
    info: RunInfo,
    folder: Path,
    turn: IO[str],
    stop: threading.Event,
    making: Path | None = None,
) -> Iterator[SparkSession]:
    """Run Spark inside the block; it ends with it, and is killed as soon as ``stop`` is set.

    It needs no clean end: whatever a micro-batch has not finished is played again from the checkpoint.

    Args:
        options: The worker's options.
        info: The run.
        folder: The state folder.
        turn: The locked file of the worker whose turn it is; a successor also waits for the JVM of a killed worker.
        stop: Set by a signal.
        making: An archive of classes to make at the end; if not given, the one there is is used.

    Raises:
        EngineError: Spark does not start.
        Stopped: ``stop`` was set before Spark had started.
    """
    scratch, jars = folder / "scratch", _jars()
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    given = options.session(info, jars, scratch)
    start = command([*options.java(info, scratch), *_archived(making)], jars, given)
    end_seconds = END_SECONDS if making is None else MAKING_SECONDS
    with (folder / LOG).open("ab") as log, gateway(start, log, turn, stop, end_seconds) as jvm:
        conf = SparkConf(loadDefaults=False).setAll(list(given.items()))
        AccumulatorTCPServer.handle_error = _ignored
        session = SparkSession(SparkContext(conf=conf, gateway=jvm))
        if not options.is_local:
            session.sparkContext.addPyFile(_packed(scratch))
        yield session
        session.stop()


def _ignored(_server: object, _request: object, _address: object) -> None:
    """Ignore that the JVM has closed its connection, which PySpark's server would print as a traceback."""


def _packed(folder: Path) -> str:
    """Pack the package ``streams``, for the executors of a cluster."""
    package = Path(streams.__file__).parent
    return shutil.make_archive(str(folder / package.name), "zip", package.parent, package.name)


def _archived(making: Path | None) -> list[str]:
    if making is not None:
        return [f"-XX:ArchiveClassesAtExit={making}"]
    return [f"-XX:SharedArchiveFile={archive()}"] if archive().exists() else []


def _home() -> Path:
    return Path(os.environ.get("JOINSTORM_ENGINE_FOLDER", environment("spark", os.environ)))


def _jars() -> list[Path]:
    jars = _home() / JARS
    if not list(jars.glob(CONNECTOR)):
        raise EngineError(f"no {CONNECTOR} in {jars}: joinstorm engines install spark")
    return sorted(jars.glob("*.jar"))
