"""Compiled code has a place that can be written, also where the cache folder cannot."""

import errno
import fcntl
import tempfile
from pathlib import Path
from typing import Any

import pytest

from producers.compose import encode
from streams.kernels import jit
from streams.kernels.jit import compiling, writable


def test_a_folder_that_can_be_written_is_used(tmp_path: Path) -> None:
    """It is made if missing, and nothing is left in it."""
    home = tmp_path / "cache" / "kernels"
    assert writable(home) == home
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("filled", [True, False])
def test_a_read_only_folder_is_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, filled: bool) -> None:
    """The copy is in a private folder and holds what was compiled; the second time it is only found."""
    home = tmp_path / "install" / "abcd"
    if filled:
        home.mkdir(parents=True)
        (home / "index").write_text("compiled")

    def refuse(**_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    copy = writable(home)
    assert copy.parent.parent == tmp_path
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in copy.iterdir()] == (["index"] if filled else [])
    (copy / "more").touch()
    assert writable(home) == copy
    assert (copy / "more").exists()
    assert [path.name for path in copy.parent.iterdir()] == ["abcd"]


def test_without_compiled_kernels_there_is_nothing_to_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The producer goes on with the codec."""
    monkeypatch.setattr(encode, "COMPILED", False)
    encode.warm.__wrapped__()


def test_who_only_loads_waits_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped while it compiled keeps its turn: those that have all they need go on."""
    monkeypatch.setattr(jit, "COMPILED", True)
    monkeypatch.setattr(jit, "folder", lambda: tmp_path)
    monkeypatch.setattr(jit, "_COMPILE_SECONDS", 0.0)
    with compiling("one"):
        (lock,) = tmp_path.glob("lock-*")
    assert len(list(tmp_path.glob("one-*.done"))) == 1

    def never(*_: Any) -> None:
        raise AssertionError("it asked for a turn")

    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with compiling("other"):  # goes on beside the one that holds the lock
            pass
        monkeypatch.setattr(jit, "in_turn", never)
        with compiling("one"):
            pass


def test_kernels_that_were_not_compiled_to_the_end_are_not_called_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process takes its turn."""
    monkeypatch.setattr(jit, "COMPILED", True)
    monkeypatch.setattr(jit, "folder", lambda: tmp_path)
    with pytest.raises(KeyboardInterrupt), compiling("one"):
        raise KeyboardInterrupt
    assert not list(tmp_path.glob("*.done"))
