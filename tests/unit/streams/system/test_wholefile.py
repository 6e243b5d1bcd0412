"""Files that appear whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from streams.errors import reason
from streams.system.wholefile import whole_file


def test_the_file_takes_its_name_when_the_block_ends(tmp_path: Path) -> None:
    """Until then the old file stands; afterwards the new one does, and nothing else is left."""
    path = tmp_path / "verdict.json"
    path.write_text("old")
    with whole_file(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
        assert part.parent == tmp_path
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_raises_leaves_the_old_file(tmp_path: Path) -> None:
    """Any exception, an interruption too, removes what was written and keeps what was there."""
    path = tmp_path / "verdict.json"
    path.write_text("old")

    def interrupted() -> None:
        with whole_file(path) as part:
            part.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_without_a_file_changes_nothing(tmp_path: Path) -> None:
    """A block may discard its file: the name is not taken."""
    with whole_file(tmp_path / "a.tape") as part:
        part.write_text("x")
        part.unlink()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "folder", ".."])
def test_a_folder_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    """A path that is a folder cannot become a file: it is refused at once, with that reason."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught, whole_file(tmp_path / name) as part:
        part.write_text("x")
    assert reason(caught.value) == "Is a directory"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_folder_that_is_missing_or_a_file(tmp_path: Path) -> None:
    """The system's own error comes through, whatever can be cleaned up or not."""
    (tmp_path / "file").write_text("")
    for folder, why in (("none", "No such file or directory"), ("file", "Not a directory")):
        with pytest.raises(OSError, match="directory") as caught, whole_file(tmp_path / folder / "a") as part:
            part.write_text("x")
        assert reason(caught.value) == why


def test_the_reason_leaves_the_path_out() -> None:
    """A system error has its plain text; an error of a library without a number has its first line."""
    assert reason(OSError(errno.ENOSPC, "Error writing /x/.y.part")) == os.strerror(errno.ENOSPC)
    assert reason(OSError("Couldn't deserialize thrift\nmore")) == "Couldn't deserialize thrift"
    assert reason(OSError()) == "OSError"


def test_the_hidden_name_cannot_be_guessed(tmp_path: Path) -> None:
    """Two writers of one file, in one process even, have each a hidden file of their own."""
    path = tmp_path / "a"
    with whole_file(path) as one, whole_file(path) as other:
        assert one != other
        one.write_text("first")
        other.write_text("second")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
