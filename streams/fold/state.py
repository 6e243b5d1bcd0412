"""What an engine knows of one input partition: a function of the partition's records before ``next_offset``.

So two owners of a partition that have read equally far agree, whatever happened in between; a result's version
is that offset. Nothing here knows Kafka.
"""

from typing import Any, Final, Protocol

import numpy as np
from msgspec.structs import replace

from streams.contract.events import Mark, MarkKind
from streams.contract.results import Progress
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE, TWEETS
from streams.errors import ContractError
from streams.fold.audience import AudienceFold
from streams.fold.columns import Decoded, Decoder, PresenceDecoder
from streams.fold.dedupe import SeenIds
from streams.fold.reaction import ReactionFold
from streams.fold.results import Changes, EncodedResults, Names, ResultEncoder
from streams.fold.snapshot import Arrays
from streams.fold.tweetcolumns import TweetDecoder
from streams.kernels.counting import Bools
from streams.kernels.record import Ints

_NONE: Final = -1


class Folding(Protocol):
    """What a fold does."""

    @property
    def names(self) -> Names:
        """What the numbers in rows of results stand for."""
        ...

    def step(self, decoded: Decoded[Any], first: Bools) -> None:
        """Count those events of a chunk that are seen for the first time."""
        ...

    def take_unpublished(self) -> tuple[Changes, Ints]:
        """Return what changed since the last call, and a token for ``not_published``."""
        ...

    def not_published(self, token: Ints) -> None:
        """Take back what could not be published."""
        ...

    def save(self, *, everything: bool) -> Arrays:
        """Return what changed since the last call, or everything."""
        ...

    def load(self, saved: Arrays) -> None:
        """Put saved arrays back, oldest first."""
        ...


def decoder(info: RunInfo, topic: str) -> Decoder[Any]:
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
        self._encoder: tuple[str, ResultEncoder] | None = None

    def apply(self, decoded: Decoded[Any], next_offset: int) -> None:
        """Take in a decoded chunk that begins at ``next_offset`` as it was and ends before the new one."""
        ok = decoded.columns.ok
        first, fresh = self._seen.first(decoded.columns.event_id, ok)
        self.events += fresh
        self.duplicates += int(np.count_nonzero(ok)) - fresh
        self.dead_letters += len(decoded.bad)
        self._fold.step(decoded, first)
        for mark in decoded.marks:
            self._take(mark)
        self.next_offset = next_offset

    def _take(self, mark: Mark) -> None:
        self.watermark = mark.at if self.watermark is None else max(self.watermark, mark.at)
        if mark.mark is MarkKind.END:
            self.ended = True
            self.expected = mark.events

    def take_results(self, engine: str) -> tuple[EncodedResults, Ints]:
        """Return the results that changed since the last call, and a token for ``not_published``."""
        changes, token = self._fold.take_unpublished()
        if self._encoder is None or self._encoder[0] != engine:
            encoder = ResultEncoder(self.topic, self.info.run, engine, str(self.partition), self._fold.names)
            self._encoder = engine, encoder
        return self._encoder[1].encode(changes, self.next_offset), token

    def not_published(self, token: Ints) -> None:
        """Take back results that did not reach the broker: they come again, as they are by then."""
        self._fold.not_published(token)

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
