"""What an engine knows of one input partition: a function of the partition's records before ``next_offset``.

So two owners of a partition that have read equally far say the same, whatever happened in between; a result's version
is that offset. Nothing here knows Kafka.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeVar

import numpy as np
from msgspec.structs import replace

from streams.contract.events import Mark, MarkKind
from streams.contract.results import AudienceResult, Progress, ReactionResult, Result
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE, TWEETS
from streams.errors import ContractError
from streams.fold.audience import AudienceFold
from streams.fold.canonical import Bools
from streams.fold.columns import Decoded, PresenceDecoder
from streams.fold.dedupe import SeenIds
from streams.fold.reaction import ReactionFold
from streams.fold.snapshot import Arrays
from streams.fold.tweetcolumns import TweetDecoder
from streams.fold.windows import Changed

_NONE: Final = -1


class Folding(Protocol):
    """What a fold does."""

    def step(self, events: Any) -> None:
        """Count events."""
        ...

    def take_unpublished(self) -> tuple[list[Changed], Bools]:
        """Return what changed since the last call, and a token for ``not_published``."""
        ...

    def not_published(self, token: Bools) -> None:
        """Take back what could not be published."""
        ...

    def save(self, *, everything: bool) -> Arrays:
        """Return what changed since the last call, or everything."""
        ...

    def load(self, saved: Arrays) -> None:
        """Put saved arrays back, oldest first."""
        ...


_C = TypeVar("_C")


class Decoding(Protocol[_C]):
    """What a decoder does."""

    def decode(self, values: Sequence[bytes | None]) -> Decoded[_C]:
        """Decode the values of a chunk."""
        ...


def decoder(info: RunInfo, topic: str) -> Decoding[Any]:
    """Return the decoder of an input topic, given by its base name."""
    return PresenceDecoder(info) if topic == PRESENCE else TweetDecoder(info)


class PartitionState:
    """State of one partition of an input topic.

    Args:
        info: The run.
        topic: Base name of the input topic.
        partition: Its number; also the shard of its results.
    """

    def __init__(self, info: RunInfo, topic: str, partition: int) -> None:
        if topic not in {PRESENCE, TWEETS}:
            raise ContractError(f"input topic {topic!r}: expected {PRESENCE!r} or {TWEETS!r}")
        self.info = info
        self.topic = topic
        self.partition = partition
        self.next_offset = 0
        """Every record before this offset is in the state, none from it on."""
        self.watermark: int | None = None
        self.ended = False
        self.expected: int | None = None
        """Distinct events of the partition as its end mark has it."""
        self.events = 0
        self.duplicates = 0
        self.dead_letters = 0
        self._seen = SeenIds(info.events)
        self._fold: Folding = AudienceFold(info) if topic == PRESENCE else ReactionFold(info)

    def apply(self, decoded: Decoded[Any], next_offset: int) -> None:
        """Take in a decoded chunk that begins at ``next_offset`` as it was and ends before the new one."""
        columns = decoded.columns
        first = self._seen.first(columns.event_id)
        fresh = columns if first is None else columns.where(first)
        self.events += len(fresh)
        self.duplicates += len(columns) - len(fresh)
        self.dead_letters += len(decoded.bad)
        if len(fresh):
            self._fold.step(fresh)
        for mark in decoded.marks:
            self._take(mark)
        self.next_offset = next_offset

    def _take(self, mark: Mark) -> None:
        self.watermark = mark.at if self.watermark is None else max(self.watermark, mark.at)
        if mark.mark is MarkKind.END:
            self.ended = True
            self.expected = mark.events

    def take_results(self, engine: str) -> tuple[list[Result], Bools]:
        """Return the results that changed since the last call, and a token for ``not_published``."""
        changed, token = self._fold.take_unpublished()
        make = self._audience if self.topic == PRESENCE else self._reaction
        return [make(engine, row) for row in changed], token

    def not_published(self, token: Bools) -> None:
        """Take back results that did not reach the broker: they come again, as they are by then."""
        self._fold.not_published(token)

    def _audience(self, engine: str, row: Changed) -> Result:
        return AudienceResult(
            1, self.info.run, engine, row.window, row.name, str(self.partition), self.next_offset, row.counts
        )

    def _reaction(self, engine: str, row: Changed) -> Result:
        shard = str(self.partition)
        return ReactionResult(
            1, self.info.run, engine, row.window, row.name, shard, self.next_offset, row.counts, row.estimates
        )

    def progress(self, engine: str) -> Progress:
        """Return how far the state is; to be published after the results."""
        return replace(
            Progress.of_partition(self.info.run, engine, self.topic, self.partition),
            version=self.next_offset,
            watermark=self.watermark,
            ended=self.ended,
            events=self.events,
            duplicates=self.duplicates,
            dead_letters=self.dead_letters,
        )

    def save(self, *, everything: bool) -> Arrays:
        """Return what changed since the last call, or everything, as arrays ``load`` understands.

        Where results have been taken but not published, they are not part of it: a checkpoint may count only after
        the results before it do.
        """
        numbers, bits = self._seen.pages(changed=not everything)
        totals = (
            self.next_offset,
            _NONE if self.watermark is None else self.watermark,
            int(self.ended),
            _NONE if self.expected is None else self.expected,
            self.events,
            self.duplicates,
            self.dead_letters,
        )
        saved = self._fold.save(everything=everything)
        return {**saved, "page": numbers.astype(np.int32), "bits": bits, "totals": np.array(totals, np.int64)}

    def load(self, saved: Arrays) -> None:
        """Put saved arrays back: a whole state first, then what changed, oldest first.

        Raises:
            ValueError, KeyError, IndexError: They are not of such a state.
        """
        self._fold.load(saved)
        self._seen.load(saved["page"], saved["bits"])
        offset, watermark, ended, expected, events, duplicates, dead_letters = saved["totals"].tolist()
        self.next_offset = offset
        self.watermark = None if watermark == _NONE else watermark
        self.ended = bool(ended)
        self.expected = None if expected == _NONE else expected
        self.events, self.duplicates, self.dead_letters = events, duplicates, dead_letters
