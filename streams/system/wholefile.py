"""Files that appear whole or not at all."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a hidden path in the same folder; the file written there takes the name ``path`` when the block ends.

    When the block raises, the hidden file is removed and ``path`` stays as it was. A block that leaves no file behind
    changes nothing.

    Raises:
        OSError: ``path`` is a folder, or the file cannot take its name.
    """
    if path.name in {"", ".."} or path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    # Not to be guessed: in a folder where others may write, nobody can plant a link of that name.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        if part.exists():
            part.replace(path)
    finally:
        with contextlib.suppress(OSError):  # the folder may be what is missing
            part.unlink()
