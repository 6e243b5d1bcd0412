"""Compiled code has a place that can be written, also where the cache folder cannot."""

import errno
import tempfile
from pathlib import Path
from typing import Any

import pytest

from producers.compose import encode
from streams.kernels.jit import writable


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
