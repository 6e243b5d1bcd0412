"""Captures topics into a file, from the beginning or from where an earlier attempt was cut."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from producers.capture.capturefile import Capture, open_capture
from producers.capture.captureformat import CapturePlan
from producers.capture.capturewriter import CaptureWriter, part_of
from producers.capture.planning import Bounds, check_same, planned, topics_of
from producers.capture.reading import Reading
from streams.errors import CaptureError, UsageError, reason
from streams.kafka.connection import Connection

Progress = Callable[[int, int | None, int], None]
"""Called with the offsets read so far, how many there are (None if that is not known yet), and the records so far."""


@dataclass(frozen=True)
class CaptureRequest:
    """What a user asks of ``joinstorm capture``.

    Args:
        connection: Where the broker is.
        path: The file.
        topics: The topics; none to continue a capture.
        bounds: Which records.
        resume: Continue a capture that was cut.
    """

    connection: Connection
    path: Path
    topics: tuple[str, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    resume: bool = False


@dataclass(frozen=True)
class CaptureResult:
    """The outcome of a capture."""

    path: str
    topics: dict[str, int]
    """Partitions of each topic."""
    records: int
    bytes: int
    """Size of the file."""
    added: int
    """Records captured by this attempt."""
    seconds: float
    records_per_second: float


def capture(request: CaptureRequest, progress: Progress) -> CaptureResult:
    """Capture topics; what is interrupted stays as a part, which can be continued.

    Raises:
        UsageError: The request cannot be met; the text says why.
        CaptureError: The file cannot be read or written.
        BrokerError: The broker does not answer, or does not have the records any more.
    """
    if request.path.exists():
        raise CaptureError(f"{request.path}: exists; remove it, or choose another file with --out")
    begun = _begun(request) if request.resume else None
    if begun is not None and begun.end is not None:  # only its name is missing
        return _named(request, begun)
    plan = planned(request.connection, request.topics, request.bounds) if begun is None else begun.plan
    started = time.monotonic()
    held = 0 if begun is None else begun.records
    with CaptureWriter(request.path, plan, begun.size if begun else 0, held) as writer:
        wanted = _wanted(plan, positions := _positions(plan, begun))

        def show(read: int) -> None:
            writer.flush_due()
            progress(read, wanted, writer.records)

        asyncio.run(Reading(request.connection, plan, positions, held, writer.append, show).run())
        writer.finish()
    seconds = time.monotonic() - started
    return _result(request.path, plan, writer.records, writer.records - held, seconds)


def _begun(request: CaptureRequest) -> Capture:
    if request.topics or request.bounds != Bounds():
        raise UsageError("--resume continues with the topics and bounds of the capture; give none")
    begun = open_capture(part_of(request.path), whole=False)
    check_same(begun.plan, topics_of(request.connection, tuple(begun.plan.topics)), request.connection)
    return begun


def _positions(plan: CapturePlan, begun: Capture | None) -> dict[tuple[str, int], int]:
    """Return the next offset of each partition."""
    found = {}
    for part in plan.parts:
        place = part.topic, part.partition
        held = begun.next_offset(*place) if begun else None
        found[place] = part.begin if held is None else held
    return found


def _wanted(plan: CapturePlan, positions: dict[tuple[str, int], int]) -> int | None:
    """Return how many offsets there are to read, None if that is not known."""
    if any(part.end is None for part in plan.parts):
        return None
    return sum((part.end or 0) - positions[part.topic, part.partition] for part in plan.parts)


def _named(request: CaptureRequest, begun: Capture) -> CaptureResult:
    try:
        part_of(request.path).replace(request.path)
    except OSError as error:
        raise CaptureError(f"{request.path}: cannot be written: {reason(error)}") from None
    return _result(request.path, begun.plan, begun.records, 0, 0.0)


def _result(path: Path, plan: CapturePlan, records: int, added: int, seconds: float) -> CaptureResult:
    rate = added / seconds if seconds else 0.0
    return CaptureResult(str(path), plan.topics, records, path.stat().st_size, added, seconds, rate)
