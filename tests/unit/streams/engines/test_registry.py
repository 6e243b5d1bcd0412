"""Engines are found by name or by place; an unknown name gets a suggestion."""

import tomllib
from pathlib import Path

import pytest

from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.engines.environments import OwnEnvironmentEngine
from streams.engines.registry import load, name_of, names
from streams.errors import EngineError

ROOT = Path(__file__).parents[4]


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


def test_an_extra_and_an_environment_of_its_own_hold_the_same_library() -> None:
    """Whichever way an engine is installed, it is the version that is known to work."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    own = {name: engine for name in names() if isinstance(engine := load(name), OwnEnvironmentEngine)}
    assert {"quix", "bytewax"} <= set(own)
    for name, engine in own.items():
        if name in extras:
            assert set(extras[name]) == {one for one in engine.requirements if not one.startswith("msgspec")}


def test_an_engine_given_as_module_and_class() -> None:
    """Somebody else's engine needs no registration."""
    assert load(f"{__name__}:Still").name == "still"


def test_an_engine_given_as_file_and_class(tmp_path: Path) -> None:
    """A file outside every package will do; its name may be that of a module there is."""
    file = tmp_path / "json.py"
    file.write_text(f"from {__name__} import Still\n\n\nclass Mine(Still):\n    name = 'mine'\n")
    assert name_of(f"{file}:Mine") == "mine"
    file.write_text("class Mine(:\n")
    with pytest.raises(EngineError, match=r"json\.py"):
        load(f"{file}:Mine")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fast", "did you mean 'faust'"),
        ("zzz", r"unknown engine 'zzz'\. Known: bytewax"),
        ("no.such.module:Engine", "is its package installed"),
        ("streams.errors:NoSuchClass", "NoSuchClass"),
        ("streams.errors:EngineError", "expected a subclass"),
        ("there/is/none.py:Engine", "there is no file there/is/none.py"),
        ("streams.engines.abstract:Engine", "abstract"),
    ],
)
def test_what_is_no_engine_is_refused_in_words(name: str, text: str) -> None:
    """The text names the mistake and the known engines."""
    with pytest.raises(EngineError, match=text):
        load(name)


def test_an_engine_that_does_not_run_cannot_be_made() -> None:
    """The contract's one method is required."""
    with pytest.raises(TypeError, match="run"):
        type("Half", (Engine,), {})()
