"""The parts of an evening by themselves: random streams, demand, retries, the room's load, the hosts."""

import math

import numpy as np
import pytest

from producers.scenario.loading import load
from producers.scenario.spec import HostsSpec, RetrySpec
from producers.simulation.demand import draw_demand
from producers.simulation.hosts import CLOSED, HostAction, HostSchedule
from producers.simulation.randomness import LEVELS, chance, exponential, levels, stream
from producers.simulation.retry import RetryPolicy
from producers.simulation.room import Room
from streams.contract.names import MINUTE_MS
from tests.evenings import burst

OPENS = -40 * MINUTE_MS


def retry(policy: str, **fields: float) -> RetryPolicy:
    """Return a policy with round numbers."""
    values = {"after_drop_seconds": 5, "base_seconds": 10, "cap_seconds": 60, **fields}
    return RetryPolicy(RetrySpec(policy=policy, **values))  # type: ignore[arg-type]  # loading checks the policy


def fails(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Return numbers of failed attempts as the crowd keeps them."""
    return np.array(numbers, dtype=np.int32)


def test_streams_are_named() -> None:
    """One name is one sequence; another name or seed is another one, whatever was drawn elsewhere."""
    first = stream(1, "arrival").random(5)
    stream(1, "patience").random(100)
    assert (stream(1, "arrival").random(5) == first).all()
    assert not (stream(1, "patience").random(5) == first).any()
    assert not (stream(2, "arrival").random(5) == first).any()


def test_the_generator_is_the_one_the_tapes_were_made_with() -> None:
    """The first numbers of a stream are fixed: another generator or seeding would make other tapes."""
    assert stream(1, "arrival").random(2).tolist() == [ARRIVAL_0, ARRIVAL_1]


ARRIVAL_0, ARRIVAL_1 = 0.3481328218224681, 0.26930312983163784


def test_levels_and_chances() -> None:
    """A level lies below a chance with that probability; 1 is certain and 0 is never."""
    drawn = levels(1, "test", 20_000)
    assert abs(float((drawn < chance(0.3)).mean()) - 0.3) < 0.02
    assert bool((drawn < chance(1.0)).all())
    assert not bool((drawn < chance(0.0)).any())


def test_exponential_table() -> None:
    """The table's mean is the distribution's, its values grow, and it is cut at some eleven times the mean."""
    table = exponential(60_000)
    assert len(table) == LEVELS
    assert abs(float(table.mean()) - 60_000) < 60
    assert bool((np.diff(table) >= 0).all())
    assert table[-1] < 12 * 60_000


def test_arrivals_follow_the_curve() -> None:
    """Arrivals lie between the curve's ends, in each stretch in proportion to its area."""
    crowd = burst(crowd={"arrivals": ((-30, 0), (-10, 4), (0, 4), (5, 0))}).crowd
    minutes = draw_demand(crowd, seed=3, listeners=20_000, opens_ms=OPENS).arrival / MINUTE_MS - 40
    assert minutes.min() >= -30
    assert minutes.max() <= 5
    shares = [float(((minutes >= low) & (minutes < high)).mean()) for low, high in ((-30, -10), (-10, 0), (0, 5))]
    assert shares == pytest.approx([40 / 90, 40 / 90, 10 / 90], abs=0.015)


def test_clients_have_their_shares() -> None:
    """Each client has its share of the crowd."""
    demand = draw_demand(load("launch").crowd, seed=3, listeners=20_000, opens_ms=OPENS)
    assert demand.clients == ("ios", "android", "web")
    counts = np.bincount(demand.client, minlength=3) / 20_000
    assert counts.tolist() == pytest.approx([0.52, 0.28, 0.20], abs=0.015)


def test_a_larger_crowd_begins_with_the_smaller_one() -> None:
    """Listeners have their attributes from streams of their own: the first ones are the same in a larger crowd."""
    crowd = load("launch").crowd
    small = draw_demand(crowd, seed=3, listeners=100, opens_ms=OPENS)
    large = draw_demand(crowd, seed=3, listeners=1000, opens_ms=OPENS)
    assert (small.arrival == large.arrival[:100]).all()
    assert (small.stay.level == large.stay.level[:100]).all()


def test_stays_are_short_or_long() -> None:
    """Some only drop in, the others stay; both means are the scenario's."""
    crowd = burst(crowd={"short_share": 0.25, "short_minutes": 1, "long_minutes": 100}).crowd
    stays = draw_demand(crowd, seed=3, listeners=10, opens_ms=OPENS).stay.values / MINUTE_MS
    assert float(stays[: LEVELS // 4].mean()) == pytest.approx(1, rel=0.01)
    assert float(stays[LEVELS // 4 :].mean()) == pytest.approx(100, rel=0.01)


def test_fixed_retries() -> None:
    """The fixed policy waits the same after each failed attempt, and its own time after a drop."""
    assert retry("fixed").delays(fails(0, 1, 2, 9), np.zeros(4)).tolist() == [5000, 10_000, 10_000, 10_000]


def test_exponential_retries() -> None:
    """The exponential policy doubles up to the cap, all clients alike."""
    delays = retry("exponential").delays(fails(0, 1, 2, 3, 4, 90), np.linspace(0, 0.9, 6))
    assert delays.tolist() == [5000, 10_000, 20_000, 40_000, 60_000, 60_000]


def test_full_jitter_retries() -> None:
    """Full jitter draws between nothing and twice the exponential wait: the same mean, each at a time of its own."""
    delays = retry("full-jitter").delays(fails(1, 1, 1, 3), np.array([0.0, 0.5, 0.999, 0.5]))
    assert delays.tolist() == [1, 10_000, 19_980, 40_000]


def test_no_retries() -> None:
    """With the policy ``none`` no client retries."""
    assert not retry("none").retries
    assert retry("fixed").retries


def room(**changes: float) -> Room:
    """Return a room for 100 listeners whose strain follows its load at once."""
    server = {"held": 100, "admissions_per_second": 10, "attempt_weight": 5, "limit": 1.5, "inertia_seconds": 1}
    return Room(burst(server={**server, **changes}).server, 1.0, 1000)


def people(first: int, last: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Return listener ids."""
    return np.arange(first, last, dtype=np.int32)


def test_strain_grows_with_the_load() -> None:
    """No strain up to what is carried, full strain at the limit, linear between."""
    one = room()
    for size, strain in ((100, 0.0), (125, 0.5), (150, 1.0), (400, 1.0)):
        one.audience.add(people(one.audience.count, size))
        assert one.measure(0) == pytest.approx(strain)


def test_attempts_are_load() -> None:
    """Attempts press on a room as listeners do, each second's with its weight."""
    one = room()
    one.audience.add(people(0, 90))
    for _ in range(60):
        strain = one.measure(7)
    assert strain == pytest.approx((90 + 7 * 5) / 100 * 2 - 2, abs=1e-3)


def test_strain_has_inertia() -> None:
    """The strain follows the load with its time constant, up and down."""
    one = room(inertia_seconds=10)
    one.audience.add(people(0, 150))
    rising = [one.measure(0) for _ in range(10)]
    assert rising[-1] == pytest.approx(1 - math.exp(-1), abs=0.03)
    one.audience.remove(people(0, 150))
    assert one.measure(0) < rising[-1]


def test_admissions_have_a_limit() -> None:
    """Without strain the first ones are let in, up to the admissions of a second and what was saved."""
    one = room()
    admitted = [int(one.admit(np.full(40, 0.9)).sum()) for _ in range(3)]
    assert admitted == [10, 10, 10]
    for _ in range(20):
        one.admit(np.empty(0))
    assert one.admit(np.full(80, 0.9)).tolist() == [True] * 50 + [False] * 30


def test_strain_refuses_and_drops() -> None:
    """Under full strain attempts fail with their share, and listeners are dropped at the scenario's rate."""
    one = room(refuse_share=0.5, drops_per_minute=0.6)
    one.audience.add(people(0, 200))
    one.measure(0)
    assert one.admit(np.array([0.1, 0.49, 0.5, 0.9])).tolist() == [False, False, True, True]
    assert sum(one.drops_due() for _ in range(60)) == pytest.approx(200 * 0.6, abs=1)
    assert sum(room().drops_due() for _ in range(60)) == 0


def test_connections_break_without_strain() -> None:
    """Some connections break for reasons of their own."""
    one = room(losses_per_hour=1)
    one.audience.add(people(0, 60))
    assert sum(one.losses_due() for _ in range(3600)) == pytest.approx(60, abs=1)
    assert one.drops_due() == 0


def schedule(**fields: float) -> HostSchedule:
    """Return the schedule of hosts whose talk is due at minute 10."""
    values = {
        "close_after_minutes": 20, "closing_seconds": 60, "reopen_after_minutes": 2, "settle_minutes": 3,
        "calm_below": 0.1, "latest_start_minutes": 45, "talk_minutes": 60, "end_minutes": 30, **fields,
    }  # fmt: skip
    return HostSchedule(HostsSpec(**values), 10 * MINUTE_MS)


def decisions(hosts: HostSchedule, strain: dict[int, float], until: int = 120) -> dict[float, HostAction]:
    """Return what the hosts decide, by minute, when the strain is as given from each minute on."""
    done, now_strain = {}, 0.0
    for second in range(until * 60):
        now_strain = strain.get(second // 60, now_strain) if second % 60 == 0 else now_strain
        action = hosts.decide(second * 1000, now_strain)
        if action is not None:
            done[second / 60] = action
    return done


def test_a_calm_room_has_its_talk() -> None:
    """In a calm room the talk begins once it has settled after the scheduled start, and nothing is closed."""
    hosts = schedule()
    assert decisions(hosts, {0: 0.0}) == {13: HostAction.BEGIN}
    assert (hosts.melting, hosts.closed, hosts.talk_end) == (None, None, 73 * MINUTE_MS)


def test_a_melting_room_is_closed_and_a_second_one_opens() -> None:
    """A room that melts is closed after its time, a second one opens, and there the talk begins when it is calm."""
    hosts = schedule()
    assert decisions(hosts, {11: 0.5, 31: 0.0}) == {30: HostAction.CLOSE, 32: HostAction.REOPEN, 35: HostAction.BEGIN}
    assert (hosts.melting, hosts.room) == (11 * MINUTE_MS, 1)
    assert decisions(schedule(), {11: 0.5, 35: 0.0}) == {
        30: HostAction.CLOSE,
        32: HostAction.REOPEN,
        38: HostAction.BEGIN,
    }


def test_a_room_that_recovers_is_not_closed() -> None:
    """When the melting ends in time the talk begins in the first room."""
    hosts = schedule()
    assert decisions(hosts, {11: 0.5, 29: 0.0}) == {32: HostAction.BEGIN}
    assert hosts.closed is None


def test_a_room_is_not_closed_for_a_moment_of_strain() -> None:
    """Only a room that has melted for a minute is closed."""
    done = decisions(schedule(settle_minutes=25), {34: 0.5})
    assert done[35] is HostAction.CLOSE


def test_patience_of_the_hosts_ends() -> None:
    """The talk begins at the latest start, calm or not."""
    hosts = schedule()
    assert decisions(hosts, {11: 0.9}) == {30: HostAction.CLOSE, 32: HostAction.REOPEN, 55: HostAction.BEGIN}


def test_between_two_rooms_none_is_open() -> None:
    """Between closing the first room and opening the second there is none to join."""
    hosts = schedule()
    decisions(hosts, {11: 0.9}, until=31)
    assert hosts.room == CLOSED
    assert hosts.second_opens == 32 * MINUTE_MS
