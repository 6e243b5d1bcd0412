"""A checkpoint is of the code that decides a state, and of no other code."""

import shutil
from pathlib import Path
from typing import Final

import pytest

from benchmarks.architecture import modules, reachable
from streams.checkpoint.identity import DECIDING, STREAMS, deciding, digest_of

KNOWN: Final = modules()
NEUTRAL: Final = {
    "streams.checkpoint.identity",  # decides whether a state is taken, not what it is
    "streams.contract.deadletters",  # records that are not counted
    "streams.engines.faust.steptimes",  # measures time
    "streams.errors",
    "streams.system.cache",
    "streams.system.privatefolder",  # where the compiled code lies when the cache cannot be written
    "streams.system.turns",  # who compiles first
}
"""Modules that deciding ones import and that decide nothing of a state."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of ``streams`` whose files may be changed."""
    root = tmp_path_factory.mktemp("code") / "streams"
    shutil.copytree(STREAMS, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.mark.parametrize("path", [path.relative_to(STREAMS).as_posix() for path in deciding()])
def test_a_change_of_deciding_code_is_another_version(path: str, copy: Path) -> None:
    """A comment added to any of these modules makes saved states invalid."""
    before, text = digest_of(deciding(copy), copy), (copy / path).read_text()
    (copy / path).write_text(text + "# changed\n")
    assert digest_of(deciding(copy), copy) != before
    (copy / path).write_text(text)
    assert digest_of(deciding(copy), copy) == before


def test_a_change_elsewhere_keeps_checkpoints(copy: Path) -> None:
    """Every other module of ``streams`` may change at once."""
    before = digest_of(deciding(copy), copy)
    for path in sorted(set(copy.rglob("*.py")) - set(deciding(copy))):
        path.write_text(path.read_text() + "# changed\n")
    assert digest_of(deciding(copy), copy) == before


def test_every_pattern_names_files() -> None:
    """A module that moved would silently leave the identity."""
    for pattern in DECIDING:
        assert list(STREAMS.glob(pattern)), pattern


def test_all_that_decides_is_listed() -> None:
    """Whatever the deciding modules import is deciding too, or named here as neutral."""
    listed = {".".join(("streams", *path.relative_to(STREAMS).with_suffix("").parts)) for path in deciding()}
    reached = {name for module in listed & set(KNOWN) for name in reachable(module, KNOWN)}
    code = {name for name in reached if KNOWN[name].name != "__init__.py"}
    assert code - listed == NEUTRAL
