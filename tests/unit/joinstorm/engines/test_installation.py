"""What the installation of an engine with an environment of its own runs, and in which order."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from joinstorm.engines import installation
from streams.engines import registry
from streams.engines.environments import OwnEnvironmentEngine


class Prepared(OwnEnvironmentEngine):
    """An engine that prepares its environment."""

    name = "prepared"
    library: ClassVar = "no_such_library"
    requirements: ClassVar = ("one>=1",)
    flow: ClassVar = "no.such.flow"
    prepares: ClassVar = "some.module"


def test_an_engine_prepares_its_environment_once_it_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After pip, with the environment's own Python, and the folder in its variables."""
    ran: list[tuple[list[str], Mapping[str, str] | None]] = []

    def run(command: list[str], environ: Mapping[str, str] | None = None) -> None:
        ran.append((command, environ))
        folder.mkdir(parents=True, exist_ok=True)

    folder = tmp_path / "engines" / "prepared"
    monkeypatch.setattr(registry, "load", lambda _name: Prepared())
    monkeypatch.setattr(installation, "_run", run)
    assert installation.install("prepared", {"JOINSTORM_CACHE_DIR": str(tmp_path)}) == folder
    assert ["venv" in command for command, _ in ran] == [True, False, False]
    assert "one>=1" in ran[1][0]
    command, environ = ran[2]
    assert command[0] == str(folder / "bin" / "python")
    assert command[-1] == "some.module"
    assert environ is not None
    assert environ["JOINSTORM_ENGINE_FOLDER"] == str(folder)
    assert (folder / "installed.txt").read_text() == "one>=1\n"
