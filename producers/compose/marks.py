"""Marks in the stream: the progress of a partition, and its end."""

import functools

import numpy as np
import numpy.typing as npt

from streams.contract.events import Mark, MarkKind, encode


def watermark_times(after: int, upto: int, step_ms: int) -> npt.NDArray[np.int64]:
    """Return the multiples of the step in ``(after, upto]``."""
    first = (after // step_ms + 1) * step_ms
    return np.arange(first, upto + 1, step_ms, dtype=np.int64)


@functools.lru_cache(maxsize=1 << 14)  # every partition gets the same ones
def watermark(run: str, at: int) -> bytes:
    """Return the value of a watermark: every event of this partition before ``at`` has been sent."""
    return encode(Mark(mark=MarkKind.WATERMARK, at=at, run=run, v=1))


def end_mark(run: str, at: int, events: int) -> bytes:
    """Return the value of an end mark: nothing follows, and this many distinct events came before."""
    return encode(Mark(mark=MarkKind.END, at=at, run=run, v=1, events=events))
