"""Single counts that come as upserts, folded into results and progress with versions: tables under the contract.

Engines that think in tables (Flink SQL, Pathway) know a count, not a row of counts, and no version. Both are added
here.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from streams.contract.results import Counts, Progress, Result
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS
from streams.engines.shared.simplefold import Row, result

Place: TypeAlias = tuple[str, int]
"""Input topic by base name, and partition."""
WATERMARK: Final = "watermark"


class CountKey(NamedTuple):
    """Which count is meant."""

    about: str
    """Base name of the topic of results, or of the input topic whose progress it is."""
    shard: int
    window: int
    name: str
    measure: str


class UpsertCounts:
    """Everything known so far.

    Of an input topic's partition these measures are understood: ``next_place``, ``readable`` (records that could be
    read at all), ``foreign_rows`` (those of them that are none of ours), ``marks``, ``events`` (distinct ones),
    ``ends`` and ``watermark``.

    Args:
        info: The run.
        engine: The name the results stand under.
        late_dropped: Whether windows were closed: then nobody knows which of the events not counted were duplicates.
    """

    def __init__(self, info: RunInfo, engine: str, *, late_dropped: bool = False) -> None:
        self.info, self.engine, self.late_dropped = info, engine, late_dropped
        self._rows: dict[tuple[Row, int], Counts] = {}
        self._read: dict[Place, Counts] = {}
        self._versions: dict[tuple[Row, int] | Place, int] = {}
        self._changed: set[tuple[Row, int]] = set()
        self._moved: set[Place] = set()

    def put(self, key: CountKey, n: int, version: int) -> None:
        """Take what a count is now; ``version`` grows for every row, and tells its states apart."""
        if key.about in INPUTS:
            place = (key.about, key.shard)
            self._read.setdefault(place, {})[key.measure] = n
            self._versions[place] = version
            self._moved.add(place)
        else:
            row = ((key.about, key.window, key.name), key.shard)
            self.say_again(row, version)
            self._rows[row][key.measure] = n

    def say_again(self, row: tuple[Row, int], version: int) -> None:
        """Have a row written once more, with what is known of it; empty if that is nothing."""
        self._rows.setdefault(row, {})
        self._versions[row] = version
        self._changed.add(row)

    def results(self) -> Iterator[Result]:
        """Yield the rows that have changed since the last call; to be asked where all counts belong together."""
        changed, self._changed = self._changed, set()
        for row, shard in sorted(changed):
            version = self._versions[row, shard]
            yield result(self.info, self.engine, row, str(shard), version, self._rows[row, shard])

    def progress(self) -> Iterator[Progress]:
        """Yield the progress that has changed since the last call; to be published after the results."""
        moved, self._moved = self._moved, set()
        yield from (self._progress(place) for place in sorted(moved))

    def _progress(self, place: Place) -> Progress:
        topic, partition = place
        read = self._read[place]
        skipped = max(0, read.get("next_place", 0) - read.get("readable", 0))
        return Progress(
            v=1,
            run=self.info.run,
            engine=self.engine,
            topic=topic,
            shard=str(partition),
            partitions=(partition,),
            version=self._versions[place],
            watermark=read.get(WATERMARK),
            ended=self._ended(place),
            events=read.get("events", 0),
            duplicates=0 if self.late_dropped else self._uncounted(place),
            dead_letters=skipped + read.get("foreign_rows", 0),
        )

    def _ended(self, place: Place) -> bool:
        return self._read.get(place, {}).get("ends", 0) > 0

    def _uncounted(self, place: Place) -> int:
        read = self._read[place]
        events = read.get("readable", 0) - read.get("foreign_rows", 0) - read.get("marks", 0)
        return max(0, events - read.get("events", 0))

    @property
    def ended(self) -> bool:
        """Whether the end of every partition of both topics is known."""
        return all(self._ended((topic, p)) for topic in INPUTS for p in range(self.info.partitions))

    @property
    def events(self) -> int:
        """How many events were counted."""
        return sum(read.get("events", 0) for read in self._read.values())

    @property
    def uncounted(self) -> int:
        """How many events were read and not counted: duplicates, or what came too late where that is dropped."""
        return sum(self._uncounted(place) for place in self._read)

    @property
    def dead_letters(self) -> int:
        """How many records were none of ours."""
        return sum(self._progress(place).dead_letters for place in self._read)
