"""A capture as a source: every record once, at its time, each partition in its order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.capture.capturefile import Capture
from producers.capture.eventtime import EventTime
from producers.capture.playing import CaptureSource, Cut, timeline
from producers.compose.faults import FaultPlan, parse_faults
from producers.compose.lanes import Lane
from producers.replay.deck import Deck
from producers.replay.endings import JumpedBackError, StoppedError
from producers.replay.playback import Playback, PlaybackRequest, PlaybackResult
from streams.contract.runinfo import RunInfo
from streams.errors import CaptureError
from tests.captures import AT, Row, captured, contents
from tests.replaying import FakeTime, Inline, SlowSender, info_of
from tests.tinytape import tiny_tape

Record = tuple[int, bytes | None, bytes | None]
Sent = dict[tuple[str, int], list[Record]]
MINUTE = 60_000


def source_of(capture: Capture, cut: Cut | None = None, time: EventTime | None = None, **more: Any) -> CaptureSource:
    """Return the source of a capture played into topics of the same names."""
    line = timeline(capture, time or EventTime(), lambda _done, _of: None)
    whole = Cut({topic: topic for topic in capture.topics}, dict(capture.topics), line.start)
    return CaptureSource(line, cut or whole, **more)


def blocks_of(source: CaptureSource) -> list[tuple[Lane, ...]]:
    """Return the lanes of each block, having checked that blocks follow one another in time."""
    found, reached = [], 0
    for block in source.blocks(None):
        due = [int(time) for lane in block.lanes for time in lane.due]
        assert all(reached <= time <= block.until for time in due)
        reached = block.until
        found.append(block.lanes)
    return found


def sent_by(source: CaptureSource) -> Sent:
    """Return what a source makes, by topic and partition."""
    found: Sent = {}
    for lanes in blocks_of(source):
        for lane in lanes:
            columns = zip(lane.at.tolist(), lane.keys.to_pylist(), lane.values.to_pylist(), strict=True)
            found.setdefault((lane.topic, lane.partition), []).extend(columns)
    return {place: records for place, records in found.items() if records}


def plain(capture: Capture) -> Sent:
    """Return what a capture holds as a sender is given it."""
    return {place: [(row.at, row.key, row.value) for row in rows] for place, rows in contents(capture).items()}


_times = st.lists(st.lists(st.integers(AT, AT + 50), min_size=1, max_size=6), max_size=4)


@given(st.lists(_times, min_size=1, max_size=3).filter(any))
def test_every_record_leaves_once_in_the_order_of_its_partition(
    tmp_path_factory: pytest.TempPathFactory, partitions: list[list[list[int]]]
) -> None:
    """However times go back and forth and partitions overlap."""
    batches = []
    for number, parts in enumerate(partitions):
        offset = 0
        for times in parts:
            batches.append(("t", number, [Row(offset + one, at, value=b"%d" % one) for one, at in enumerate(times)]))
            offset += len(times)
    capture = captured(tmp_path_factory.mktemp("capture") / "c", {"t": 3}, batches)
    assert sent_by(source_of(capture)) == plain(capture)


def rows(first: int, *minutes: int, text: str = "v") -> list[Row]:
    """Return records at these minutes."""
    return [
        Row(first + number, AT + minute * MINUTE, b"k", f"{text}{first + number}".encode())
        for number, minute in enumerate(minutes)
    ]


@pytest.fixture
def capture(tmp_path: Path) -> Capture:
    """Return ten minutes of two partitions, the second with a late record."""
    return captured(tmp_path / "c", {"t": 2}, [("t", 0, rows(0, 0, 2, 4)), ("t", 1, rows(0, 1, 5, 3)),
                                               ("t", 0, rows(3, 6, 8, 10))])  # fmt: skip


def test_a_record_waits_for_the_one_before_it(capture: Capture) -> None:
    """A record whose time lies before that of the record in front of it leaves with that one, its timestamp kept."""
    (late,) = [
        lane for lanes in blocks_of(source_of(capture)) for lane in lanes if lane.partition == 1 and len(lane) > 1
    ]
    assert [(int(time) - AT) // MINUTE for time in late.due[-2:]] == [5, 5]
    assert [(int(time) - AT) // MINUTE for time in late.at[-2:]] == [5, 3]


def test_a_cut_sends_what_lies_in_it(capture: Capture) -> None:
    """From its beginning to before its end, into other topics and partitions, with other timestamps."""
    cut = Cut({"t": "other"}, {"other": 1}, AT + 2 * MINUTE, AT + 6 * MINUTE, shift=7)
    found = sent_by(source_of(capture, cut))
    assert sorted(found[("other", 0)]) == sorted(
        (AT + minute * MINUTE + 7, b"k", value) for minute, value in ((2, b"v1"), (4, b"v2"), (5, b"v1"), (3, b"v2"))
    )


def test_partitions_that_share_one_keep_their_order(capture: Capture) -> None:
    """With fewer partitions than were captured, the records of each captured one stay in order."""
    found = sent_by(source_of(capture, Cut({"t": "t"}, {"t": 1}, AT)))
    both = plain(capture)
    assert len(found[("t", 0)]) == 9
    for place, expected in both.items():
        assert [record for record in found[("t", 0)] if record in expected] == expected, place


def test_the_time_can_be_a_field(tmp_path: Path) -> None:
    """Records are due at the field's time; one without it leaves with the record in front of it."""
    values = [b'{"at":%d}' % (AT + 9), b"no json", None, b'{"at":%d}' % (AT + 20), b'{"at":"x"}']
    capture = captured(
        tmp_path / "c", {"t": 1}, [("t", 0, [Row(number, AT, None, value) for number, value in enumerate(values)])]
    )
    source = source_of(capture, time=EventTime("at"), cut=Cut({"t": "t"}, {"t": 1}, 0))
    assert [int(time) - AT for lanes in blocks_of(source) for time in lanes[0].due] == [9, 9, 9, 20, 20]
    line = timeline(capture, EventTime("at"), lambda _done, _of: None)
    assert (line.start - AT, line.end - AT, line.unknown) == (9, 20, 3)
    with pytest.raises(CaptureError, match=r"none of its 5 records has a time in the field then \(ms\)"):
        timeline(capture, EventTime("then"), lambda _done, _of: None)


