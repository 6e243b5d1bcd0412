"""Where the blocks of a replay come from: a tape, or whatever else has records with times."""

from collections.abc import Iterator
from typing import Any, Protocol

from producers.compose.composer import Block, Composer, StreamFaults
from producers.replay.position import Position
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo


class Source(Protocol):
    """Makes the blocks of one replay."""

    def blocks(self, resume: Position | None) -> Iterator[Block]:
        """Yield blocks in the order of their times, without what was acknowledged before a saved position."""
        ...


class TapeSource:
    """The blocks of a tape: events and marks.

    Args:
        tape: The tape.
        info: The run.
        plan: Declared faults.
    """

    def __init__(self, tape: Tape, info: RunInfo, plan: StreamFaults | None = None) -> None:
        self._tape = tape
        self._info = info
        self._plan = plan

    def blocks(self, resume: Position | None) -> Iterator[Block]:
        """Yield the blocks from the row of a saved position on."""
        composer = Composer(self._info, self._plan)
        if resume:
            composer.marked = max(self._info.start, resume.at - 1 - composer.plan.disorder_ms)
            composer.skip(batch.slice(0, resume.row - start) for start, batch in self._before(resume.row))
        yield from composer.compose(self._tape.blocks(resume.row if resume else 0))

    def _before(self, row: int) -> Iterator[tuple[int, Any]]:
        for batch in self._tape.blocks():
            start = int(batch.column("event_id")[0].as_py())
            if start >= row:
                return
            yield start, batch
