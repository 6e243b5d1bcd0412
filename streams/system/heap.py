"""Memory as this program needs it: freed arrays stay with the process, and Python looks for cycles less often."""

import ctypes
import gc
import sys
from typing import Final

# Constants from glibc's <malloc.h>.
_TRIM_THRESHOLD: Final = -1
_TOP_PAD: Final = -2
_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 1 << 30
_GROWTH_BYTES: Final = 64 << 20
_LARGEST_ON_HEAP: Final = 32 << 20
"""The maximum glibc accepts."""
_COLLECT_AFTER: Final = 50_000
"""New containers; Python's default is 700. Records, results and chunks make no cycles, and there are many of them."""


def keep_freed_memory() -> bool:
    """Keep up to 1 GiB of freed memory in the process, for reuse; return whether the C library supports that.

    By default glibc returns every large freed block to the kernel, and the next one costs a page fault per 4 KiB: a
    fifth of the time spent on whole record batches (docs/performance.md).
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    settings = ((_MMAP_THRESHOLD, _LARGEST_ON_HEAP), (_TRIM_THRESHOLD, _KEPT_BYTES), (_TOP_PAD, _GROWTH_BYTES))
    accepted = [mallopt(name, value) == 1 for name, value in settings]
    return all(accepted)


def collect_seldom() -> None:
    """Look for cycles of garbage less often: it took a sixth of the processor time of a reader of results."""
    gc.set_threshold(_COLLECT_AFTER)
