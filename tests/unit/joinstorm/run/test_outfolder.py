"""The folder of a run: never that of another run."""

import subprocess
import sys
from pathlib import Path

import pytest

from joinstorm.run.outfolder import new_folder, run_folder
from streams.errors import UsageError


def test_runs_of_one_second_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is named after the time, further ones get a number."""
    monkeypatch.setattr("time.strftime", lambda _: "20261129-201500")
    names = [new_folder(tmp_path / "out").name for _ in range(3)]
    assert names == ["20261129-201500", "20261129-201500-2", "20261129-201500-3"]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    """Two runs at once cannot write to one folder; one after the other can."""
    folder = tmp_path / "deep" / "out"
    with run_folder(folder) as first:
        assert first == folder
        with pytest.raises(UsageError, match="another run is using this folder"), run_folder(folder):
            pytest.fail("used twice")
    with run_folder(folder):
        assert list(folder.iterdir()) == []


def test_a_killed_run_holds_no_folder(tmp_path: Path) -> None:
    """The kernel releases the lock of a process that could not do so itself."""
    code = (
        "import sys, time; from pathlib import Path; from joinstorm.run.outfolder import run_folder\n"
        f"with run_folder(Path({str(tmp_path)!r})):\n    print('up', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "up\n"
        with pytest.raises(UsageError), run_folder(tmp_path):
            pytest.fail("used twice")
        run.kill()
    with run_folder(tmp_path) as folder:
        assert folder == tmp_path


@pytest.mark.parametrize("given", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, given: str) -> None:
    """The error has the path, which the command line prints."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file") as raised, run_folder(tmp_path / given):
        pytest.fail("made")
    assert str(raised.value.filename).startswith(str(tmp_path / "file"))
