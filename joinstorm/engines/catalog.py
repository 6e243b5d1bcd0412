"""What is known of the engines besides their code: what they are, what they take to install, what they cannot do."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from joinstorm.engines.undertest import EngineUnderTest
from streams.engines import registry
from streams.engines.abstract import Engine
from streams.engines.environments import OwnEnvironmentEngine, environment, interpreter
from streams.errors import EngineError, NotInstalledError


@dataclass(frozen=True)
class Entry:
    """One engine.

    Args:
        what: One line.
        limits: What it cannot do by its nature, or at what price.
        distribution: The package whose version counts; empty for a program of its own.
        seconds: How long each step of the certificate may take.
        rescales: How it takes a second worker (see ``EngineUnderTest``).
        letters: Whether it keeps dead letters.
    """

    what: str
    limits: str = ""
    distribution: str = ""
    seconds: float = 90.0
    rescales: str = "joins"
    letters: bool = True


CATALOG: Final[Mapping[str, Entry]] = {
    "faust": Entry(
        "Faust on whole record batches, with checkpoints of its own; the default",
        "Reads a copy of the state from Kafka on every start; one core per worker.",
        "faust-streaming",
    ),
    "faust-tables": Entry(
        "Faust as its manual teaches: agents and tables, an update per event",
        "Counts again after kill -9 and on every change of workers: the changelog is ahead of the committed offset.",
        "faust-streaming",
        seconds=180.0,
        letters=False,
    ),
    "kafka-python": Entry(
        "a plain consumer and a plain producer, the smallest engine",
        "Keeps nothing: every restart reads the night again from its first record. State must fit into memory.",
        "kafka-python",
    ),
    "quix": Entry(
        "Quix Streams: state in RocksDB with changelog topics",
        "A topic and a changelog in between, several state operations per event; its topics stay when the run is over.",
        "quixstreams",
    ),
    "bytewax": Entry(
        "Bytewax: a dataflow with state per key and recovery from snapshots",
        "The number of workers is fixed while it runs: a second one means stopping and starting with two.",
        "bytewax",
        rescales="restarts",
    ),
    "pathway": Entry(
        "Pathway: tables kept up to date by an incremental engine, every count a group-by",
        "Keeps nothing: every restart reads the night again. How many processes there are is fixed when it starts.",
        "pathway",
        seconds=120.0,
        rescales="never",
    ),
    "flink": Entry(
        "Flink SQL on a local Flink; the same job file submits to a cluster",
        "Counts records that are none of ours and keeps none. One job is one worker; it grows by slots of a cluster.",
        "apache-flink",
        seconds=120.0,
        rescales="never",
        letters=False,
    ),
    "flink-windows": Entry(
        "Flink SQL as one would write it first: windows by event time, closed by a watermark",
        "Drops what comes after its window was closed, and says nothing: right only on a topic in order.",
        "apache-flink",
        seconds=120.0,
        rescales="never",
        letters=False,
    ),
    "external": Entry(
        "any program that keeps the contract: --option command='…'",
        "Depends on the program.",
    ),
}
DEFAULT: Final = "faust"
UNKNOWN: Final = Entry("an engine from elsewhere", "Not known here.")


def entry(name: str) -> Entry:
    """Return what is known of an engine; of one from elsewhere, nothing."""
    return CATALOG.get(name, UNKNOWN)


def state(name: str, environ: Mapping[str, str] | None = None) -> str:
    """Return ``installed``, with the version where there is one, or ``missing: `` and how to install it."""
    try:
        engine = registry.load(name)
    except EngineError as error:
        return f"missing: {error}"
    if isinstance(engine, OwnEnvironmentEngine) and not engine.here():
        python = interpreter(environment(engine.home(), os.environ if environ is None else environ))
        return "installed, in its own environment" if python else f"missing: joinstorm engines install {engine.home()}"
    version = version_of(name)
    return f"installed, {version}" if version else "installed"


def check(name: str) -> None:
    """Raise EngineError when an engine is unknown or not installed; the text says what to do about it."""
    if name != DEFAULT:  # it comes with joinstorm, and takes a second to load
        subject(name)


def installed(name: str) -> bool:
    """Whether an engine can run."""
    return state(name).startswith("installed")


def version_of(name: str) -> str:
    """Return the library and its version, empty where there is none here."""
    distribution = entry(name).distribution
    if not distribution:
        return ""
    engine = registry.load(name)
    if isinstance(engine, OwnEnvironmentEngine) and not engine.here():
        return _version_there(environment(engine.home(), os.environ), distribution)
    return f"{distribution} {metadata.version(distribution)}"


def _version_there(folder: Path, distribution: str) -> str:
    places = [str(path) for path in folder.glob("lib/python*/site-packages")]
    found = metadata.distributions(path=places, name=distribution)
    return next((f"{distribution} {one.version}" for one in found), "")


def subject(name: str, *, shown_as: str = "", options: Mapping[str, str] | None = None) -> EngineUnderTest:
    """Return an engine as the certificate takes it.

    Args:
        name: A name, or ``module:Class``.
        shown_as: The name its results stand under, its own if empty.
        options: Engine options.

    Raises:
        UnknownEngineError: Nobody knows it.
        NotInstalledError: It is not installed; the text says how to install it.
    """
    engine: Engine = registry.load(name)
    if isinstance(engine, OwnEnvironmentEngine) and not installed(name):
        raise NotInstalledError(f"engine {name!r} is {state(name)}")
    known = entry(engine.name)
    start = ["--engine", name]
    for option, value in (options or {}).items():
        start += ["--option", f"{option}={value}"]
    return EngineUnderTest(
        shown_as or engine.name, start, seconds=known.seconds, rescales=known.rescales, letters=known.letters
    )
