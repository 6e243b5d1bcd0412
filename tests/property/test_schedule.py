"""The clock of a replay: whatever is done to it, time goes forward, nothing is skipped and due times hold."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from producers.replay.schedule import AS_FAST_AS_POSSIBLE, Schedule, quiet_stretches

START = 1_000_000
speeds = st.sampled_from([0.1, 1.0, 7.0, 60.0, 240.0])
waits = st.floats(0, 50)


class Deck(RuleBasedStateMachine):
    """A user at the deck: any order of play, pause, speed, jumps and steps, with the sending lagging behind or not."""

    @initialize(speed=speeds | st.just(AS_FAST_AS_POSSIBLE))
    def begin(self, speed: float) -> None:
        """Insert a tape of one event every 100 ms."""
        self.clock = Schedule(START, speed)
        self.now = 100.0
        self.left = START - 100
        self.sent: list[int] = []
        self.furthest = -math.inf
        self.clock.start(self.now)

    @rule(seconds=waits, late=st.booleans())
    def play(self, seconds: float, late: bool) -> None:
        """Let time pass; send what is due, or at most twenty events of it."""
        self.now += seconds
        horizon = self.clock.horizon(self.now)
        assert horizon >= self.furthest
        upto = min(horizon, self.left + (2_000 if late else 20_000))
        while self.left + 100 <= upto:
            self.left += 100
            self.sent.append(self.left)
        self.clock.reached(self.now, self.left + 100 if self.left + 100 > horizon else self.left)

    @rule()
    def pause(self) -> None:
        """Stop; the position stays."""
        before = self.clock.position(self.now)
        self.clock.pause(self.now)
        assert self.clock.position(self.now + 9) == before

    @rule()
    def resume(self) -> None:
        """Go on from the same position."""
        before = self.clock.position(self.now)
        self.clock.start(self.now)
        assert self.clock.position(self.now) == before

    @rule(speed=speeds | st.just(AS_FAST_AS_POSSIBLE))
    def change_speed(self, speed: float) -> None:
        """Another speed; the position stays."""
        before = self.clock.position(self.now)
        self.clock.set_speed(self.now, speed)
        assert math.isclose(self.clock.position(self.now), before)

    @rule(ahead=st.integers(-5_000, 90_000))
    def jump(self, ahead: int) -> None:
        """Rush forward, or move the standing clock; backwards is not possible."""
        upto = self.clock.position(self.now) + ahead
        if self.clock.running:
            self.clock.rush(self.now, upto)
        else:
            self.clock.skip(self.now, upto)
            assert self.clock.position(self.now) >= upto

    @invariant()
    def time_goes_forward(self) -> None:
        """The position never moves back, and every event was sent once, in order."""
        if not hasattr(self, "clock"):
            return
        position = self.clock.position(self.now)
        assert math.isfinite(position)
        assert position >= self.furthest
        self.furthest = position
        assert self.sent == list(range(START, START + 100 * len(self.sent), 100))


TestDeck = Deck.TestCase


@given(speed=speeds, seconds=waits, offsets=st.lists(st.integers(0, 10**7), min_size=1))
def test_due_times_are_absolute(speed: float, seconds: float, offsets: list[int]) -> None:
    """Event i is due at start + offset_i / speed, however late it is asked."""
    clock = Schedule(START, speed)
    clock.start(50.0)
    clock.reached(50.0 + seconds, START + seconds)
    due = clock.wall_of(np.array(offsets) + START)
    assert np.allclose(due, 50.0 + np.array(offsets) / 1000 / speed)


@given(speed=speeds, pause=st.floats(0.1, 50), length=st.floats(0.1, 50), faster=speeds)
def test_a_pause_and_a_change_of_speed_move_what_follows(
    speed: float, pause: float, length: float, faster: float
) -> None:
    """What was due before the pause keeps its due time, also when it leaves later; what follows moves by the pause."""
    clock = Schedule(START, speed)
    clock.start(0.0)
    clock.pause(pause)
    stood = clock.position(pause)
    clock.start(pause + length)
    clock.set_speed(pause + length, faster)
    before, after = int(stood) - 1, math.ceil(stood) + 1000
    due = clock.wall_of(np.array([max(START, before), after]))
    assert math.isclose(due[0], (max(START, before) - START) / 1000 / speed, abs_tol=1e-6)
    assert math.isclose(due[1], pause + length + (after - stood) / 1000 / faster, abs_tol=1e-6)


def test_nothing_in_a_rush_can_be_late() -> None:
    """Events of a rush have no due time; the clock stands until they have left, and what follows is due from there."""
    clock = Schedule(START, 10.0)
    clock.start(0.0)
    clock.rush(1.0, START + 60_000)
    assert clock.horizon(1.0) < START + 60_000
    assert clock.seconds_until(5.0, START + 60_000) == math.inf
    clock.reached(5.0, START + 60_000)
    due = clock.wall_of(np.array([START + 5_000, START + 30_000, START + 70_000]))
    assert due[0] == 0.5
    assert math.isnan(due[1])
    assert due[2] == 6.0
    assert clock.position(6.0) == START + 70_000


def test_a_start_can_be_postponed() -> None:
    """Everything is due later, as if it had started then; a clock that stands or rushes has nothing to postpone."""
    clock = Schedule(START, 10)
    clock.postpone(5)
    clock.start(10)
    clock.postpone(13)
    assert clock.wall_of(np.array([START, START + 20_000])).tolist() == [13, 15]
    assert clock.position(13) == START
    clock.rush(14, START + 30_000)
    clock.postpone(20)
    clock.reached(15, START + 30_000)
    assert clock.wall_of(np.array([START, START + 30_000])).tolist() == [13, 15]


def test_as_fast_as_it_goes_promises_nothing() -> None:
    """Everything is due at once and nothing is paced; a speed set later counts from where the sending is."""
    clock = Schedule(START, AS_FAST_AS_POSSIBLE)
    clock.start(0.0)
    assert clock.horizon(0.0) == math.inf
    assert np.isnan(clock.wall_of(np.array([START, START + 10**9]))).all()
    clock.reached(3.0, START + 40_000)
    clock.set_speed(3.0, 2.0)
    assert clock.position(4.0) == START + 42_000


def test_quiet_stretches_run_from_phase_to_phase() -> None:
    """A quiet phase lasts until the next one begins, the last one until the end."""
    assert quiet_stretches([(0, False), (5, True), (9, False), (12, True)], 20) == [(5, 9), (12, 20)]
