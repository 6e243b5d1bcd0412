"""Playing tapes in tests: a clock that moves when the sender waits, and commands that come at set times."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import msgspec

from producers.compose.composer import Block
from producers.compose.lanes import Lane
from producers.replay.deck import Deck
from producers.replay.opening import run_info
from producers.replay.playback import PlaybackRequest, PlaybackResult, Replay
from producers.replay.prefetch import Prefetch
from producers.replay.session import play_rounds
from producers.senders.memory import ListSender
from producers.senders.protocol import DeliveryListener
from producers.tape.tapefile import Tape
from streams.contract.events import Mark, MarkKind, Presence, Tweet, decode_presence, decode_tweet
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS, PRESENCE, Topics
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all

Record = tuple[int, bytes | None, bytes]
Sent = dict[tuple[str, int], list[Record]]


class Crash(Exception):  # noqa: N818 - not an error: what a test does to a replay
    """The producer is gone, from one moment to the next."""


class FakeTime:
    """A clock that moves when ``sleep`` is called, and runs the planned actions on the way."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.plans: list[tuple[float, Callable[[], object]]] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def at(self, seconds: float, do: Callable[[], object]) -> None:
        """Plan something for so many seconds from now."""
        self.plans = sorted([*self.plans, (self.now + seconds, do)], key=lambda plan: plan[0])

    def sleep(self, seconds: float) -> None:
        """Let time pass, at least a tenth of a millisecond."""
        self.now += max(seconds, 1e-4)
        while self.plans and self.plans[0][0] <= self.now:
            self.plans.pop(0)[1]()


class SlowSender(ListSender):
    """Acknowledges nothing until it waits, so that there is always something on its way.

    Args:
        listener: Accepts the deliveries.
        clock: Its time.
        least: The shortest time a wait takes; longer makes the test quicker and the replay later.
    """

    def __init__(self, listener: DeliveryListener, clock: FakeTime, least: float = 0.0) -> None:
        super().__init__(listener, clock, clock.sleep)
        self._unsettled: list[Lane] = []
        self._least = least

    def send(self, lane: Lane) -> None:
        """Keep the records, unacknowledged."""
        columns = zip(lane.at.tolist(), lane.keys.to_pylist(), lane.values.to_pylist(), strict=True)
        self.records.setdefault((lane.topic, lane.partition), []).extend(columns)
        self._listener.left(lane, self._clock())
        self._unsettled.append(lane)

    def wait(self, seconds: float) -> None:
        """Acknowledge half of what there is."""
        for _ in range((len(self._unsettled) + 1) // 2):
            self._listener.settled(self._unsettled.pop(0), self._clock(), {})
        super().wait(max(seconds, self._least))


class Inline(Prefetch[Block]):
    """Composes when asked, in the same thread: the clock of a test does not run on meanwhile."""

    def __init__(self, items: Iterator[Block]) -> None:
        super().__init__(items)
        self._source = items

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to end."""

    def take(self, meanwhile: Callable[[float], None]) -> Block | None:  # noqa: ARG002 - never waits
        """Return the next block."""
        return next(self._source, None)


def info_of(tape: Tape, run: str = "test", **changes: Any) -> RunInfo:
    """Return the run information of a tape: two partitions, a watermark every ten seconds."""
    info = run_info(tape.info, Topics(run), partitions=2, window_ms=5_000, watermark_step_ms=10_000)
    return msgspec.structs.replace(info, **changes)


class Player:
    """Plays a tape into lists, on a clock of its own."""

    def __init__(
        self,
        tape: Tape,
        settings: PlaybackRequest | None = None,
        info: RunInfo | None = None,
        *,
        least: float = 0.0,
        **more: Any,
    ) -> None:
        self._least = least
        self.time = FakeTime()
        self.deck = Deck()
        self.info = info or info_of(tape)
        self.senders: list[SlowSender] = []
        self._tape = tape
        self._settings = settings or PlaybackRequest()
        self._more = more

    def open(self, listener: DeliveryListener) -> SlowSender:
        """Open a sender."""
        self.senders.append(SlowSender(listener, self.time, self._least))
        return self.senders[-1]

    def play(self) -> PlaybackResult:
        """Play to the end."""
        return self.play_run(self.info, self._settings)

    def play_run(self, info: RunInfo, settings: PlaybackRequest) -> PlaybackResult:
        """Play a run to the end."""
        return Replay(
            self._tape, info, self.open, self.deck, settings, clock=self.time, prepare=Inline, **self._more
        ).play()

    def play_rounds(self, settings: PlaybackRequest, rounds: int = 1) -> list[PlaybackResult]:
        """Play run after run."""
        return list(play_rounds(self.info, settings, self.deck, self.play_run, self._next, rounds=rounds))

    def _next(self, number: int) -> RunInfo:
        return info_of(self._tape, f"test-{number}")

    @property
    def sent(self) -> Sent:
        """What was sent, by topic and partition."""
        return self.senders[-1].records


def play(tape: Tape, path: Path | None = None, **settings: Any) -> Sent:
    """Play a tape from beginning to end and return what was sent."""
    player = Player(tape, PlaybackRequest(**settings, position_file=path))
    player.play()
    return player.sent


def decoded(topic: str, records: list[Record]) -> list[Presence | Tweet | Mark]:
    """Return the events and marks of a partition."""
    decode = decode_presence if topic.startswith(PRESENCE) else decode_tweet
    return [decode(value) for _, _, value in records]


def check_marks(sent: Sent, info: RunInfo, *, late: bool = False) -> None:
    """Assert the contract of marks: watermarks at every step, no late event behind them, one end mark each."""
    steps = list(range(info.start + info.watermark_step_ms, info.end + 1, info.watermark_step_ms))
    assert len(sent) == 2 * info.partitions
    for (topic, _), records in sent.items():
        messages = decoded(topic, records)
        watermarks = [one.at for one in messages if isinstance(one, Mark) and one.mark is MarkKind.WATERMARK]
        assert watermarks == steps
        marked = 0
        for one in messages:
            if isinstance(one, Mark):
                marked = one.at
            else:
                assert late or one.at >= marked
        last = messages[-1]
        assert isinstance(last, Mark)
        assert last == Mark(mark=MarkKind.END, at=info.end, run=info.run, v=1, events=last.events)
        assert last.events == len({one.event_id for one in messages if not isinstance(one, Mark)})


def read_back(kafka: Connection, info: RunInfo) -> Sent:
    """Return every record of a run's input topics."""
    return read_topics(kafka, [info.topics[base] for base in INPUTS], info.partitions)


def read_topics(kafka: Connection, topics: list[str], partitions: int) -> Sent:
    """Return every record of some topics; offsets leave nothing out, and there are no headers."""
    found: Sent = {(topic, number): [] for topic in topics for number in range(partitions)}
    for one in read_all(kafka, *topics):
        have = found[one.topic, one.partition]
        assert (one.offset, list(one.headers)) == (len(have), [])
        have.append((one.timestamp, one.key, one.value))
    return found


def renamed(sent: Sent, info: RunInfo) -> Sent:
    """Return what was sent under another run id as it would be under this one."""
    old, new = '"run":"test"', f'"run":"{info.run}"'
    return {
        (topic.replace(".test", f".{info.run}"), partition): [
            (at, key, value if key else value.replace(old.encode(), new.encode())) for at, key, value in records
        ]
        for (topic, partition), records in sent.items()
    }
