"""The tape format: a recorded night on disk, the contract between simulation, replay and oracle.

One Parquet file. One row per event, in time order (``at``, then ``event_id``); ``event_id`` is the row number. Columns
that do not apply to a row are null. ``label_*`` columns hold what the generator meant; they never reach Kafka.
The file's key-value metadata holds one entry, ``joinstorm``: a ``TapeInfo`` as JSON.
"""

from typing import Any, Literal

import msgspec
import pyarrow as pa

from streams.contract.runinfo import Capacity, Phase, SubjectRule

FORMAT = 1
METADATA_KEY = b"joinstorm"
BLOCK_ROWS = 1 << 16
"""Rows per Parquet row group; the content hash is taken block by block, so it is part of the format."""

_text = pa.dictionary(pa.int8(), pa.string())
_space = pa.dictionary(pa.int16(), pa.string())
MOST_SPACES = 32_767
"""Rooms of a night, at most."""

SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.int64(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),  # event time, ms since the epoch
        pa.field("topic", _text, nullable=False),  # space.presence | tweets
        pa.field("kind", _text, nullable=False),  # PresenceKind | TweetKind
        pa.field("person", pa.int64(), nullable=False),  # listener or author id
        pa.field("space", _space),
        pa.field("client", _text),
        pa.field("try", pa.int32()),
        pa.field("reason", _text),
        pa.field("since_drop_ms", pa.int64()),
        pa.field("tweet_id", pa.int64()),
        pa.field("conversation", pa.int64()),
        pa.field("ref", pa.int64()),
        pa.field("text", pa.string()),
        pa.field("hashtags", pa.list_(pa.string())),
        pa.field("lang", _text),
        pa.field("label_stance", _text),  # one of streams.contract.results.STANCES
        pa.field("label_subject", _text),  # launch | announcement | other
        pa.field("label_effect", pa.bool_()),  # would not exist without the announcement
    ]
)


class TapeInfo(msgspec.Struct, frozen=True):
    """The metadata of a tape."""

    format: Literal[1]
    name: str
    """Name of the scenario; for an imported tape, the name from its settings."""
    scenario: dict[str, Any]
    """The resolved scenario with every value; empty for an imported tape."""
    seed: int
    scale: float
    events: int
    people: int
    start: int
    """First moment of the night in event time (ms), a multiple of 5 s, at or before the first event."""
    end: int
    """At or after the last event."""
    talk_start: int
    phases: tuple[Phase, ...]
    spaces: tuple[str, ...]
    thread: str
    announced: int | None
    subjects: tuple[SubjectRule, ...]
    sha256: str
    """SHA-256 over the content, not the file's bytes: the blocks' columns in schema order, then the other fields here.

    ``producers.tape.contenthash`` defines it. ``generator`` and ``capacity`` are left out, so a new version that makes
    the same night keeps the hash; so is this field, and a missing ``zone``.
    """
    generator: str
    """The joinstorm version that made the tape."""
    zone: str | None = None
    """IANA name of the zone an imported recording was made in; the hash has it only where there is one."""
    capacity: tuple[Capacity, ...] = ()
    """What the rooms could hold, as simulated; it follows from the scenario and the seed, so the hash leaves it out."""
