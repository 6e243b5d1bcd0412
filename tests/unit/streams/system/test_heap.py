"""The C library's heap."""

import subprocess
import sys

from streams.system.heap import keep_freed_memory

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
