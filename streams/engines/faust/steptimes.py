"""Where a worker's own time goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

DECODE: Final = "decode"
FOLD: Final = "fold"
PUBLISH: Final = "publish"
CHECKPOINT: Final = "checkpoint"
RESTORE: Final = "restore"
STEPS: Final = (DECODE, FOLD, PUBLISH, CHECKPOINT, RESTORE)


class StepTimes:
    """Seconds per step; only stretches without waiting are measured, but for ``restore``, which reads the broker."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(STEPS, 0.0)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the time spent inside."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] += time.perf_counter() - started
