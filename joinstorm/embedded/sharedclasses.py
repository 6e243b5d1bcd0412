"""Kafka's classes, parsed once: an archive in the cache folder that the JVM maps instead of reading 45 MB of jars.

The first broker on a machine lists the classes it loads; when it ends, a process of its own makes the archive from the
list while the command still works, and ends with it at the latest. From then on a broker starts with it. An archive of
other jars or another Java is ignored by the JVM. An archive takes 64 MB and belongs to one environment, so those unused
for longest are removed.
"""

import contextlib
import hashlib
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from joinstorm.embedded.kafkahome import java_environ
from streams.system.cache import beyond_newest
from streams.system.children import die_with_parent

QUIET = ("-Xshare:auto", "-Xlog:disable", "-Xlog:all=error:stderr")
"""A missing or foreign archive costs time, nothing else: no word about it in Kafka's log."""
MAX_KEPT: Final = 4
"""Archives, and lists that no archive was made from; a JVM that maps a removed one keeps it."""


class SharedClasses:
    """The archive for one Java and one set of jars.

    Args:
        java: The Java that runs Kafka.
        jars: Kafka's jars, in the order of the class path.
        folder: Where the archive is kept.
    """

    def __init__(self, java: Path, jars: Sequence[Path], folder: Path) -> None:
        self.java, self.jars = java, jars
        known = f"{java.resolve()} {java.resolve().stat().st_mtime_ns} {os.pathsep.join(map(str, jars))}"
        self.archive = folder / f"classes-{hashlib.sha256(known.encode()).hexdigest()[:16]}.jsa"
        self.listed = self.archive.with_suffix(".list")

    def options(self) -> list[str]:
        """Return Java's options that use the archive, or list the classes for it."""
        if self.archive.exists():
            with contextlib.suppress(OSError):  # the folder may belong to another user
                os.utime(self.archive)
            return [f"-XX:SharedArchiveFile={self.archive}", *QUIET]
        if os.access(self.archive.parent, os.W_OK):
            return [f"-XX:DumpLoadedClassList={self.listed}"]
        return []

    def make(self) -> threading.Thread | None:
        """Begin to make the archive, if there is a list and no archive; it appears whole or not at all.

        Returns:
            The thread that waits for it; None if there is nothing to do. It keeps no program from ending.
        """
        if self.archive.exists() or not self.listed.exists():
            return None
        part = self.archive.with_suffix(f".{os.getpid()}.part")
        dump = [
            "nice", str(self.java), "-Xshare:dump", f"-XX:SharedClassListFile={self.listed}",
            f"-XX:SharedArchiveFile={part}", "-Xlog:disable", "-cp", os.pathsep.join(map(str, self.jars)),
        ]  # fmt: skip
        process = subprocess.Popen(
            dump,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=java_environ(),
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
        )
        waiting = threading.Thread(target=self._finish, args=(process, part), name="shared-classes", daemon=True)
        waiting.start()
        return waiting

    def _finish(self, process: "subprocess.Popen[bytes]", part: Path) -> None:
        with contextlib.suppress(OSError):
            if process.wait() == 0:
                part.replace(self.archive)
            part.unlink(missing_ok=True)
            self.listed.unlink(missing_ok=True)
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        for kind in (self.archive, self.listed):
            for path in beyond_newest(self.archive.parent.glob(f"classes-*{kind.suffix}"), MAX_KEPT):
                path.unlink(missing_ok=True)
