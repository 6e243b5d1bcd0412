"""What Pathway says of its one table of counts, folded into results and progress with versions.

Pathway works in batches; at the end of each, what it has said is a consistent cut: everything that follows from the
records before some offsets, and nothing else. So the next offset of a partition is the version of its rows: whoever has
read equally far says the same, also after a restart from the first record.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from streams.contract.results import AudienceResult, ReactionResult
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS, PRESENCE, RESULTS_AUDIENCE, RESULTS_REACTION, TWEETS
from streams.engines.shared.simplefold import Row
from streams.engines.shared.upserts import CountKey, Place, UpsertCounts
from streams.errors import DecodeError

if TYPE_CHECKING:  # its library is not there where only counting is
    from streams.engines.shared.resultswriter import Out

NEXT_PLACE: Final = "next_place"
LETTER: Final = "dead letter"
INPUT_OF: Final = {RESULTS_AUDIENCE: PRESENCE, RESULTS_REACTION: TWEETS, PRESENCE: PRESENCE, TWEETS: TWEETS}


class PathwayCounts(UpsertCounts):
    """Everything said so far.

    Args:
        info: The run.
        engine: The name the results stand under.
    """

    def __init__(self, info: RunInfo, engine: str) -> None:
        super().__init__(info, engine)
        self._said: dict[CountKey, int] = {}
        self._next: dict[Place, int] = {}
        self._letters: list[tuple[DecodeError, bytes | None]] = []
        self._written: dict[tuple[Row, int], int] = {}

    def written(self, one: AudienceResult | ReactionResult) -> None:
        """Take what a worker before has written.

        A row that changed and changed back within a batch is not mentioned by Pathway, but whoever was killed may have
        written what it was in between. So each such row is said again as soon as the records behind it have been read.
        """
        about = RESULTS_AUDIENCE if isinstance(one, AudienceResult) else RESULTS_REACTION
        name = one.space if isinstance(one, AudienceResult) else one.subject
        row = ((about, one.window, name), int(one.shard))
        self._written[row] = max(one.version, self._written.get(row, 0))

    def say(self, row: Mapping[str, Any], *, is_addition: bool) -> None:
        """Take one change of the table; a count that changes is taken away and added, in either order.

        A row with the measure ``LETTER`` is a dead letter: ``window`` is the offset after it, ``name`` the reason.
        """
        if row["measure"] == LETTER:
            self._put_aside(row)
            return
        key = CountKey(row["about"], row["shard"], row["window"], row["name"], row["measure"])
        if is_addition:
            self._said[key] = row["n"]
        else:
            self._said.setdefault(key, 0)

    def _put_aside(self, row: Mapping[str, Any]) -> None:
        source = f"{self.info.topics[row['about']]}[{row['shard']}]@{row['window'] - 1}"
        self._letters.append((DecodeError(row["name"], "put aside by Pathway", source), row["data"]))

    def batch_end(self) -> "list[Out]":
        """Return what is to be written at the end of a batch."""
        said, self._said = self._said, {}
        for key, n in said.items():
            if key.measure == NEXT_PLACE and key.about in INPUTS:
                self._next[key.about, key.shard] = n
        for key, n in said.items():
            self.put(key, n, self._next[INPUT_OF[key.about], key.shard])
        for row, version in list(self._written.items()):
            reached = self._next.get((INPUT_OF[row[0][0]], row[1]), 0)
            if version <= reached:
                self.say_again(row, reached)
                del self._written[row]
        letters, self._letters = self._letters, []
        return [*letters, *self.results(), *self.progress()]
