"""How the contenders of ``joinstorm bench engines`` are set up, so that a reader can judge whether it is fair."""

from collections.abc import Mapping, Sequence
from importlib import metadata

from joinstorm.bench.contender import STOCK, YARDSTICK
from joinstorm.engines.catalog import CATALOG


def setups(engines: Sequence[str], programs: Mapping[str, str]) -> dict[str, str]:
    """Return a line on each contender: library and version, what it does, what its clock covers.

    Args:
        engines: Engines by name or as ``module:Class``.
        programs: Command lines of external programs, by the name they are measured under.
    """
    found = {
        YARDSTICK: f"aiokafka {metadata.version('aiokafka')} getmany of 20,000 records, fetches of 4 MiB a partition,"
        f" msgspec {metadata.version('msgspec')} decodes to structs; no state, no results",
        STOCK: f"faust-streaming {metadata.version('faust-streaming')} with its default settings, an agent over typed"
        " records that counts kinds; no state, no results",
    }
    for name in engines:
        entry = CATALOG.get(name)
        if entry is not None:
            found[name] = f"{entry.what}. {entry.limits}".strip()
    for name, program in programs.items():
        found[name] = f"{program}; the clock includes the start of the program"
    return found
