"""The folders of engines that keep state on disk: private, and below their parent whatever a run is called."""

import os
import tempfile
from pathlib import Path

import msgspec
import pytest

from streams.engines.abstract import WorkerSettings
from streams.engines.shared.statefolder import OPTION, forget, state_folder
from streams.errors import ContractError, EnvironmentMissingError
from streams.kafka.connection import Connection
from tests.nights import run_info


def settings(run: str = "r", **options: str) -> WorkerSettings:
    """Return the settings of a worker of an engine."""
    info = msgspec.structs.replace(run_info(), run=run)
    return WorkerSettings(Connection("127.0.0.1:1"), info, "quix", worker=2, options=options)


def test_the_given_folder(tmp_path: Path) -> None:
    """A worker finds its folder again, and leaves nothing of it when the run is done."""
    folder = state_folder(settings("r-1", **{OPTION: str(tmp_path)}))
    assert folder == tmp_path / "r-1" / "quix" / "worker-2"
    (folder / "state").write_text("x")
    assert state_folder(settings("r-1", **{OPTION: str(tmp_path)})) == folder
    forget(folder)
    assert not folder.exists()


@pytest.mark.parametrize("run", ["../../up", "..", "a/b", "/etc", "...."])
def test_a_run_id_that_is_a_path_is_refused(tmp_path: Path, run: str) -> None:
    """A run id comes from a record: one that leads elsewhere is refused before a folder is made."""
    with pytest.raises(ContractError, match="run id"):
        state_folder(settings(run, **{OPTION: str(tmp_path / "state")}))
    assert list(tmp_path.iterdir()) == []


def test_the_default_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the option it is a folder of this user alone; one that another user could have planted is refused."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    own = tmp_path / f"joinstorm-state-{os.getuid()}"
    assert own in state_folder(settings()).parents
    own.chmod(0o777)
    with pytest.raises(EnvironmentMissingError, match="other users may write"):
        state_folder(settings())
