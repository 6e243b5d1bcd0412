"""Engines are found by name, by place, or not at all, with a word on what was meant."""

import pytest

from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.engines.registry import load, names
from streams.errors import EngineError


class Still(Engine):
    """An engine that does nothing."""

    name = "still"

    def run(self, settings: WorkerSettings) -> Summary:  # noqa: ARG002 - the contract's signature
        """Do nothing."""
        return Summary(ended=False)


def test_the_built_in_engines_are_known() -> None:
    """The example and the baseline are always there, and load as what they are called."""
    assert {"faust", "faust-tables"} <= set(names())
    assert load("faust").name == "faust"
    assert load("faust-tables").name == "faust-tables"


def test_an_engine_given_as_module_and_class() -> None:
    """Somebody else's engine needs no registration."""
    assert load(f"{__name__}:Still").name == "still"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fast", "did you mean 'faust'"),
        ("zzz", "known are"),
        ("no.such.module:Engine", "is its package installed"),
        ("streams.errors:NoSuchClass", "NoSuchClass"),
        ("streams.errors:EngineError", "expected a subclass"),
    ],
)
def test_what_is_no_engine_is_refused_in_words(name: str, text: str) -> None:
    """The text says what is wrong and what is known."""
    with pytest.raises(EngineError, match=text):
        load(name)


def test_an_engine_that_does_not_run_cannot_be_made() -> None:
    """The contract's one method is required."""
    with pytest.raises(TypeError, match="run"):
        type("Half", (Engine,), {})()
