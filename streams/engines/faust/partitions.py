"""The partitions a worker owns: their states, and how a chunk is counted. Knows no client library."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import TypeAlias

from streams.contract.deadletters import DeadLetter
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS
from streams.engines.faust.chunks import Chunk
from streams.engines.faust.steptimes import DECODE, FOLD, StepTimes
from streams.fold.columns import Bad
from streams.fold.state import PartitionState, decoder

Place: TypeAlias = tuple[str, int]
"""Base name of an input topic, and partition."""


class MissingRecordsError(Exception):
    """A chunk begins after what its partition's state has seen; read again from ``offset``."""

    def __init__(self, place: Place, offset: int, found: int) -> None:
        super().__init__(f"{place[0]}[{place[1]}]: expected offset {offset}, found {found}")
        self.offset = offset


class Partitions:
    """The states of the partitions a worker owns, and what has been counted since its start.

    Args:
        info: The run.
        engine: The name results are published under.
    """

    def __init__(self, info: RunInfo, engine: str) -> None:
        self.info = info
        self.engine = engine
        self.states: dict[Place, PartitionState] = {}
        self.step_times = StepTimes()
        self.dead_letters: list[DeadLetter] = []
        """Dead letters that are not yet written."""
        self.events: Counter[Place] = Counter()
        self.chunks: Counter[Place] = Counter()
        self.duplicates: Counter[Place] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        """Records put aside, by base name of the topic and reason."""
        names = info.names()
        self.base_of = {names.input(base): base for base in INPUTS}
        """Full name of an input topic to its base name."""
        self.full_of = {base: full for full, base in self.base_of.items()}
        """The other way round."""
        self._decoders = {base: decoder(info, base) for base in INPUTS}

    def accept(self, place: Place, chunk: Chunk) -> bool:
        """Count a chunk in the state of its partition; what the state has seen before is left out.

        Returns:
            Whether anything was new: a chunk of a partition that is not owned, or was seen before, changes nothing.

        Raises:
            MissingRecordsError: Records before it have not been seen.
        """
        state = self.states.get(place)
        if state is None or chunk.next_offset <= state.next_offset:
            return False
        if chunk.start > state.next_offset:
            raise MissingRecordsError(place, state.next_offset, chunk.start)
        self._apply(place, state, chunk.since(state.next_offset))
        return True

    def _apply(self, place: Place, state: PartitionState, chunk: Chunk) -> None:
        base, _ = place
        with self.step_times.measure(DECODE):
            decoded = self._decoders[base].decode(chunk.values)
        events, duplicates = state.events, state.duplicates
        with self.step_times.measure(FOLD):
            state.apply(decoded, chunk.next_offset)
        self.chunks[place] += 1
        self.events[place] += state.events - events
        self.duplicates[place] += state.duplicates - duplicates
        for bad in decoded.bad:
            self._add_dead_letter(place, chunk, bad)

    def _add_dead_letter(self, place: Place, chunk: Chunk, bad: Bad) -> None:
        base, partition = place
        self.reasons[base, bad.reason] += 1
        offset, value = int(chunk.offsets[bad.row]), chunk.values[bad.row]
        topic = self.full_of[base]
        letter = DeadLetter(topic, partition, offset, bad.reason, bad.detail, self.info.run, self.engine, value)
        self.dead_letters.append(letter)

    def keep_only(self, places: Collection[Place]) -> None:
        """Drop the states of all partitions but these."""
        self.states = {place: state for place, state in self.states.items() if place in places}

    def put(self, states: Iterable[PartitionState]) -> None:
        """Add the states of partitions."""
        self.states |= {(state.topic, state.partition): state for state in states}

    def places(self) -> list[Place]:
        """Return every partition of the run, owned or not."""
        return [(base, partition) for base in INPUTS for partition in range(self.info.partitions)]

    def ended(self) -> bool:
        """Whether every partition this worker owns has ended."""
        return all(state.ended for state in self.states.values())
