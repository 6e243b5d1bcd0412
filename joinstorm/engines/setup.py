"""How an engine is set up: its library, licence and restart, and the settings in effect, for comparisons in public."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from joinstorm.engines.catalog import entry, version_of
from streams.engines.program import Restart, is_program, program_of

KEEPS: Final[Restart] = "keeps checkpoints"
READS_AGAIN: Final[Restart] = "reads again"
_STATE_DIR: Final = "state_dir"


class EngineSetup(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine is, and how it is set up."""

    what: str = ""
    """A description in one line."""
    limits: str = ""
    """What it cannot do by design, or what it costs."""
    library: str = ""
    """Its library and version; empty for a program."""
    licence: str = ""
    """Of the library or the program; empty where not known."""
    restart: Restart = ""
    """What a restarted worker does; empty where not known."""
    settings: dict[str, str] = {}
    """The settings in effect, by name: the engine's defaults and the options given."""
    options: dict[str, str] = {}
    """The options given."""

    def lines(self) -> list[str]:
        """Return it as sentences."""
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        facts = [self.library, f"licence {self.licence}" if self.licence else "", self.restart]
        texts = [self.what, self.limits, ", ".join(filter(None, facts)), f"settings: {settings}" if settings else ""]
        return [text if text.endswith(".") else f"{text}." for text in texts if text]


@dataclass(frozen=True)
class _Known:
    """What the catalog does not have: the licence, the restart, and the settings of an engine without options."""

    licence: str
    restart: Restart
    settings: Mapping[str, str] = field(default_factory=dict)


_FLINK: Final = {"cluster": "its own", "memory": "1g", "checkpoints": "every 1 s"}
KNOWN: Final[Mapping[str, _Known]] = {
    "faust": _Known(
        "BSD-3-Clause", KEEPS,
        {"fetches": "4 MiB a partition", "results": "every 0.05 to 0.5 s", "checkpoints": "every 1 s"}
    ),
    "faust-tables": _Known("BSD-3-Clause", KEEPS, {"results": "every 0.5 s", "commits": "every 2.8 s"}),
    "kafka-python": _Known("Apache-2.0", READS_AGAIN, {"results": "every 0.25 s"}),
    "quix": _Known("Apache-2.0", KEEPS, {"results": "every 0.1 s", "commits": "every 1 s", "linger.ms": "20"}),
    "bytewax": _Known("Apache-2.0", KEEPS, {"workers": "1", "results": "every 0.25 s", "snapshots": "every 1 s"}),
    "pathway": _Known("BSL-1.1", READS_AGAIN, {"batches": "every 0.25 s", "backlog": "50,000 records"}),
    "flink": _Known("Apache-2.0", KEEPS, {**_FLINK, "late": "count"}),
    "flink-windows": _Known("Apache-2.0", KEEPS, {**_FLINK, "late": "drop"}),
    "spark": _Known(
        "Apache-2.0", KEEPS,
        {
            "master": "local[*]", "memory": "1g", "trigger": "1s", "batch": "50000",
            "spark.sql.shuffle.partitions": "2", "state store": "RocksDB",
        },
    ),
}  # fmt: skip
_UNKNOWN: Final = _Known("", "")


def setup_of(name: str, options: Mapping[str, str]) -> EngineSetup:
    """Return how an engine is set up.

    Args:
        name: The engine, as given to ``load``.
        options: The options given to it.
    """
    described = entry(name)
    known = KNOWN.get(name, _UNKNOWN)
    settings = dict(known.settings)
    if is_program(name):
        program = program_of(name)
        known = _Known(program.licence, program.restart)
        settings = {"command": program.command, **program.options}
    given = {key: value for key, value in options.items() if key != _STATE_DIR}
    return EngineSetup(
        what=described.what,
        limits=described.limits,
        library=version_of(name),
        licence=known.licence,
        restart=known.restart,
        settings={**settings, **given},
        options=given,
    )
