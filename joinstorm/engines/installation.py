"""Installs engines that need an environment of their own: a Python environment, and jars where needed."""

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import requests
from jgo.maven import MavenContext
from jgo.parse import Coordinate

from streams.engines import registry
from streams.engines.environments import INSTALLED, JARS, OwnEnvironmentEngine, environ_there, environment, interpreter
from streams.errors import EnvironmentMissingError, UsageError
from streams.system.children import python_module
from streams.system.turns import alone

PIP_SECONDS = 1800


def install(name: str, environ: Mapping[str, str]) -> Path:
    """Create an engine's own environment, or update it to the current requirements; return its folder.

    Raises:
        UnknownEngineError: There is no such engine.
        UsageError: It needs no environment of its own.
        EnvironmentMissingError: Something cannot be fetched; the text has the end of pip's output.
    """
    engine = registry.load(name)
    if not isinstance(engine, OwnEnvironmentEngine):
        raise UsageError(f"engine {name!r} needs no environment of its own: it is installed with joinstorm")
    folder = environment(engine.home(), environ)
    folder.parent.mkdir(parents=True, exist_ok=True)
    wanted = "\n".join([*engine.requirements, *engine.jars]) + "\n"
    with alone(folder.with_suffix(".lock"), PIP_SECONDS):  # of two at once, the second finds the first done
        if interpreter(folder) is None or (folder / INSTALLED).read_text() != wanted:
            _make(folder, engine)
            (folder / INSTALLED).write_text(wanted)
    return folder


def remove(name: str, environ: Mapping[str, str]) -> None:
    """Remove an engine's own environment; nothing happens where there is none."""
    shutil.rmtree(environment(name, environ), ignore_errors=True)


def _make(folder: Path, engine: OwnEnvironmentEngine) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _run(python_module("venv", str(folder)))
    _run(python_module("pip", "install", "--quiet", *engine.requirements, python=str(folder / "bin" / "python")))
    for coordinate, sha256 in engine.jars.items():
        _fetch(coordinate, sha256, folder / JARS)
    if engine.prepares:
        _run(python_module(engine.prepares, python=str(folder / "bin" / "python")), environ_there(folder))


def _run(command: list[str], environ: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PIP_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environ,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentMissingError(f"{' '.join(command)}: {error}") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise EnvironmentMissingError(f"{' '.join(command)} ended with exit code {done.returncode}:\n{tail}")


def _fetch(coordinate: str, sha256: str, jars: Path) -> None:
    """Fetch one jar without its dependencies."""
    jars.mkdir(parents=True, exist_ok=True)
    try:
        component = Coordinate.parse(coordinate)
        context = MavenContext(repo_cache=jars / "cache", timeout=60)
        jar = Path(context.create_dependency(component).artifact.resolve())
    except (RuntimeError, requests.RequestException) as error:
        raise EnvironmentMissingError(f"cannot fetch {coordinate}: {error}") from error
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    if found != sha256:
        raise EnvironmentMissingError(f"{coordinate}: fetched a file with SHA-256 {found}, expected {sha256}")
    shutil.copy(jar, jars / jar.name)
    shutil.rmtree(jars / "cache", ignore_errors=True)
