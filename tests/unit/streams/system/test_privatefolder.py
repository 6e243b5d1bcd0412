"""Private folders: nothing is written or read where another user could have planted it."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from streams.errors import EnvironmentMissingError
from streams.system.privatefolder import PrivateFolder, require_private, runtime_folder, user_folder


def test_a_folder_is_made_for_this_user_alone(tmp_path: Path) -> None:
    """Folder and files are closed to all others, whatever the umask."""
    before = os.umask(0)
    try:
        PrivateFolder(tmp_path / "own").write("1.json", b"{}")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "own" / "1.json").stat().st_mode) == 0o600


def test_files_are_written_read_and_removed(tmp_path: Path) -> None:
    """A second file of a name replaces the first; what is not there can be read and removed as nothing."""
    folder = PrivateFolder(tmp_path / "own")
    assert folder.read_all(".json") == {}
    assert not (tmp_path / "own").exists()
    folder.write("1.json", b"old")
    folder.write("1.json", b"new")
    folder.write("note.txt", b"x")
    assert folder.read_all(".json") == {"1.json": b"new"}
    folder.remove("1.json")
    folder.remove("1.json")
    assert folder.read_all(".json") == {}


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    """A link in place of a file is replaced, not written through, and not read."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = PrivateFolder(require_private(tmp_path / "own"))
    (folder.path / "1.json").symlink_to(victim)
    (folder.path / "2.json").symlink_to(victim)
    folder.write("1.json", b"ours")
    assert victim.read_text() == "precious"
    assert folder.read_all(".json") == {"1.json": b"ours"}


def test_a_pipe_in_the_folder_holds_nobody_up(tmp_path: Path) -> None:
    """Only regular files are read, and only their beginning."""
    folder = PrivateFolder(require_private(tmp_path / "own"))
    os.mkfifo(folder.path / "1.json")
    (folder.path / "2.json").mkdir()
    (folder.path / "3.json").write_bytes(b"x" * 1_000_000)
    assert {name: len(content) for name, content in folder.read_all(".json").items()} == {"3.json": 65_536}


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_may_write_in_is_refused(tmp_path: Path, mode: int) -> None:
    """Neither written nor read, and the one line says why."""
    own = tmp_path / "own"
    own.mkdir()
    own.chmod(mode)
    for use in (lambda: PrivateFolder(own).write("1.json", b""), lambda: PrivateFolder(own).read_all(".json")):
        with pytest.raises(EnvironmentMissingError, match=r"but other users may write in it$") as caught:
            use()
        assert str(caught.value).startswith(f"{own}: ")
    assert list(own.iterdir()) == []


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder made beforehand by another user is not used."""
    own = require_private(tmp_path / "own")
    monkeypatch.setattr(os, "getuid", lambda: own.stat().st_uid + 1)
    with pytest.raises(EnvironmentMissingError, match=r"but it belongs to another user$"):
        require_private(own)


@pytest.mark.parametrize("target", ["elsewhere", "nowhere", "file"])
def test_a_link_or_a_file_is_no_folder(tmp_path: Path, target: str) -> None:
    """A link to a private folder is refused like a link to nothing and a file."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "file").write_text("")
    own = tmp_path / "file"
    if target != "file":
        own = tmp_path / "own"
        own.symlink_to(tmp_path / target)
    with pytest.raises(EnvironmentMissingError, match=r"found a link or a file$"):
        PrivateFolder(own).read_all(".json")


def test_where_running_processes_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_RUNTIME_DIR if it is this user's private folder; else a folder with the user's id in the temporary folder."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/tmp-of-all")
    fallback = Path(f"/tmp-of-all/joinstorm-{os.getuid()}")
    assert user_folder("joinstorm") == fallback
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    link = tmp_path / "link"
    link.symlink_to(private)
    assert runtime_folder({"XDG_RUNTIME_DIR": str(private)}) == private / "joinstorm"
    for unfit in ("", "relative", str(open_to_all), str(link), str(tmp_path / "none")):
        assert runtime_folder({"XDG_RUNTIME_DIR": unfit}) == fallback
    assert runtime_folder({}) == fallback
