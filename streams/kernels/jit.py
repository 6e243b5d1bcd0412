"""How kernels are compiled: by numba, once per machine; where that cannot be, they stay plain Python.

Compiled code is kept below joinstorm's cache folder, in a folder of its own for every version of these sources and of
numba: numba itself looks at the file of a function only, not at those it calls. The import costs 0.4 s, so only the
commands that read or write records import this package.
"""

import contextlib
import functools
import hashlib
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final, TypeVar

from streams.system.cache import cache_folder
from streams.system.privatefolder import require_private, user_folder
from streams.system.turns import in_turn

log = logging.getLogger(__name__)

SWITCH: Final = "JOINSTORM_KERNELS"
"""Environment variable; ``off`` leaves the kernels uncompiled."""
_BYTES: Final = 8
_COMPILE_SECONDS: Final = 60.0
_F = TypeVar("_F", bound=Callable[..., Any])


@functools.cache
def folder() -> Path:
    """Return where the compiled code of these sources is kept, a folder that can be written."""
    digest = hashlib.blake2b(metadata.version("numba").encode(), digest_size=_BYTES)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return writable(cache_folder(os.environ) / "kernels" / digest.hexdigest())


def writable(home: Path) -> Path:
    """Return a folder, made if missing; where it cannot be written, as in a read-only install, a private copy of it.

    Raises:
        OSError: There is no place for the copy either.
        EnvironmentMissingError: The place of the copy is not this user's own.
    """
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return home
    copy = require_private(user_folder("joinstorm-kernels")) / home.name
    if not copy.exists():
        part = copy.with_name(f".{home.name}.{secrets.token_hex(4)}.part")
        if home.exists():
            shutil.copytree(home, part)
        else:
            part.mkdir()
        with contextlib.suppress(OSError):  # another process was first
            part.replace(copy)
        shutil.rmtree(part, ignore_errors=True)
    return copy


def _compiler() -> Callable[..., Any] | None:
    """Return numba's decorator, None where nothing can be compiled; proven on one small function."""
    if os.environ.get(SWITCH) == "off":
        return None
    try:
        import numba  # noqa: PLC0415 - the switch above and a machine without it must work

        numba.config.CACHE_DIR = str(folder())  # type: ignore[attr-defined]
        jit: Callable[..., Any] = functools.partial(numba.njit, nogil=True, error_model="numpy", _nrt=False)
        jit(_probe, cache=True)(1)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a compiler, records can still be read
        log.warning("kernels are not compiled, records are decoded one by one: %s", error)
        return None
    return jit


def _probe(number: int) -> int:
    return number + 1


@contextlib.contextmanager
def compiling(what: str) -> Iterator[None]:
    """Have one process at a time compile the kernels that the block calls; what it has compiled the others only load.

    Loading waits for nobody. numba keeps the code of each copy of the sources by itself, so processes of another copy
    are not waited for either; nor is one that has been at it for long, as it may be stopped: numba's files are safe
    with two that write them.

    Args:
        what: Names these kernels among those of other blocks.
    """
    if not COMPILED:
        yield
        return
    home = hashlib.blake2b(os.fsencode(Path(__file__).parent), digest_size=_BYTES).hexdigest()
    done = folder() / f"{what}-{home}.done"
    if done.exists():
        yield
        return
    with in_turn(folder() / f"lock-{home}", _COMPILE_SECONDS):
        yield
    with contextlib.suppress(OSError):  # the next process takes its turn too
        done.touch()


_jit: Final = _compiler()
COMPILED: Final = _jit is not None
"""Whether kernels are fast; if not, a caller that has another way takes it."""


def compiled(kernel: _F) -> _F:
    """Compile a kernel over numbers, arrays and named tuples of arrays when it is first called, once per machine."""
    return kernel if _jit is None else _jit(kernel, cache=True)


def inner(function: _F) -> _F:
    """Compile a function that only kernels call: as a part of each place that calls it."""
    return function if _jit is None else _jit(function, forceinline=True)


def seldom(function: _F) -> _F:
    """Compile a function that only kernels call, off the hot path: once, called."""
    return function if _jit is None else _jit(function)
