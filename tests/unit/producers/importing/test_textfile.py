"""Text files: the encoding their bytes show, and damage that is named."""

import gzip
from pathlib import Path

import pytest

from producers.importing.textfile import read_text
from streams.errors import EXIT_USAGE, EventFileError


@pytest.mark.parametrize(
    ("encoding", "seen"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16-le"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32-le"), ("cp1252", "cp1252"), ("latin-1", "cp1252"),
    ],
)  # fmt: skip
def test_the_encoding_is_seen_from_the_bytes(encoding: str, seen: str, tmp_path: Path) -> None:
    """Byte order marks, UTF-8, UTF-16 without a mark, and Windows-1252 for what is none of them."""
    file = tmp_path / "r.csv"
    file.write_bytes("at,person\n1,Müller é»\n".encode(encoding))
    found = read_text(file)
    assert (found.text, found.encoding) == ("at,person\n1,Müller é»\n", seen)


def test_a_given_encoding_counts(tmp_path: Path) -> None:
    """--encoding names what the bytes do not show; a mark is no letter."""
    file = tmp_path / "r.csv"
    file.write_bytes("Москва".encode("cp1251"))
    assert read_text(file, "cp1251").text == "Москва"
    file.write_bytes("ü".encode("utf-16"))
    assert read_text(file, "utf-16").text == "ü"
    file.write_bytes("ü".encode("utf-8-sig"))
    assert read_text(file, "utf-8").text == "ü"


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        ("Müller\n".encode() + b"M\xfcller\n", "r.csv", "line 2: not UTF-8, although other places are"),
        (b"a\x81b", "r.csv", "line 1: not cp1252"),
        (b"a,b\n1,\x00\n", "r.csv", "line 2: there is a NUL in it"),
        (gzip.compress(b"a,b\n" * 99, mtime=0)[:-9], "r.csv.gz", "the gzip file is cut off"),
        (b"a,b\n1,2\n", "r.csv.gz", "the gzip file is damaged"),
        (gzip.compress(b"a,b\n" * 9, mtime=0)[:10] + b"\xff" * 30, "r.csv.gz", "the gzip file is damaged"),
    ],
    ids=["mixed", "no cp1252", "a NUL", "cut off", "not gzip", "damaged"],
)
def test_damage_is_named_with_the_file(data: bytes, name: str, message: str, tmp_path: Path) -> None:
    """Mixed encodings, bytes that mean nothing and broken gzip end with one line and the code of a usage error."""
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(EventFileError, match=message) as error:
        read_text(file)
    assert str(file) in str(error.value)
    assert error.value.exit_code == EXIT_USAGE


def test_an_encoding_that_is_none_is_refused(tmp_path: Path) -> None:
    """Names of codecs that make no text are none, either."""
    (tmp_path / "r.csv").write_text("a")
    for name in ("klingon", "base64", "zip"):
        with pytest.raises(EventFileError, match=f"encoding '{name}' is not known"):
            read_text(tmp_path / "r.csv", name)
