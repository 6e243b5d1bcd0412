"""Engines whose library clashes with ours, or is too large for everybody, live in a Python environment of their own.

``joinstorm engines install NAME`` makes it, under the cache folder. A worker then runs there, in a child process that
sees of this project the package ``streams`` alone.
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

INSTALLED: Final = "installed.txt"
"""Written last: an environment without it was cut off while it was made. Holds the requirements."""
OURS: Final = "ours"
JARS: Final = "jars"
HOST: Final = "streams.engines.host"


def environment(name: str, environ: Mapping[str, str]) -> Path:
    """Return the folder of an engine's own environment; it need not exist yet."""
    return cache_folder(environ) / "engines" / name


def interpreter(folder: Path) -> Path | None:
    """Return the Python of a whole environment, None when it is not there."""
    python = folder / "bin" / "python"
    return python if (folder / INSTALLED).exists() and python.exists() else None


class OwnEnvironmentEngine(Engine):
    """An engine that runs here when its library can be imported here, else in its own environment."""

    library: ClassVar[str]
    """The module whose presence says that the engine can run here."""
    requirements: ClassVar[tuple[str, ...]]
    """What pip installs into the environment."""
    jars: ClassVar[Mapping[str, str]] = {}
    """Jars to fetch beside it: the SHA-256 of each by its ``group:artifact:version``."""
    shares: ClassVar[str] = ""
    """The engine whose environment this one uses too; it has its own if empty."""
    flow: ClassVar[str]
    """The module that imports the library and has ``run(settings) -> Summary``."""

    def home(self) -> str:
        """Return the name of its environment."""
        return self.shares or self.name

    def here(self) -> bool:
        """Whether the library is installed beside joinstorm."""
        return importlib.util.find_spec(self.library) is not None

    def run(self, settings: WorkerSettings) -> Summary:
        """Work here or in the engine's own environment.

        Raises:
            NotInstalledError: Its library is in neither; the text has the line that installs it.
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
    """Run a flow's worker with another interpreter and return what it says it did.

    Raises:
        EngineError: It ended with an error; its own words are on stderr.
    """
    environ = {**os.environ, "PYTHONPATH": str(_ours(folder)), "JOINSTORM_ENGINE_FOLDER": str(folder)}
    # A session of its own: what is sent to our group reaches the child once, from here. It dies with us (see the host).
    child = subprocess.Popen(
        [str(python), "-m", HOST, flow],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
        start_new_session=True,
    )
    with _passed_on(child) as told:
        out, _ = child.communicate(msgspec.json.encode(settings))
    if told and child.returncode:
        return Summary(ended=False)
    if child.returncode:
        raise EngineError(f"engine {settings.engine!r}: its worker ended with exit code {child.returncode}")
    try:
        return msgspec.json.decode(out.splitlines()[-1] if out.strip() else b"", type=Summary)
    except msgspec.DecodeError:
        raise EngineError(f"engine {settings.engine!r}: its worker ended without a word of what it did") from None


def _ours(folder: Path) -> Path:
    """Return a folder that holds the package ``streams`` of this installation and nothing else."""
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
def _passed_on(child: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Pass the first SIGTERM or SIGINT on to the child, which ends, and then so do we; yields what was passed on."""
    told: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        if not told:
            child.send_signal(signal.SIGTERM)
        told.append(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if child.poll() is None:
            child.kill()
            child.wait()
