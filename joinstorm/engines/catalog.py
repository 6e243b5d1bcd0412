"""The known engines: what each is, how it is installed, and what it cannot do."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from joinstorm.engines.engineoptions import arguments
from joinstorm.engines.undertest import EngineUnderTest
from streams.engines import registry
from streams.engines.abstract import Engine
from streams.engines.environments import OwnEnvironmentEngine, environment, interpreter
from streams.engines.program import Program, is_program, program_of
from streams.errors import EngineError, NotInstalledError

GOLDEN_SECONDS: Final = 20.0
"""How long an engine of a user may take for each step of a golden night, a few dozen records."""


@dataclass(frozen=True)
class Entry:
    """What is known of one engine.

    Args:
        what: A description in one line.
        limits: What it cannot do by design, or what it costs.
        distribution: The package whose version is reported; empty for a separate program.
        seconds: How long each step of the certificate may take.
        golden_seconds: The same in a golden night.
        rescales: How a second worker comes in (see ``EngineUnderTest``).
        dead_letters: Whether it writes dead letters to their topic.
    """

    what: str
    limits: str = ""
    distribution: str = ""
    seconds: float = 90.0
    golden_seconds: float = 90.0
    rescales: str = "joins"
    dead_letters: bool = True


CATALOG: Final[Mapping[str, Entry]] = {
    "faust": Entry(
        "Faust on whole record batches, with its own checkpoints; the default",
        "Restores its state from Kafka on every start; one core per worker.",
        "faust-streaming",
    ),
    "faust-tables": Entry(
        "Faust as in its manual: agents and tables, one update per event",
        "Counts events twice after kill -9 and when workers change: the changelog is ahead of the committed offset.",
        "faust-streaming",
        seconds=180.0,
        golden_seconds=180.0,
        dead_letters=False,
    ),
    "kafka-python": Entry(
        "a plain consumer and a plain producer: the smallest engine",
        "No checkpoints: every restart reads the night from its first record. State must fit into memory.",
        "kafka-python",
    ),
    "quix": Entry(
        "Quix Streams: state in RocksDB with changelog topics",
        "An intermediate topic and a changelog, several state operations per event; its topics remain after the run.",
        "quixstreams",
    ),
    "bytewax": Entry(
        "Bytewax: a dataflow with keyed state and recovery from snapshots; community-kept since 2025",
        "The number of workers is fixed while it runs: a second worker needs a restart with two.",
        "bytewax",
        rescales="restarts",
    ),
    "pathway": Entry(
        "Pathway: tables updated incrementally, every count a group-by",
        "No checkpoints: every restart reads the night again. The number of processes is fixed at the start.",
        "pathway",
        seconds=120.0,
        golden_seconds=120.0,
        rescales="never",
    ),
    "flink": Entry(
        "Flink SQL on a local Flink; the same job file submits to a cluster",
        "One job is one worker; it scales by the slots of a cluster.",
        "apache-flink",
        seconds=300.0,
        golden_seconds=300.0,
        rescales="never",
    ),
    "flink-windows": Entry(
        "Flink SQL the obvious way: windows by event time, closed by a watermark",
        "Silently drops events of closed windows: exact only on topics in order.",
        "apache-flink",
        seconds=300.0,
        golden_seconds=300.0,
        rescales="never",
    ),
    "spark": Entry(
        "Spark Structured Streaming, on this machine or on a cluster, with its state in RocksDB",
        "A micro-batch takes half a second at least. One query does the work; a second worker waits to take over.",
        "pyspark",
        seconds=240.0,
        golden_seconds=240.0,
    ),
    "external": Entry(
        "any program that keeps the contract: external:COMMAND, or an engine.toml",
        "Depends on the program.",
        golden_seconds=GOLDEN_SECONDS,
    ),
}
DEFAULT: Final = "faust"
UNKNOWN: Final = Entry("an engine of your own", "Not known.", golden_seconds=GOLDEN_SECONDS)


def entry(name: str) -> Entry:
    """Return the entry of an engine; ``UNKNOWN`` for one that is not in the catalog."""
    if is_program(name):
        return Entry(_described(program_of(name)), "Depends on the program.", golden_seconds=GOLDEN_SECONDS)
    return CATALOG.get(name, UNKNOWN)


def _described(program: Program) -> str:
    language = f" in {program.language}" if program.language else ""
    licence = f", licence {program.licence}" if program.licence else ""
    return f"a program{language}{licence}: {program.command}"


def state(name: str, environ: Mapping[str, str] | None = None) -> str:
    """Return ``installed``, with the version if it has one, or ``missing: `` and how to install it."""
    try:
        engine = registry.load(name)
        if is_program(name):
            engine.require({})
    except EngineError as error:
        return f"missing: {error}"
    if isinstance(engine, OwnEnvironmentEngine) and not engine.here():
        python = interpreter(environment(engine.home(), os.environ if environ is None else environ))
        return "installed, in its own environment" if python else f"missing: joinstorm engines install {engine.home()}"
    version = version_of(name)
    return f"installed, {version}" if version else "installed"


def check(name: str, options: Mapping[str, str] | None = None) -> None:
    """Raise EngineError when an engine is unknown or cannot run with these options; the text says what to do."""
    if name != DEFAULT:  # it comes with joinstorm, and loading it takes a second
        engine_under_test(name, options=options)


def installed(name: str) -> bool:
    """Whether an engine can run."""
    return state(name).startswith("installed")


def version_of(name: str) -> str:
    """Return the library and its version; empty where it has none."""
    distribution = entry(name).distribution
    if not distribution:
        return ""
    engine = registry.load(name)
    if isinstance(engine, OwnEnvironmentEngine) and not engine.here():
        return _version_in(environment(engine.home(), os.environ), distribution)
    return f"{distribution} {metadata.version(distribution)}"


def _version_in(folder: Path, distribution: str) -> str:
    paths = [str(path) for path in folder.glob("lib/python*/site-packages")]
    found = metadata.distributions(path=paths, name=distribution)
    return next((f"{distribution} {one.version}" for one in found), "")


def engine_under_test(
    name: str, *, shown_as: str = "", options: Mapping[str, str] | None = None, seconds: float | None = None
) -> EngineUnderTest:
    """Return an engine, ready to be tested.

    Args:
        name: A known name, or one of ``registry.SPELLINGS``.
        shown_as: The engine name of its results; its own if empty.
        options: Engine options.
        seconds: How long each step may take; if not given, the engine's own time, and less in golden nights.

    Raises:
        UnknownEngineError: There is no such engine.
        UsageError: An option is missing or wrong.
        NotInstalledError: It is not installed; the text says how to install it.
    """
    engine: Engine = registry.load(name)
    engine.require(options or {})
    if isinstance(engine, OwnEnvironmentEngine) and not installed(name):
        raise NotInstalledError(f"engine {name!r} is {state(name)}")
    known = entry(name if is_program(name) else engine.name)
    start = ["--engine", name, *arguments(options or {})]
    return EngineUnderTest(
        shown_as or engine.name,
        start,
        seconds=seconds or known.seconds,
        golden_seconds=seconds or known.golden_seconds,
        rescales=known.rescales,
        dead_letters=known.dead_letters,
    )
