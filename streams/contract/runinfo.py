"""What an engine needs to know before it starts (``run.info``), and the state of the replay (``run.status``)."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from streams.contract.topics import Topics
from streams.errors import ContractError

VERSION = 1
DEFAULT_WINDOW_MS = 5_000


class Phase(msgspec.Struct, frozen=True):
    """A named stretch of the night, in event time; phases are in order, without gaps."""

    name: str
    start: int
    """Milliseconds since the epoch. A phase ends where the next one starts; the last one ends with the tape."""
    quiet: bool = False
    """Little happens here: the replay may send it at full speed."""


class Capacity(msgspec.Struct, frozen=True):
    """How many listeners the open room can hold without strain, from a moment on."""

    start: int
    """Milliseconds since the epoch; it holds until the next one starts."""
    listeners: int


class SubjectRule(msgspec.Struct, frozen=True):
    """When a tweet belongs to a subject: if any of the three tests holds.

    ``conversations``: the tweet's conversation is one of them. ``hashtags``: it carries one of them (lower case).
    ``words``: its text, lower-cased with ASCII rules, contains one of them as a substring.
    """

    subject: str
    conversations: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


class Faults(msgspec.Struct, frozen=True):
    """The declared faults of a run: how many of each kind. The affected events follow from their ids and the seed.

    Engines need not know this. The verdict does, to account for every fault.
    """

    rates: dict[str, float] = {}
    """Share of the events, 0 to 1, by kind: duplicate, out-of-order, late, corrupt, missing."""
    seed: int = 0
    """Seed that selects the affected events."""
    duplicate_ms: int = 60_000
    """Longest event time until the second copy of a duplicate."""
    out_of_order_ms: int = 30_000
    """Longest event time by which an out-of-order event is delayed; the watermarks wait for it."""
    late_ms: int = 300_000
    """Late events are delayed by one to two times this much event time, beyond their watermark."""

    def rate(self, kind: str) -> float:
        """Return the share of events affected by a kind of fault."""
        return self.rates.get(kind, 0.0)


class RunInfo(msgspec.Struct, frozen=True):
    """One record of ``run.info`` (compacted); the key is the run id."""

    v: Literal[1]
    run: str
    tape_sha256: str
    scenario: str
    scale: float
    seed: int
    events: int
    """Event ids are 0 … events-1, dense over both input topics, so one bit per event removes duplicates exactly."""
    people: int
    """Listener and author ids are 0 … people-1."""
    start: int
    """Event time of the first moment of the night, at or before the first event; a multiple of ``window_ms``."""
    end: int
    """Event time at or after the last event; the time of the end marks."""
    talk_start: int
    """When the talk began: waiting ends here (see ``waited_20m`` in docs/architecture.md)."""
    window_ms: Annotated[int, Meta(gt=0)]
    watermark_step_ms: Annotated[int, Meta(gt=0)]
    phases: tuple[Phase, ...]
    spaces: tuple[str, ...]
    thread: str
    """Conversation id of the announcement's thread; empty if the scenario has none."""
    announced: int | None
    """When the thread begins; None if the scenario has none."""
    subjects: tuple[SubjectRule, ...]
    """In order: the first rule that holds gives the subject, otherwise it is ``other``."""
    partitions: Annotated[int, Meta(gt=0)]
    prefix: str
    topics: dict[str, str]
    """Base name to full topic name, for every topic of the run."""
    created_ms: int
    """Wall clock time at which the run was opened; the greatest is the newest run's."""
    faults: Faults | None = None
    """Declared faults; None if there are none."""
    capacity: tuple[Capacity, ...] = ()
    """In order of time; empty if it is unknown, as that of an imported night. Engines need not know it."""

    def names(self) -> Topics:
        """Return the topic names of this run."""
        return Topics(self.run, self.prefix)

    def phase_at(self, at: int) -> str:
        """Return the name of the phase that holds event time ``at``."""
        name = self.phases[0].name
        for phase in self.phases:
            if phase.start > at:
                break
            name = phase.name
        return name

    def capacity_at(self, at: int) -> int | None:
        """Return how many listeners the open room can hold at event time ``at``; None if that is unknown."""
        known = [step.listeners for step in self.capacity if step.start <= at]
        return known[-1] if known else None


ReplayState: TypeAlias = Literal["playing", "paused", "moving", "ended", "failed"]
"""``moving``: the deck goes to a moment at full speed; as a run's last state, it went back and plays another run."""


class RunStatus(msgspec.Struct, frozen=True):
    """One record of ``run.status`` (compacted), written by the producer about once a second; the key is the run id."""

    v: Literal[1]
    run: str
    state: ReplayState
    at: int
    """Event time up to which everything has been handed to the broker."""
    speed: float
    """Requested event seconds per second; 0 means as fast as possible."""
    actual_speed: float
    """Achieved event seconds per second since the last status."""
    sent: int
    """Records acknowledged so far, without marks."""
    failed: int
    on_time_ratio: float
    """Share of the paced events sent within 100 ms of their due time; 1.0 if nothing was paced."""
    lateness_seconds: float
    """The 99th percentile of lateness since the last status."""
    client: str
    wall_ms: int


_info = msgspec.json.Decoder(RunInfo)
_status = msgspec.json.Decoder(RunStatus)
_encode = msgspec.json.Encoder().encode


def encode(record: RunInfo | RunStatus) -> bytes:
    """Encode a record of ``run.info`` or ``run.status``."""
    return _encode(record)


def decode_info(raw: bytes) -> RunInfo:
    """Decode a record of ``run.info``.

    Raises:
        ContractError: It is not valid; the text names the field.
    """
    try:
        return _info.decode(raw)
    except msgspec.DecodeError as error:
        raise ContractError(f"run.info: {error}") from None


def decode_status(raw: bytes) -> RunStatus:
    """Decode a record of ``run.status``.

    Raises:
        ContractError: It is not valid; the text names the field.
    """
    try:
        return _status.decode(raw)
    except msgspec.DecodeError as error:
        raise ContractError(f"run.status: {error}") from None
