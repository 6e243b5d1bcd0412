"""Memory: freed arrays are kept, and cycles are looked for less often."""

import gc
import subprocess
import sys

from streams.system.heap import collect_seldom, keep_freed_memory

CHURN = """
import resource, sys
import numpy as np
from streams.system.heap import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
for _ in range(10):
    blocks = [np.ones(8 << 20, np.uint8) for _ in range(8)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def test_asking_twice_is_no_error() -> None:
    """A process may ask as often as it likes, and always hears the same."""
    assert keep_freed_memory() == keep_freed_memory()


def test_freed_arrays_are_used_again() -> None:
    """Where the C library takes the wish, arrays that come and go cost no page faults after the first."""
    if not keep_freed_memory():
        return
    faults = {
        how: int(subprocess.run([sys.executable, "-c", CHURN, how], capture_output=True, check=True, text=True).stdout)
        for how in ("kept", "given back")
    }

    assert faults["kept"] < faults["given back"] / 2


def test_many_objects_without_cycles_are_not_searched() -> None:
    """Thirty thousand records that are kept start no search for cycles; without the setting they start dozens."""
    found: list[int] = []
    before, kept = gc.get_threshold(), []
    gc.collect()
    gc.callbacks.append(lambda phase, _: found.append(1) if phase == "start" else None)
    try:
        collect_seldom()
        kept += [[number] for number in range(30_000)]
    finally:
        gc.callbacks.pop()
        gc.set_threshold(*before)

    assert len(kept) == 30_000
    assert not found
