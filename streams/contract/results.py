"""The records of the output topics, how versions of them merge, and the digest of a run's final counts.

A result holds integer counts of one tumbling event-time window for one space or subject and one shard. A shard is
whatever part of the key space the writer owns; readers sum over shards. Zero counts are left out. A writer may write a
key again with a greater version; the greatest version wins, in whatever order the records arrive.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Protocol, TypeAlias, TypeVar

import msgspec

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
"""Counts of ``results.audience``. Under the space ``*`` stand only ``first_joins`` and ``waited_20m``."""

REACTION_COUNTS = ("posts", "replies", "quotes", "reposts", "first_authors", "thread_reposts")
"""Counts of ``results.reaction``, besides ``hashtag:<tag>``. Under the subject ``*`` stands only ``first_authors``."""

HASHTAG = "hashtag:"
STANCES = ("thanks", "speculation", "mockery", "blame", "support", "neutral")
"""Estimates of ``results.reaction`` are ``stance:<name>``: tweets classified so. They stay out of the digest."""
STANCE = "stance:"

Counts: TypeAlias = dict[str, int]


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

    It is written after the results it speaks of: whoever reads ``ended`` finds every result up to there before it.
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


Result: TypeAlias = AudienceResult | ReactionResult

_audience = msgspec.json.Decoder(AudienceResult)
_reaction = msgspec.json.Decoder(ReactionResult)
_progress = msgspec.json.Decoder(Progress)
_encode = msgspec.json.Encoder().encode


def encode(record: Result | Progress) -> bytes:
    """Encode the value of a result or progress record."""
    return _encode(record)


def key_of(record: Result | Progress) -> bytes:
    """Return the Kafka key: a JSON array of run, engine, window (or input topic), space or subject, shard."""
    if isinstance(record, AudienceResult):
        return _encode((record.run, record.engine, record.window, record.space, record.shard))
    if isinstance(record, ReactionResult):
        return _encode((record.run, record.engine, record.window, record.subject, record.shard))
    return _encode((record.run, record.engine, record.topic, record.shard))


def decode_audience(raw: bytes) -> AudienceResult:
    """Decode a record of ``results.audience``; raises ContractError naming the field."""
    return _decode(_audience, raw, "results.audience")


def decode_reaction(raw: bytes) -> ReactionResult:
    """Decode a record of ``results.reaction``; raises ContractError naming the field."""
    return _decode(_reaction, raw, "results.reaction")


def decode_progress(raw: bytes) -> Progress:
    """Decode a record of ``results.progress``; raises ContractError naming the field."""
    return _decode(_progress, raw, "results.progress")


_T = TypeVar("_T")


def _decode(decoder: msgspec.json.Decoder[_T], raw: bytes, topic: str) -> _T:
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError as error:
        raise ContractError(f"{topic}: {error}") from None


class Publisher(Protocol):
    """Where an engine's results go: a Kafka topic in a run, a list in a test."""

    def publish(self, record: Result | Progress) -> None:
        """Hand over one record; delivery may be later, order per key is kept."""
        ...


Table: TypeAlias = Mapping[tuple[int, str], Mapping[str, int]]
"""Shard-summed counts by (window, space or subject), zero counts and empty rows left out."""


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
    """Yield the canonical lines of the final counts: sorted, zero-free, one JSON array a row, without the run."""
    for kind, table in (("audience", audience), ("reaction", reaction)):
        for (window, name), counts in sorted(table.items()):
            kept = sorted((count, value) for count, value in counts.items() if value)
            if kept:
                yield _encode((kind, window, name, kept)) + b"\n"


def digest(audience: Table, reaction: Table) -> str:
    """Return the SHA-256 (hex) of the canonical final counts; the same for every way to the same answer."""
    sha = hashlib.sha256()
    for line in canonical(audience, reaction):
        sha.update(line)
    return sha.hexdigest()
