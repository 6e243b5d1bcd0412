"""How the contenders of ``joinstorm bench engines`` are set up, so that a reader can judge whether it is fair."""

from collections.abc import Mapping
from importlib import metadata

from joinstorm.bench.contender import STOCK, YARDSTICK
from joinstorm.engines.setup import setup_of
from streams.engines.program import is_program


def setups(contenders: Mapping[str, str], options: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return a text on each contender: library and version, what it does, its settings, what its clock covers.

    Args:
        contenders: Engines as given to ``load``, by the name they are measured under.
        options: Their options, by the same name.
    """
    found = {
        YARDSTICK: f"aiokafka {metadata.version('aiokafka')} getmany of 20,000 records, fetches of 4 MiB a partition,"
        f" msgspec {metadata.version('msgspec')} decodes to structs; no state, no results",
        STOCK: f"faust-streaming {metadata.version('faust-streaming')} with its default settings, an agent over typed"
        " records that counts kinds; no state, no results",
    }
    for name, engine in contenders.items():
        lines = setup_of(engine, options.get(name, {})).lines()
        lines += ["The clock includes the start of the program."] if is_program(engine) else []
        found[name] = " ".join(lines)
    return found
