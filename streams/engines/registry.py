"""Engines by name: built in, installed by other packages, or given as ``module:Class``; loaded only when asked for."""

import difflib
import importlib
from importlib.metadata import entry_points
from typing import Final

from streams.engines.abstract import Engine
from streams.errors import EngineError

GROUP: Final = "joinstorm.engines"
"""Entry point group in which another package announces its engines."""
BUILT_IN: Final = {
    "faust": "streams.engines.faust:FaustEngine",
    "faust-tables": "streams.engines.faust_tables:FaustTablesEngine",
    "kafka-python": "streams.engines.kafka_python:KafkaPythonEngine",
    "quix": "streams.engines.quix:QuixEngine",
    "bytewax": "streams.engines.bytewax:BytewaxEngine",
    "external": "streams.engines.external:ExternalEngine",
}


def names() -> list[str]:
    """Return the names of all engines that are installed, in order."""
    return sorted(_known())


def load(name: str) -> Engine:
    """Return an engine by its name, or by ``module:Class``.

    Raises:
        EngineError: It is unknown, cannot be imported or is no engine; the text names the known ones.
    """
    known = _known()
    place = known.get(name, name if ":" in name else None)
    if place is None:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise EngineError(f"unknown engine {name!r}: {hint}known are {', '.join(sorted(known))}, or module:Class")
    return _create(name, place)


def _known() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=GROUP)} | BUILT_IN


def _create(name: str, place: str) -> Engine:
    module, _, attribute = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise EngineError(f"engine {name!r} ({place}): {error}; is its package installed?") from error
    except AttributeError as error:
        raise EngineError(f"engine {name!r} ({place}): {error}") from error
    if not (isinstance(found, type) and issubclass(found, Engine)):
        raise EngineError(f"engine {name!r} ({place}): expected a subclass of {Engine.__module__}.Engine")
    engine: Engine = found()
    return engine
