"""Separate Python environments for engines whose library is large or conflicts with joinstorm's dependencies.

``joinstorm engines install NAME`` creates one in the cache folder. A worker then runs there in a child process, which
sees only the package ``streams`` of this project.
"""

import contextlib
import importlib
import importlib.util
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import ClassVar, Final

import msgspec

import streams
from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.errors import EngineError, NotInstalledError
from streams.system.cache import cache_folder
from streams.system.children import handled_signals, python_module

INSTALLED: Final = "installed.txt"
"""Holds the requirements. Written last: an environment without it is incomplete."""
OURS: Final = "ours"
JARS: Final = "jars"
HOST: Final = "streams.engines.host"


def environment(name: str, environ: Mapping[str, str]) -> Path:
    """Return the folder of an engine's environment; it may not exist yet."""
    return cache_folder(environ) / "engines" / name


def interpreter(folder: Path) -> Path | None:
    """Return the Python of a complete environment; None if there is none."""
    python = folder / "bin" / "python"
    return python if (folder / INSTALLED).exists() and python.exists() else None


class OwnEnvironmentEngine(Engine):
    """An engine that runs in joinstorm's environment if its library is there, otherwise in its own environment."""

    library: ClassVar[str]
    """The module to look for in joinstorm's environment."""
    requirements: ClassVar[tuple[str, ...]]
    """The packages pip installs into the environment."""
    jars: ClassVar[Mapping[str, str]] = {}
    """Jars to download as well: the SHA-256 of each by its ``group:artifact:version``."""
    shares: ClassVar[str] = ""
    """The engine whose environment this one uses; empty for its own."""
    prepares: ClassVar[str] = ""
    """A module to run in the environment once it is complete, for what later starts need; empty for none."""
    flow: ClassVar[str]
    """The module that imports the library and has ``run(settings) -> Summary``."""

    def home(self) -> str:
        """Return the name of the engine's environment."""
        return self.shares or self.name

    def here(self) -> bool:
        """Whether the engine can run in joinstorm's environment."""
        return importlib.util.find_spec(self.library) is not None

    def run(self, settings: WorkerSettings) -> Summary:
        """Work in joinstorm's environment or in the engine's own.

        Raises:
            NotInstalledError: The library is in neither; the text has the command that installs it.
        """
        if self.here():
            summary: Summary = importlib.import_module(self.flow).run(settings)
            return summary
        folder = environment(self.home(), os.environ)
        python = interpreter(folder)
        if python is None:
            raise NotInstalledError(f"engine {self.name!r} is not installed: joinstorm engines install {self.home()}")
        return run_there(python, folder, self.flow, settings)


def run_there(python: Path, folder: Path, flow: str, settings: WorkerSettings) -> Summary:
    """Run a flow's worker with another interpreter and return its summary.

    Raises:
        EngineError: The worker failed; its message is on stderr.
    """
    environ = environ_there(folder)
    # A new session, so that a signal to our process group reaches the child once, from here. It dies with us: see host.
    child = subprocess.Popen(
        python_module(HOST, flow, python=str(python)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
        start_new_session=True,
    )
    with _forwarded_signals(child) as forwarded:
        out, _ = child.communicate(msgspec.json.encode(settings))
    if forwarded and child.returncode:
        return Summary(ended=False)
    if child.returncode:
        raise EngineError(f"engine {settings.engine!r}: its worker ended with exit code {child.returncode}")
    try:
        return msgspec.json.decode(out.splitlines()[-1] if out.strip() else b"", type=Summary)
    except msgspec.DecodeError:
        raise EngineError(f"engine {settings.engine!r}: its worker ended without a summary") from None


def environ_there(folder: Path) -> dict[str, str]:
    """Return the environment variables of a process that runs in an engine's environment."""
    return {**os.environ, "PYTHONPATH": str(_ours(folder)), "JOINSTORM_ENGINE_FOLDER": str(folder)}


def _ours(folder: Path) -> Path:
    """Return a folder that holds only the package ``streams`` of this installation."""
    ours = folder / OURS
    wanted = Path(streams.__file__).parent
    link = ours / "streams"
    if not link.is_symlink() or link.readlink() != wanted:
        ours.mkdir(exist_ok=True)
        fresh = ours / f".streams-{os.getpid()}"
        fresh.symlink_to(wanted)
        fresh.replace(link)
    return ours


@contextlib.contextmanager
def _forwarded_signals(child: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Forward the first signal that asks to stop to the child, as SIGTERM; yields the list of received signals."""
    received: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        if not received:
            child.send_signal(signal.SIGTERM)
        received.append(number)

    try:
        with handled_signals(forward):
            yield received
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
