"""Engines by name: built in, installed by other packages, or given as ``module:Class`` or ``file.py:Class``.

A program is given as ``external:COMMAND`` or by its engine file, ``path/to/engine.toml``.

An engine is imported only when it is requested.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Final

from streams.engines.abstract import Engine
from streams.engines.program import EXTERNAL, is_program, program_of
from streams.errors import UnknownEngineError
from streams.suggest import unknown

GROUP: Final = "joinstorm.engines"
"""Entry point group in which other packages register their engines."""
SPELLINGS: Final = "module:Class, file.py:Class, external:COMMAND or an engine.toml"
"""How an engine is given other than by name."""
BUILT_IN: Final = {
    "faust": "streams.engines.faust.engine:FaustEngine",
    "faust-tables": "streams.engines.faust.tables:FaustTablesEngine",
    "kafka-python": "streams.engines.kafkapython.engine:KafkaPythonEngine",
    "quix": "streams.engines.quix.engine:QuixEngine",
    "bytewax": "streams.engines.bytewax.engine:BytewaxEngine",
    "pathway": "streams.engines.pathway.engine:PathwayEngine",
    "flink": "streams.engines.flink.engine:FlinkEngine",
    "flink-windows": "streams.engines.flink.engine:FlinkWindowsEngine",
    "spark": "streams.engines.spark.engine:SparkEngine",
    "external": "streams.engines.external.engine:ExternalEngine",
}


def names() -> list[str]:
    """Return the names of all installed engines, sorted."""
    return sorted(_known())


def name_of(name: str) -> str:
    """Return the name in the results of an engine, given as to ``load``; raises like it."""
    return name if name in BUILT_IN else load(name).name


def load(name: str) -> Engine:
    """Return an engine by its name or by one of ``SPELLINGS``.

    Raises:
        UnknownEngineError: The name is unknown, cannot be imported or is not an engine; the text says which are known.
    """
    if is_program(name):
        return _imported(name, BUILT_IN[EXTERNAL])(program_of(name))
    known = _known()
    place = known.get(name, name if ":" in name else None)
    if place is None:
        raise UnknownEngineError(unknown("engine", name, sorted(known), SPELLINGS))
    return _create(name, place)


def _known() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=GROUP)} | BUILT_IN


def _module(name: str, place: str) -> ModuleType:
    """Import a module by name, or a file by its path."""
    if not place.endswith(".py"):
        return importlib.import_module(place)
    path = Path(place)
    inside = f"joinstorm_engine_{path.stem}"  # the file may have the name of an existing module
    spec = importlib.util.spec_from_file_location(inside, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise UnknownEngineError(f"engine {name!r}: there is no file {place}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[inside] = module  # as an import does, so that the file's definitions can be found by module name
    spec.loader.exec_module(module)
    return module


def _create(name: str, place: str) -> Engine:
    try:
        return _imported(name, place)()
    except TypeError as error:
        raise UnknownEngineError(f"engine {name!r} ({place}): {error}") from error


def _imported(name: str, place: str) -> Callable[..., Engine]:
    module, _, attribute = place.rpartition(":")
    try:
        found = getattr(_module(name, module), attribute)
    except ModuleNotFoundError as error:
        raise UnknownEngineError(f"engine {name!r} ({place}): {error}; is its package installed?") from error
    except (AttributeError, ImportError, SyntaxError) as error:
        raise UnknownEngineError(f"engine {name!r} ({place}): {error}") from error
    if not (isinstance(found, type) and issubclass(found, Engine)):
        raise UnknownEngineError(f"engine {name!r} ({place}): expected a subclass of {Engine.__module__}.Engine")
    return found
