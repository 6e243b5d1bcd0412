"""A real Kafka without Docker: one KRaft node in a Java process that never outlives the run."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka.errors import KafkaError

from joinstorm.embedded import settings as properties
from joinstorm.embedded.freshports import start_on_fresh_ports
from joinstorm.embedded.kafkahome import find_java, jar_folder, java_environ, kafka_jars
from joinstorm.embedded.settings import Member, alone
from joinstorm.embedded.sharedclasses import SharedClasses
from joinstorm.embedded.storage import Ids, Storage, new_id
from streams.errors import BrokerError, EnvironmentMissingError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.system.cache import cache_folder
from streams.system.children import die_with_parent, end_processes, held_signals
from streams.system.ports import free_ports
from streams.system.scratch import scratch

READY_SECONDS = 120.0
"""Usually two or three seconds; a busy machine takes longer."""
STOP_SECONDS = 10.0
TAIL_LINES = 20
LAST_ERRORS = 2
HEAP = "-Xmx768m"
QUICK = "-XX:TieredStopAtLevel=1"
"""In a process that lives for a minute, further optimization costs more time than it saves (docs/performance.md)."""


class EmbeddedBroker:
    """Context manager: inside, ``connection`` reaches an embedded Kafka; afterwards, it and its data are gone.

    ``start``, ``stop``, ``kill`` and ``restart`` simulate failures of the broker; address and data stay.

    Args:
        environ: Where JAVA_HOME, PATH and JOINSTORM_CACHE_DIR are looked up; by default the process's environment.
        parent: Folder for the data folder; by default the system's temporary folder.
        settings: Further lines of Kafka's properties file, which override ours; ``{port}``, ``{controller}`` and
            ``{extra}`` are free ports.
        member: Its place in a cluster, and the id of that; by default it is a cluster of its own.
        heap: Java's option for the size of its heap.

    Raises:
        EnvironmentMissingError: Java is missing, the jars cannot be fetched, or Kafka does not start; the text ends
            with the last lines of its log.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        parent: Path | None = None,
        *,
        settings: str = "",
        member: tuple[Member, str] | None = None,
        heap: str = HEAP,
    ) -> None:
        self.environ = os.environ if environ is None else environ
        self.settings = settings
        self.parent = parent
        self.given = member
        self.heap = heap
        self.process: subprocess.Popen[bytes] | None = None
        self.member = alone((0, 0, 0))
        self._folder: Path | None = None
        self._java = Path()
        self._jars: list[Path] = []
        self._classes: SharedClasses | None = None
        self._owned = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.prepare()
        start_on_fresh_ports(self._first_start, self.port_was_taken, self.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None:
            self.share_classes()

    def share_classes(self) -> None:
        """Begin to make the archive of Kafka's classes for later brokers, if there is none."""
        if self._classes is not None:
            self._classes.make()

    @property
    def connection(self) -> Connection:
        """The broker's address; a restart does not change it."""
        return Connection(f"127.0.0.1:{self.member.advertised}")

    @property
    def inside(self) -> Connection:
        """The address for the program that started it: no proxy is in between."""
        return Connection(f"127.0.0.1:{self.member.inside}")

    @property
    def extra_port(self) -> int:
        """A free port for ``settings``."""
        return self.member.extra

    @property
    def folder(self) -> Path:
        """The folder of its settings, log (``kafka.log``) and data."""
        if self._folder is None:
            raise EnvironmentMissingError("the embedded Kafka was not started")
        return self._folder

    @property
    def pid(self) -> int | None:
        """Process id of the Java process; None while it is stopped."""
        return None if self.process is None else self.process.pid

    def alive(self) -> bool:
        """Whether its process is running."""
        return self.process is not None and self.process.poll() is None

    def prepare(self) -> None:
        """Find Java and the jars."""
        self._java = find_java(self.environ).absolute()
        self._jars = kafka_jars(self.environ)
        if not self._splits():  # Java takes a colon in the archive's name for the start of a second one
            self._classes = SharedClasses(self._java, self._jars, cache_folder(self.environ).absolute())

    def fill_folder(self) -> None:
        """Make its folder: settings, jars, formatted data."""
        self._folder = self._owned.enter_context(scratch("kafka", self.parent))
        self.member, cluster = self.given or (alone(free_ports(3)), new_id())
        template = properties.SETTINGS + self.settings
        (self.folder / "server.properties").write_text(self.member.properties(template), encoding="utf-8")
        (self.folder / "jars").symlink_to(jar_folder(self.environ), target_is_directory=True)
        ids = Ids(self.member.node, cluster)
        Storage(template, cache_folder(self.environ)).prepare(self.folder / "data", ids, lambda: self._format(cluster))

    def start(self) -> None:
        """Start it on its data, and wait until an admin client lists the broker."""
        if not self.alive():
            self.launch()
            self.await_ready()

    def launch(self) -> None:
        """Start its process, if it does not run."""
        if self.alive():
            return
        with (self.folder / "kafka.log").open("ab") as log, held_signals():
            self.process = subprocess.Popen(
                self._command(
                    "kafka.Kafka", self.heap, "-Xms256m", "-XX:+UseSerialGC", QUICK, *self._classes_options()
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.folder,
                env=java_environ(),
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
            )

    def await_ready(self) -> None:
        """Wait until an admin client lists the broker.

        Raises:
            EnvironmentMissingError: It ended, or takes too long.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if not self.alive():
                break
            if self.is_listed():
                return
            time.sleep(0.02)
        state = "was not ready" if self.alive() else "ended"
        raise EnvironmentMissingError(
            f"the embedded Kafka {state} within {READY_SECONDS:.0f} s of its start; the end of its log:\n{self.tail()}"
        )

    def stop(self) -> None:
        """Shut it down cleanly with SIGTERM, or with SIGKILL when that takes too long."""
        if self.process is not None:
            end_processes(self.process, seconds=STOP_SECONDS)
            self.process = None

    def kill(self) -> None:
        """End it at once with SIGKILL, like a crash."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        """Stop it if it is running, and start it again on the same address and data."""
        self.stop()
        self.start()

    def tail(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(self._log().splitlines()[-TAIL_LINES:])

    def port_was_taken(self) -> bool:
        """Whether another process had one of its ports; the log ends with how it shut down, long after it says so."""
        return "Address already in use" in self._log()

    def _log(self) -> str:
        if self._folder is None:
            return ""
        log = self.folder / "kafka.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def check(self) -> None:
        """Raise EnvironmentMissingError if it has ended by itself; the text has what its log says last about errors."""
        if self.process is None or self.alive():
            return
        log = self.folder / "kafka.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        found = [line.strip() for line in lines if " ERROR " in line or " FATAL " in line or "Exception: " in line]
        reason = "; ".join(found[-LAST_ERRORS:]) or "its log has no error"
        raise EnvironmentMissingError(f"the embedded Kafka ended by itself: {reason}")

    def close(self) -> None:
        """End it and remove its data; a second call does nothing."""
        if self._folder is None:
            return
        self.kill()
        self._owned.close()
        self._folder = None

    def _first_start(self) -> None:
        self.fill_folder()
        self.start()

    def _format(self, cluster: str) -> None:
        """Have Kafka's own tool format the data folder."""
        command = self._command("kafka.tools.StorageTool", QUICK)
        with held_signals():
            process = subprocess.Popen(
                [*command[:-1], "format", f"--cluster-id={cluster}", "--config", command[-1]],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
                cwd=self.folder, env=java_environ(), preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
            )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=READY_SECONDS)
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode:
            raise EnvironmentMissingError(f"the embedded Kafka cannot format its storage:\n{output}")

    def _classes_options(self) -> list[str]:
        return [] if self._classes is None else self._classes.options()

    def _splits(self) -> bool:
        """Whether Java would split the paths of the jars."""
        return os.pathsep in str(jar_folder(self.environ))

    def _command(self, main: str, *options: str) -> list[str]:
        """Return the command of a Java process in the broker's folder.

        Its paths are relative to it where Kafka or Java would split them: ``log.dirs`` at commas, a class path at
        colons; and a properties file takes a backslash for an escape.
        """
        home = Path("jars") if self._splits() else jar_folder(self.environ)
        classpath = os.pathsep.join(str(home / jar.relative_to(jar_folder(self.environ))) for jar in self._jars)
        return [
            str(self._java), *options,
            "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp", classpath, main, "server.properties",
        ]  # fmt: skip

    def is_listed(self) -> bool:
        """Whether the cluster has this broker and it answers."""
        try:
            socket.create_connection(("127.0.0.1", self.member.inside), timeout=1).close()
            with contextlib.closing(open_admin(self.inside, seconds=2)) as admin:
                found = admin.describe_cluster()["brokers"]
        except (OSError, BrokerError, KafkaError):
            return False
        return any(one["broker_id"] == self.member.node for one in found)
