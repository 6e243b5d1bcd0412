"""Marks in the stream: the progress of a partition, and its end."""

import functools

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streams.contract.events import Mark, MarkKind, encode


def watermark_times(after: int, upto: int, step_ms: int) -> npt.NDArray[np.int64]:
    """Return the multiples of the step in ``(after, upto]``."""
    first = (after // step_ms + 1) * step_ms
    return np.arange(first, upto + 1, step_ms, dtype=np.int64)


def watermark(run: str, at: int) -> bytes:
    """Return the value of a watermark: every event of this partition before ``at`` has been sent."""
    return encode(Mark(mark=MarkKind.WATERMARK, at=at, run=run, v=1))


@functools.lru_cache(maxsize=1)  # every partition gets the same ones
def watermarks(run: str, after: int, upto: int, step_ms: int) -> tuple[npt.NDArray[np.int64], pa.BinaryArray]:
    """Return the times of the watermarks in ``(after, upto]``, and their values."""
    times = watermark_times(after, upto, step_ms)
    return times, pa.array([watermark(run, at) for at in times.tolist()], pa.binary())


def end_mark(run: str, at: int, events: int) -> bytes:
    """Return the value of an end mark: nothing follows, and this many distinct events came before."""
    return encode(Mark(mark=MarkKind.END, at=at, run=run, v=1, events=events))
