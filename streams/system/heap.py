"""How the C library's heap is told to keep what it has: arrays of a few megabytes come and go all the time."""

import ctypes
import sys
from typing import Final

# Numbers of glibc's <malloc.h>.
_TRIM_THRESHOLD: Final = -1
_TOP_PAD: Final = -2
_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 1 << 30
_GROWTH_BYTES: Final = 64 << 20
_LARGEST_ON_HEAP: Final = 32 << 20
"""The greatest glibc takes."""


def keep_freed_memory() -> bool:
    """Have freed memory stay with the process, to be used again, up to 1 GiB; return whether the C library can.

    By default glibc gives every freed block of some size back to the kernel, and the next one costs a page fault per
    4 KiB: a fifth of the time of whoever handles whole record batches (docs/performance.md).
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    wishes = ((_MMAP_THRESHOLD, _LARGEST_ON_HEAP), (_TRIM_THRESHOLD, _KEPT_BYTES), (_TOP_PAD, _GROWTH_BYTES))
    taken = [mallopt(name, value) == 1 for name, value in wishes]
    return all(taken)
