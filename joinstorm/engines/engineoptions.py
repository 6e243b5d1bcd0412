"""Options of engines as typed: ``key=value`` for every engine of a command, ``NAME:key=value`` for one of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from streams.engines import registry
from streams.errors import UsageError
from streams.suggest import nearest

FORM: Final = "expected KEY=VALUE, or NAME:KEY=VALUE for one of several engines"


class EngineOption(NamedTuple):
    """One option."""

    engine: str
    """The engine it is for; empty for every engine."""
    key: str
    value: str


EngineOptions: TypeAlias = Mapping[str, Mapping[str, str]]
"""Options by engine, as the engine was given."""


def parse(text: str) -> EngineOption:
    """Return the option in a text; raises UsageError."""
    name, equals, value = text.partition("=")
    engine, _, key = name.rpartition(":")
    if not (key and equals):
        raise UsageError(f"{text!r}: {FORM}")
    return EngineOption(engine, key, value)


def by_engine(given: Sequence[EngineOption], engines: Sequence[str], others: Collection[str] = ()) -> EngineOptions:
    """Return the options of each engine.

    Args:
        given: The options; those for one engine name it as it was given, or by the name of its results.
        engines: The engines, as they were given.
        others: Those of them that the registry does not know.

    Raises:
        UsageError: An option is for an engine that does not take part.
        UnknownEngineError: An engine is unknown.
    """
    found: dict[str, dict[str, str]] = {engine: {} for engine in engines}
    named = {option.engine for option in given if option.engine} - set(engines)
    names = {registry.name_of(engine): engine for engine in engines if engine not in others} if named else {}
    for option in sorted(given, key=lambda one: bool(one.engine)):  # those for one engine win
        for engine in [names.get(option.engine, option.engine)] if option.engine else engines:
            if engine not in found:
                close = nearest(option.engine, [*names, *engines])
                hint = f"; did you mean {close!r}?" if close else f"; the engines are: {', '.join(engines)}"
                raise UsageError(f"--option {option.engine}:{option.key}: no engine {option.engine!r} here{hint}")
            found[engine][option.key] = option.value
    return found


def arguments(options: Mapping[str, str]) -> list[str]:
    """Return the arguments of ``joinstorm stream`` that set options."""
    return [part for key, value in options.items() for part in ("--option", f"{key}={value}")]
