"""The evening's data structures against naive ones, and short evenings of any make: always legal, no listener lost."""

from typing import Any

import msgspec
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.simulation import presencelog as log
from producers.simulation.calendar import MINUTE_TICKS, NEVER, Calendar
from producers.simulation.room import Audience
from tests.evenings import AWAY, burst, play, walk, with_capacity

ids = st.integers(0, 39)


@given(st.lists(st.tuples(st.booleans(), st.sets(ids)), max_size=30))
def test_audience_is_a_set(steps: list[tuple[bool, set[int]]]) -> None:
    """Listeners added and not removed are in the room, each once."""
    audience, naive = Audience(40), set[int]()
    for adds, some in steps:
        chosen = sorted(some - naive if adds else some & naive)
        (audience.add if adds else audience.remove)(np.array(chosen, dtype=np.int32))
        naive = naive | some if adds else naive - some
        assert audience.count == len(naive)
        assert sorted(audience.ids().tolist()) == sorted(naive)


@given(st.sets(ids, min_size=1), st.lists(st.floats(0, 1, exclude_max=True), max_size=20))
def test_sample_is_of_the_room(inside: set[int], uniform: list[float]) -> None:
    """A sample holds listeners of the room only, each once, at most as many as numbers were drawn."""
    audience = Audience(40)
    audience.add(np.array(sorted(inside), dtype=np.int32))
    sample = audience.sample(np.array(uniform)).tolist()
    assert set(sample) <= inside
    assert len(sample) == len(set(sample)) <= len(uniform)
    assert sample == sorted(sample)


due_times = st.one_of(st.integers(0, 240_000), st.just(int(NEVER)))


@given(
    st.lists(due_times, min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(0, 239), st.integers(0, 19), st.integers(0, 240_000)), max_size=30),
)
def test_calendar_takes_everybody_when_due(due: list[int], changes: list[tuple[int, int, int]]) -> None:
    """Each second gives exactly who is due in it, in order of time, also after being rescheduled at any second."""
    naive = dict(enumerate(due))
    calendar = Calendar(np.array(due, dtype=np.int32))
    for tick in range(240):
        if tick % MINUTE_TICKS == 0:
            calendar.open_minute(tick // MINUTE_TICKS)
        taken, times = calendar.take(tick)
        expected = sorted((at, who) for who, at in naive.items() if at // 1000 == tick)
        assert list(zip(times.tolist(), taken.tolist(), strict=True)) == expected
        naive = {who: at for who, at in naive.items() if at // 1000 != tick}
        for when, who, at in changes:
            if when == tick and who < len(due):
                naive[who] = max(at, (tick + 1) * 1000)
                calendar.put(np.array([who], dtype=np.int32), np.array([at], dtype=np.int32))


evenings = st.fixed_dictionaries(
    {
        "crowd": st.fixed_dictionaries(
            {
                "listeners": st.integers(1, 600),
                "patience_minutes": st.floats(1, 60),
                "tolerated_fails": st.floats(1, 20),
                "follow_share": st.floats(0, 1),
                "return_share": st.floats(0, 1),
                "return_minutes": st.floats(0.5, 5),
            }
        ),
        "server": st.fixed_dictionaries(
            {
                "held": st.floats(1, 1000),
                "admissions_per_second": st.floats(0.1, 20),
                "attempt_weight": st.floats(0, 200),
                "drops_per_minute": st.floats(0, 60),
                "losses_per_hour": st.floats(0, 60),
                "strained_answer_seconds": st.floats(0, 60),
            }
        ),
        "retry": st.fixed_dictionaries(
            {
                "policy": st.sampled_from(["fixed", "exponential", "full-jitter", "none"]),
                "after_drop_seconds": st.floats(0.1, 30),
                "base_seconds": st.floats(1, 60),
            }
        ),
    }
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evenings, st.integers(0, 1000))
def test_any_evening_is_legal(changes: dict[str, dict[str, Any]], seed: int) -> None:
    """Any crowd, server and policy: legal paths only, and no listener left at the end."""
    played = play(burst(**changes), seed=seed)
    assert set(walk(played.events).values()) <= {AWAY}
    assert bool((np.diff(played.events["at"]) >= 0).all())
    again = play(burst(**changes), seed=seed)
    assert again.events.tobytes() == played.events.tobytes()


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0.1, 4), st.floats(1.1, 3), st.integers(0, 1000))
def test_more_capacity_turns_fewer_away(capacity: float, factor: float, seed: int) -> None:
    """Except by chance, more capacity never means more fails and drops."""
    less, more = (play(with_capacity(burst(), c), seed=seed) for c in (capacity, capacity * factor))
    turned_away = [
        played.count(log.FAIL) + played.count(log.DROP) - played.count(log.DROP, log.CONNECTION_LOST)
        for played in (less, more)
    ]
    assert turned_away[1] <= 1.05 * turned_away[0] + 20


def test_a_crowd_of_one() -> None:
    """A single listener is an evening too."""
    one = burst()
    played = play(msgspec.structs.replace(one, crowd=msgspec.structs.replace(one.crowd, listeners=1)))
    assert walk(played.events) == {0: AWAY}
