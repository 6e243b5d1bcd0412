"""Temporary folders: gone with their owner, at the latest when the next one begins."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from streams.system.scratch import scratch, sweep


def test_a_folder_ends_with_its_block(tmp_path: Path) -> None:
    """Inside it is there, with its kind in the name; afterwards nothing is left, whatever was put in."""

    def fails() -> None:
        with scratch("kind", tmp_path) as folder:
            (folder / "data").mkdir()
            assert folder.parent == tmp_path
            assert folder.name.startswith("joinstorm-kind-")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert not list(tmp_path.iterdir())


def test_folders_in_use_are_left_alone(tmp_path: Path) -> None:
    """Sweeping takes neither a folder whose owner lives nor what is not ours."""
    other = tmp_path / "joinstorm-of-somebody-else"
    other.mkdir()
    with scratch("one", tmp_path) as one, scratch("two", tmp_path) as two:
        sweep(tmp_path)
        assert one.is_dir()
        assert two.is_dir()
    assert list(tmp_path.iterdir()) == [other]


def test_what_a_killed_owner_left_goes_when_the_next_begins(tmp_path: Path) -> None:
    """After kill -9 the folder and its content stay until the next folder of any kind is created."""
    code = (
        "import sys, time; from pathlib import Path; from streams.system.scratch import scratch\n"
        f"with scratch('left', Path({str(tmp_path)!r})) as folder:\n"
        "    (folder / 'data').write_text('half'); print(folder, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        left = Path(owner.stdout.readline().strip())
        owner.send_signal(signal.SIGKILL)
    assert (left / "data").exists()
    with scratch("next", tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_swept_before_it_was_locked_is_created_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between creating and locking a folder, another process may sweep it as one without an owner."""
    real: Callable[[IO[str], int], None] = fcntl.flock
    swept: list[Path] = []

    def late(lock: IO[str], how: int) -> None:
        if not swept:
            swept.append(Path(lock.name).parent)
            sweep(tmp_path)
        real(lock, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with scratch("kind", tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]
        assert swept
        assert [folder] != swept


def test_traps_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link to a folder, a link as a lock and a folder of another user are neither used nor removed."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "lock").write_text("")
    (tmp_path / "joinstorm-linked-lock").mkdir()
    (tmp_path / "joinstorm-link").symlink_to(victim)
    (tmp_path / "joinstorm-linked-lock" / "lock").symlink_to(victim / "lock")
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "joinstorm-link",
        "joinstorm-linked-lock",
        "victim",
    ]
    assert (victim / "lock").exists()
    foreign = tmp_path / "joinstorm-foreign"
    foreign.mkdir()
    (foreign / "lock").write_text("")
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: foreign.stat().st_uid + 1)
        sweep(tmp_path)
    assert foreign.is_dir()
    sweep(tmp_path)
    assert not foreign.exists()
