"""Text files as they come: compressed or not, in the encoding their bytes show."""

import codecs
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streams.errors import EventFileError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE: Final = 4096
"""Bytes in which UTF-16 without a mark is looked for."""
_MULTIBYTE: Final = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""A letter beyond ASCII as UTF-8 writes it; such runs hardly occur in texts of Windows-1252."""


@dataclass(frozen=True)
class Text:
    """The text of a file, and the encoding it was read in."""

    text: str
    encoding: str


def read_text(path: Path, encoding: str | None = None) -> Text:
    """Return a file's text without its byte order mark.

    The encoding is the given one, else that of the byte order mark, else UTF-8, else UTF-16 where half of the bytes
    are zero, else Windows-1252.

    Raises:
        EventFileError: The file is not there, damaged, or in no such encoding.
    """
    data = read_bytes(path)
    if encoding is not None:
        name = known_encoding(encoding)
        return Text(_decoded(path, data, name).removeprefix("\ufeff"), name)
    for mark, name in _MARKS:
        if data.startswith(mark):
            return Text(_decoded(path, data[len(mark) :], name), name)
    if name := _utf16(data[:_SAMPLE]):
        return Text(_decoded(path, data, name), name)
    try:
        return Text(_without_nul(path, data.decode()), "utf-8")
    except UnicodeDecodeError as error:
        if _MULTIBYTE.search(data):
            raise EventFileError(
                f"{path}, line {_line(data, error.start)}: not UTF-8, although other places are: the file is damaged "
                "or mixes encodings; write it again, or name one with --encoding"
            ) from None
    return Text(_decoded(path, data, "cp1252"), "cp1252")


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, unpacked if its name ends in ``.gz``; raises EventFileError where that cannot be."""
    try:
        if path.suffix.lower() != ".gz":
            return path.read_bytes()
        with gzip.open(path) as file:
            return file.read()
    except FileNotFoundError:
        raise EventFileError(f"{path}: there is no such file") from None
    except EOFError:
        raise EventFileError(f"{path}: the gzip file is cut off") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise EventFileError(f"{path}: the gzip file is damaged: {error}") from None
    except OSError as error:
        raise EventFileError(f"{path}: cannot be read: {error.strerror or error}") from None


def known_encoding(name: str) -> str:
    """Return Python's name of an encoding; raises EventFileError if there is no such text encoding."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)  # takes no codec that makes something else than text
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise EventFileError(f"encoding {name!r} is not known; expected utf-8, utf-16, cp1252, latin-1 …") from None


def _utf16(sample: bytes) -> str:
    """Return the kind of UTF-16 whose zero bytes the sample shows, an empty text if it shows none."""
    for name, first in (("utf-16-be", 0), ("utf-16-le", 1)):
        zeros = sample[first::2].count(0)
        if zeros * 4 > len(sample) and sample.count(0) == zeros:
            return name
    return ""


def _decoded(path: Path, data: bytes, name: str) -> str:
    try:
        return _without_nul(path, data.decode(name))
    except UnicodeDecodeError as error:
        raise EventFileError(
            f"{path}, line {_line(data, error.start)}: not {name}: {error.reason}; name the encoding with --encoding"
        ) from None


def _without_nul(path: Path, text: str) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise EventFileError(f"{path}, line {line}: there is a NUL in it; name the encoding with --encoding")
    return text


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
