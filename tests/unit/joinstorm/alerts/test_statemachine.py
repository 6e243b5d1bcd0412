"""An alert's states, against a plain transcription of what Prometheus does evaluation by evaluation."""

from hypothesis import given
from hypothesis import strategies as st

from joinstorm.alerts.statemachine import AlertLife, merged, stretches

INTERVAL = 15_000


def naive(held: set[int], count: int, hold: int, keep: int) -> list[str]:
    """Return the state at each evaluation: the loop of ``AlertingRule.Eval``, one alert."""
    state, active, kept_since, states = "", 0, -1, []
    for number in range(count):
        at = number * INTERVAL
        if number in held:
            kept_since = -1
            if not state:
                state, active = "pending", at
        elif state == "firing" and keep > 0:
            kept_since = at if kept_since < 0 else kept_since
            if at - kept_since >= keep:
                state = ""
        else:
            state = ""
        if state == "pending" and at - active >= hold:
            state = "firing"
        states.append(state)
    return states


def states_of(lives: list[AlertLife], count: int) -> list[str]:
    """Return the state at each evaluation."""
    states = [""] * count
    for life in lives:
        for number in range(life.active, life.ends):
            states[number] = "firing" if number >= life.fires else "pending"
    return states


@given(st.sets(st.integers(0, 39)), st.integers(0, 100_000), st.integers(0, 100_000))
def test_states_are_those_of_the_plain_loop(held: set[int], hold: int, keep: int) -> None:
    """For any gaps, ``for`` and ``keep_firing_for``, multiples of the interval or not."""
    lives = stretches(sorted(held), 40, INTERVAL, hold, keep)
    assert states_of(lives, 40) == naive(held, 40, hold, keep)


def test_a_gap_forgets_a_pending_alert_and_ends_a_firing_one() -> None:
    """``for: 30s`` at intervals of 15 s: two evaluations pending, then firing."""
    assert stretches([0, 1, 3, 4, 5, 6], 9, INTERVAL, 30_000, 0) == [AlertLife(0, 2, 2), AlertLife(3, 5, 7)]


def test_an_alert_that_holds_to_the_end_never_ends() -> None:
    """Its end is one past the last evaluation, also where it would be kept firing beyond it."""
    assert stretches([3, 4], 5, INTERVAL, 0, 60_000) == [AlertLife(3, 3, 5)]


def test_firing_stretches_of_several_alerts_are_merged() -> None:
    """Overlapping and touching ones are one page; pending ones are none."""
    assert merged([[AlertLife(0, 1, 4), AlertLife(9, 9, 10)], [AlertLife(3, 4, 6), AlertLife(7, 8, 8)]]) == [
        (1, 6),
        (9, 10),
    ]
