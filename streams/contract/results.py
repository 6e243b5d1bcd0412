"""The records of the output topics, how their versions merge, and the digest of a run's final counts.

A result holds integer counts of one tumbling event-time window for one space or subject and one shard. A shard is the
part of the key space one writer owns; readers sum over shards. Zero counts are left out. A writer may write a key again
with a greater version; the greatest version wins, in any order of arrival.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias, TypeVar

import msgspec

from streams.contract.breakdowns import BREAKDOWNS
from streams.contract.durations import DURATIONS
from streams.contract.topics import RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.errors import ContractError

VERSION = 1

AUDIENCE_COUNTS = (
    "attempts",
    "arrivals",
    "joins",
    "fails",
    "leaves",
    "give_ups",
    "drops",
    "rejoins_60s",
    "first_joins",
    "waited_20m",
)
"""Counts of ``results.audience``, besides durations and breakdowns (modules of ``streams.contract``).

The space ``*`` has only ``first_joins``, ``waited_20m`` and durations.
"""

REACTION_COUNTS = ("posts", "replies", "quotes", "reposts", "first_authors", "thread_reposts")
"""Counts of ``results.reaction``, besides ``hashtag:<tag>``. The subject ``*`` has only ``first_authors``."""

HASHTAG = "hashtag:"
STANCES = ("thanks", "speculation", "mockery", "blame", "support", "neutral")
"""Names of the estimates of ``results.reaction``, ``stance:<name>``: tweets of that stance. Not in the digest."""
STANCE = "stance:"

Counts: TypeAlias = dict[str, int]
_OPTIONAL: Final = (*DURATIONS, *BREAKDOWNS)


def is_optional(count: str) -> bool:
    """Whether a count of ``results.audience`` is one that an engine need not publish: of durations or breakdowns."""
    return count.startswith(_OPTIONAL)


class AudienceResult(msgspec.Struct, frozen=True, gc=False):
    """One record of ``results.audience``."""

    v: Literal[1]
    run: str
    engine: str
    window: int
    """Start of the window, milliseconds since the epoch, a multiple of run.info's ``window_ms``."""
    space: str
    shard: str
    version: int
    counts: Counts


class ReactionResult(msgspec.Struct, frozen=True, gc=False):
    """One record of ``results.reaction``."""

    v: Literal[1]
    run: str
    engine: str
    window: int
    subject: str
    shard: str
    version: int
    counts: Counts
    estimates: Counts = {}


class Progress(msgspec.Struct, frozen=True, gc=False):
    """One record of ``results.progress``: how far an engine is with the partitions behind one shard.

    It is written after the results it covers: a reader that sees ``ended`` finds all of them before it.
    """

    v: Literal[1]
    run: str
    engine: str
    topic: str
    """Base name of the input topic (``space.presence`` or ``tweets``)."""
    shard: str
    partitions: tuple[int, ...]
    version: int
    watermark: int | None
    """Every event below this event time is in the results; None before the first mark."""
    ended: bool
    events: int
    """Distinct events counted."""
    duplicates: int
    dead_letters: int

    @classmethod
    def of_partition(cls, run: str, engine: str, topic: str, partition: int) -> "Progress":
        """Return the progress of a partition before its first record, in a shard of its own; ``replace`` the rest."""
        return cls(
            v=1,
            run=run,
            engine=engine,
            topic=topic,
            shard=str(partition),
            partitions=(partition,),
            version=0,
            watermark=None,
            ended=False,
            events=0,
            duplicates=0,
            dead_letters=0,
        )


Result: TypeAlias = AudienceResult | ReactionResult
_TOPIC_OF: Final[Mapping[type, str]] = {
    AudienceResult: RESULTS_AUDIENCE,
    ReactionResult: RESULTS_REACTION,
    Progress: RESULTS_PROGRESS,
}

_audience = msgspec.json.Decoder(AudienceResult)
_reaction = msgspec.json.Decoder(ReactionResult)
_progress = msgspec.json.Decoder(Progress)
_encode = msgspec.json.Encoder().encode


def encode(record: Result | Progress) -> bytes:
    """Encode the value of a result or progress record."""
    return _encode(record)


def topic_of(record: Result | Progress) -> str:
    """Return the base name of the topic a record belongs on."""
    return _TOPIC_OF[type(record)]


def key_of(record: Result | Progress) -> bytes:
    """Return the Kafka key: a JSON array of run, engine, window (or input topic), space or subject, shard."""
    if isinstance(record, AudienceResult):
        return _encode((record.run, record.engine, record.window, record.space, record.shard))
    if isinstance(record, ReactionResult):
        return _encode((record.run, record.engine, record.window, record.subject, record.shard))
    return _encode((record.run, record.engine, record.topic, record.shard))


def decode_audience(raw: bytes) -> AudienceResult:
    """Decode a record of ``results.audience``; raises ContractError naming the field."""
    return _decode(_audience, raw, RESULTS_AUDIENCE)


def decode_reaction(raw: bytes) -> ReactionResult:
    """Decode a record of ``results.reaction``; raises ContractError naming the field."""
    return _decode(_reaction, raw, RESULTS_REACTION)


def decode_progress(raw: bytes) -> Progress:
    """Decode a record of ``results.progress``; raises ContractError naming the field."""
    return _decode(_progress, raw, RESULTS_PROGRESS)


_T = TypeVar("_T")


def _decode(decoder: msgspec.json.Decoder[_T], raw: bytes, topic: str) -> _T:
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError as error:
        raise ContractError(f"{topic}: {error}") from None


Table: TypeAlias = Mapping[tuple[int, str], Mapping[str, int]]
"""Counts summed over shards by (window, space or subject), without zero counts and empty rows."""


def summed(results: Iterable[Result]) -> dict[tuple[int, str], Counts]:
    """Sum the winning versions over shards into a ``Table``."""
    newest: dict[tuple[int, str, str], Result] = {}
    for result in results:
        name = result.space if isinstance(result, AudienceResult) else result.subject
        key = (result.window, name, result.shard)
        known = newest.get(key)
        if known is None or result.version >= known.version:
            newest[key] = result
    table: dict[tuple[int, str], Counts] = {}
    for (window, name, _), result in newest.items():
        row = table.setdefault((window, name), {})
        for count, value in result.counts.items():
            row[count] = row.get(count, 0) + value
    return {key: counts for key, row in table.items() if (counts := {c: n for c, n in row.items() if n})}


def canonical(audience: Table, reaction: Table) -> Iterator[bytes]:
    """Yield the canonical lines of the final counts: sorted, without zeros and the run, one JSON array per row.

    Durations and breakdowns are left out: an engine need not publish them, and its digest is the same without them.
    """
    for kind, table in (("audience", audience), ("reaction", reaction)):
        for (window, name), counts in sorted(table.items()):
            kept = sorted((count, value) for count, value in counts.items() if value and not is_optional(count))
            if kept:
                yield _encode((kind, window, name, kept)) + b"\n"


def digest(audience: Table, reaction: Table) -> str:
    """Return the SHA-256 (hex) of the canonical final counts: equal counts, equal digest."""
    sha = hashlib.sha256()
    for line in canonical(audience, reaction):
        sha.update(line)
    return sha.hexdigest()