def test_declared_faults_of_foreign_records(capture: Capture) -> None:
    """Missing records never leave, duplicates twice, late ones late; the seed decides which."""
    everything = sorted(record for records in plain(capture).values() for record in records)

    def with_fault(text: str) -> list[Record]:
        plan = FaultPlan(parse_faults([text]))
        return sorted(record for records in sent_by(source_of(capture, plan=plan)).values() for record in records)

    assert with_fault("missing=1") == []
    assert with_fault("duplicate=1:1m") == sorted(everything * 2)
    assert with_fault("late=1:1m") == everything
    assert with_fault("out-of-order=1:1h") == everything
    assert set(with_fault("missing=0.5")) < set(everything)


class Player:
    """Plays a capture into lists, on a clock of its own."""

    def __init__(self, capture: Capture, info: RunInfo, settings: PlaybackRequest) -> None:
        self.time = FakeTime()
        self.deck = Deck()
        self._capture = capture
        self._info = info
        self._settings = settings
        self.sender: SlowSender

    def play(self, begin: int = AT) -> PlaybackResult:
        """Play to the end."""

        def opened(listener: Any) -> SlowSender:
            self.sender = SlowSender(listener, self.time)
            return self.sender

        source = source_of(self._capture, Cut({"t": "t"}, {"t": 2}, begin))
        return Playback(source, self._info, opened, self.deck, self._settings, clock=self.time, prepare=Inline).play()


@pytest.fixture
def play(capture: Capture, tmp_path: Path) -> Callable[..., Player]:
    """Return a function that makes a player of the capture."""
    tape = tiny_tape(tmp_path / "tape")

    def make(**settings: Any) -> Player:
        info = info_of(tape, start=AT, end=AT + 10 * MINUTE, topics={}, tape_sha256="x", events=9)
        return Player(capture, info, PlaybackRequest(**settings))

    return make


def test_the_deck_paces_a_capture(capture: Capture, play: Callable[..., Player]) -> None:
    """At 60 x ten minutes take ten seconds, every record is paced, and no status is published."""
    player = play(speed=60.0)
    begun = player.time()
    result = player.play()
    assert 10 <= player.time() - begun < 10.2
    assert (result.state, result.sent, result.paced, result.on_time_ratio) == ("ended", 9, 9, 1.0)
    assert {place: found for place, found in player.sender.records.items() if found} == plain(capture)
    assert player.sender.published == []


def test_a_pause_holds_a_capture(play: Callable[..., Player]) -> None:
    """Paused for a minute after three seconds, it ends a minute later."""
    player = play(speed=60.0)
    begun = player.time()
    player.time.at(3, player.deck.pause)
    player.time.at(63, player.deck.resume)
    assert player.play().sent == 9
    assert 70 <= player.time() - begun < 70.3


def test_a_jump_back_is_a_further_round(play: Callable[..., Player]) -> None:
    """The round that follows begins at the moment, so nothing before it is sent again."""
    player = play(speed=60.0)
    player.time.at(7, lambda: player.deck.jump("-2m"))
    with pytest.raises(JumpedBackError) as jump:
        player.play()
    assert (jump.value.moment - AT) // MINUTE in {4, 5}
    again = play(speed=0.0)
    again.play(jump.value.moment)
    sent = [at for records in again.sender.records.values() for at, _, _ in records]
    assert min(at for at in sent if at != AT + 3 * MINUTE) >= jump.value.moment
    assert max(sent) == AT + 10 * MINUTE


def test_a_stopped_replay_goes_on_from_its_position(
    capture: Capture, play: Callable[..., Player], tmp_path: Path
) -> None:
    """Nothing is lost, and what is sent twice lies at or after the saved time."""
    from producers.replay.position import load_position  # noqa: PLC0415 - read after it was written

    path = tmp_path / "position"
    player = play(speed=60.0, position_file=path)
    player.time.at(5.5, player.deck.stop)
    with pytest.raises(StoppedError):
        player.play()
    position = load_position(path, "x")
    again = play(speed=0.0, resume=position)
    again.play()
    for place, expected in plain(capture).items():
        first = player.sender.records.get(place, [])
        second = again.sender.records.get(place, [])
        assert first == expected[: len(first)]
        assert second == expected[len(expected) - len(second) :]
        assert len(first) + len(second) >= len(expected)
