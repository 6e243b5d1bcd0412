"""Turns the changes of Pathway's one table of counts into results and progress with versions.

Pathway works in batches. At the end of each batch its table is a consistent cut: everything that follows from the
records before some offsets, and nothing else. So the next offset of a partition is the version of its rows: workers
that have read equally far publish the same rows, also after a restart from the first record.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from streams.contract.results import AudienceResult, ReactionResult
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS, PRESENCE, RESULTS_AUDIENCE, RESULTS_REACTION, TWEETS
from streams.engines.shared.simplefold import Row
from streams.engines.shared.upserts import CountKey, Place, UpsertCounts
from streams.errors import DecodeError

if TYPE_CHECKING:  # so that this module does not need librdkafka
    from streams.engines.shared.resultswriter import Out

NEXT_PLACE: Final = "next_place"
DEAD_LETTER: Final = "dead letter"
"""The measure of a row that holds a dead letter."""
INPUT_OF: Final = {RESULTS_AUDIENCE: PRESENCE, RESULTS_REACTION: TWEETS, PRESENCE: PRESENCE, TWEETS: TWEETS}


class PathwayCounts(UpsertCounts):
    """The current counts of Pathway's table.

    Args:
        info: The run.
        engine: The engine name in result keys.
    """

    def __init__(self, info: RunInfo, engine: str) -> None:
        super().__init__(info, engine)
        self._batch: dict[CountKey, int] = {}
        self._next: dict[Place, int] = {}
        self._dead_letters: list[tuple[DecodeError, bytes | None]] = []
        self._written: dict[tuple[Row, int], int] = {}

    def accept_written(self, one: AudienceResult | ReactionResult) -> None:
        """Add a result that an earlier worker has written.

        Pathway does not report a row that changed and changed back within a batch, but a killed worker may have written
        its intermediate state. So each such row is written again as soon as the records behind it have been read.
        """
        about = RESULTS_AUDIENCE if isinstance(one, AudienceResult) else RESULTS_REACTION
        name = one.space if isinstance(one, AudienceResult) else one.subject
        row = ((about, one.window, name), int(one.shard))
        self._written[row] = max(one.version, self._written.get(row, 0))

    def accept(self, row: Mapping[str, Any], *, is_addition: bool) -> None:
        """Add one change of the table; a changed count arrives as a removal and an addition, in either order.

        A row with the measure ``DEAD_LETTER`` has the offset after the record in ``window`` and the reason in ``name``.
        """
        if row["measure"] == DEAD_LETTER:
            self._add_dead_letter(row)
            return
        key = CountKey(row["about"], row["shard"], row["window"], row["name"], row["measure"])
        if is_addition:
            self._batch[key] = row["n"]
        else:
            self._batch.setdefault(key, 0)

    def _add_dead_letter(self, row: Mapping[str, Any]) -> None:
        source = f"{self.info.topics[row['about']]}[{row['shard']}]@{row['window'] - 1}"
        self._dead_letters.append((DecodeError(row["name"], "rejected by Pathway's reader", source), row["data"]))

    def take_batch(self) -> "list[Out]":
        """Return the records to write at the end of a batch."""
        batch, self._batch = self._batch, {}
        for key, n in batch.items():
            if key.measure == NEXT_PLACE and key.about in INPUTS:
                self._next[key.about, key.shard] = n
        for key, n in batch.items():
            self.put(key, n, self._next[INPUT_OF[key.about], key.shard])
        for row, version in list(self._written.items()):
            reached = self._next.get((INPUT_OF[row[0][0]], row[1]), 0)
            if version <= reached:
                self.republish(row, reached)
                del self._written[row]
        dead_letters, self._dead_letters = self._dead_letters, []
        return [*dead_letters, *self.take_results(), *self.take_progress()]
