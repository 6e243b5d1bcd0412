"""Turns single counts, received as upserts, into results and progress with versions.

Engines built on tables (Flink SQL, Pathway) produce single counts without versions; this groups them into rows and adds
the versions.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from msgspec.structs import replace

from streams.contract.results import Counts, Progress, Result
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS
from streams.engines.shared.simplefold import Row, result

Place: TypeAlias = tuple[str, int]
"""Input topic by base name, and partition."""
WATERMARK: Final = "watermark"


class CountKey(NamedTuple):
    """Identifies a count."""

    about: str
    """Base name of the result topic, or of the input topic for a count of its progress."""
    shard: int
    window: int
    name: str
    measure: str


class UpsertCounts:
    """The current value of every count.

    A partition of an input topic has these measures: ``records`` (all that were read), ``dead_letters`` and ``marks``
    (those of them that are such), ``events`` (distinct ones), ``ends`` and ``watermark``.

    Args:
        info: The run.
        engine: The engine name in result keys.
        late_dropped: Whether late events are dropped; then it is unknown which of the uncounted events were duplicates.
    """

    def __init__(self, info: RunInfo, engine: str, *, late_dropped: bool = False) -> None:
        self.info, self.engine, self.late_dropped = info, engine, late_dropped
        self._rows: dict[tuple[Row, int], Counts] = {}
        self._read: dict[Place, Counts] = {}
        self._versions: dict[tuple[Row, int] | Place, int] = {}
        self._changed: set[tuple[Row, int]] = set()
        self._moved: set[Place] = set()

    def put(self, key: CountKey, n: int, version: int) -> None:
        """Set the current value of a count; ``version`` grows with every change of its row."""
        if key.about in INPUTS:
            place = (key.about, key.shard)
            self._read.setdefault(place, {})[key.measure] = n
            self._versions[place] = version
            self._moved.add(place)
        else:
            row = ((key.about, key.window, key.name), key.shard)
            self.republish(row, version)
            self._rows[row][key.measure] = n

    def republish(self, row: tuple[Row, int], version: int) -> None:
        """Mark a row as changed, so that it is written again; its counts are empty if none is known."""
        self._rows.setdefault(row, {})
        self._versions[row] = version
        self._changed.add(row)

    def take_results(self) -> Iterator[Result]:
        """Yield the rows changed since the last call; call it only when the counts are consistent."""
        changed, self._changed = self._changed, set()
        for row, shard in sorted(changed):
            version = self._versions[row, shard]
            yield result(self.info, self.engine, row, str(shard), version, self._rows[row, shard])

    def take_progress(self) -> Iterator[Progress]:
        """Yield the progress changed since the last call, to be published after the results."""
        moved, self._moved = self._moved, set()
        yield from (self._progress(place) for place in sorted(moved))

    def _progress(self, place: Place) -> Progress:
        topic, partition = place
        read = self._read[place]
        return replace(
            Progress.of_partition(self.info.run, self.engine, topic, partition),
            version=self._versions[place],
            watermark=read.get(WATERMARK),
            ended=self._ended(place),
            events=read.get("events", 0),
            duplicates=0 if self.late_dropped else self._uncounted(place),
            dead_letters=read.get("dead_letters", 0),
        )

    def _ended(self, place: Place) -> bool:
        return self._read.get(place, {}).get("ends", 0) > 0

    def _uncounted(self, place: Place) -> int:
        read = self._read[place]
        events = read.get("records", 0) - read.get("dead_letters", 0) - read.get("marks", 0)
        return max(0, events - read.get("events", 0))

    @property
    def ended(self) -> bool:
        """Whether every partition of both topics has ended."""
        return all(self._ended((topic, p)) for topic in INPUTS for p in range(self.info.partitions))

    @property
    def events(self) -> int:
        """Number of events counted."""
        return sum(read.get("events", 0) for read in self._read.values())

    @property
    def uncounted(self) -> int:
        """Number of events read but not counted: duplicates and, if those are dropped, late events."""
        return sum(self._uncounted(place) for place in self._read)

    @property
    def dead_letters(self) -> int:
        """Number of dead letters."""
        return sum(read.get("dead_letters", 0) for read in self._read.values())
