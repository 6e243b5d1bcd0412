"""What fired compared with what arrived: every way in which the two can differ, and what Alertmanager documents."""

from datetime import UTC, datetime, timedelta

import pytest

from joinstorm.pages.delivery import AlertmanagerOutage, Delivery, deliver
from joinstorm.pages.lives import FiredAlert
from joinstorm.pages.notifications import Notification, NotifiedAlert, ReceivedNotification, Status

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BASE = 1_700_000_000_000


def life(fired: int, last: int, *, name: str = "Melting", over: bool = True) -> FiredAlert:
    """Return an alert that fired, times in ms after ``BASE``."""
    return FiredAlert((("alertname", name),), BASE + fired, BASE + last, over)


def page(at: int, fired: int, status: Status = "firing", *, name: str = "Melting") -> ReceivedNotification:
    """Return a notification of one alert, times in ms after ``BASE``."""
    starts = EPOCH + timedelta(milliseconds=BASE + fired)
    alert = NotifiedAlert(status, {"alertname": name}, starts, starts, {"runbook_url": "here"})
    return ReceivedNotification(BASE + at, Notification("4", status, (alert,)))


def counts(found: Delivery) -> dict[str, int]:
    """Return every figure of an account that is not zero."""
    names = ("expected", "arrived", "repeated", "repeated_after_restart", "unexpected", "out_of_order", "unresolved")
    figures: dict[str, int] = {name: getattr(found, name) for name in names}
    return {name: value for name, value in figures.items() if value}


def test_a_page_that_arrives_with_its_end_is_in_order() -> None:
    """Fired, arrived 300 ms later, over and told so: nothing is wrong, and the delay is known."""
    found = deliver([life(1_000, 60_000)], [page(1_300, 1_000), page(61_200, 1_000, "resolved")])
    assert counts(found) == {"expected": 1, "arrived": 1}
    assert list(found.delays or ()) == [300, 300]
    assert found.pages[0].runbook_url == "here"
    assert not found.problems()


def test_a_page_that_does_not_arrive_is_lost() -> None:
    """Of two alerts one arrives: the other is named."""
    found = deliver([life(0, 9_000), life(2_000, 9_000, name="Waiting")], [page(100, 0), page(10_500, 0, "resolved")])
    assert [one.state for one in found.pages] == ["arrived", "lost"]
    assert found.problems() == ("1 of 2 pages did not arrive, the first: Waiting",)


def test_a_page_that_is_over_before_alertmanager_is_back_is_lost_for_that_reason() -> None:
    """It fired and ended within the outage: Alertmanager never saw it, and the account says so."""
    found = deliver([life(1_000, 4_000)], [], [AlertmanagerOutage(BASE, BASE + 5_000)])
    (problem,) = found.problems()
    assert problem.endswith("the first: Melting; 1 of them began and ended while Alertmanager was away")


def test_a_page_that_arrives_twice_is_doubled() -> None:
    """The same alert again, and Alertmanager was there all the time: no reason is documented."""
    found = deliver([life(0, 9_000, over=False)], [page(100, 0), page(5_000, 0)])
    assert counts(found) == {"expected": 1, "arrived": 1, "repeated": 1}
    assert found.problems() == ("1 notifications were repeated without a reason",)


def test_a_restart_excuses_one_repetition() -> None:
    """Killed before it noted the page as sent, Alertmanager sends it again, as documented; a third time it must not."""
    outages = [AlertmanagerOutage(BASE + 200, BASE + 4_000)]
    found = deliver([life(0, 9_000, over=False)], [page(100, 0), page(5_000, 0)], outages)
    assert counts(found) == {"expected": 1, "arrived": 1, "repeated_after_restart": 1}
    thrice = deliver([life(0, 9_000, over=False)], [page(100, 0), page(5_000, 0), page(6_000, 0)], outages)
    assert counts(thrice) == {"expected": 1, "arrived": 1, "repeated": 1, "repeated_after_restart": 1}


def test_a_short_pause_is_one_page() -> None:
    """Over for a second and fired again: Alertmanager makes one page of both within its group_interval."""
    lives = [life(0, 9_000), life(11_000, 20_000)]
    received = [page(100, 0), page(21_500, 11_000, "resolved")]
    found = deliver(lives, received, fold_ms=1_000)
    assert [one.state for one in found.pages] == ["arrived", "folded"]
    assert counts(found) == {"expected": 1, "arrived": 1}
    assert not found.problems()


def test_an_end_that_alertmanager_did_not_see_makes_one_page() -> None:
    """Over while it was away, and fired again: to Alertmanager the alert fires still, and one end closes both."""
    lives = [life(0, 9_000), life(14_000, 20_000)]
    received = [page(100, 0), page(21_500, 14_000, "resolved")]
    outage = AlertmanagerOutage(BASE + 8_000, BASE + 12_000)
    assert not deliver(lives, received, [outage], 1_000).problems()
    assert deliver(lives, received, [], 1_000).problems()


def test_a_long_pause_is_two_pages() -> None:
    """Fired again a minute later, it has to arrive again."""
    received = [page(100, 0), page(10_000, 0, "resolved")]
    found = deliver([life(0, 9_000), life(70_000, 80_000)], received, fold_ms=1_000)
    assert [one.state for one in found.pages] == ["arrived", "lost"]


def test_the_order_of_firing_is_kept() -> None:
    """A page that arrives after one that fired later is out of order; what fired in an outage is not."""
    lives = [life(0, 99_000, over=False), life(2_000, 99_000, name="Later", over=False)]
    received = [page(2_100, 2_000, name="Later"), page(3_000, 0)]
    assert counts(deliver(lives, received))["out_of_order"] == 1
    away = [AlertmanagerOutage(BASE - 500, BASE + 500)]
    assert "out_of_order" not in counts(deliver(lives, received, away))


def test_alerts_of_the_same_evaluation_have_no_order() -> None:
    """Fired at the same time, they may arrive in any order."""
    lives = [life(0, 9_000, over=False), life(0, 9_000, name="Twin", over=False)]
    assert "out_of_order" not in counts(deliver(lives, [page(200, 0, name="Twin"), page(300, 0)]))


def test_the_end_of_a_page_has_to_arrive() -> None:
    """An alert that is over and was never said to be is a problem; one that fires still is none."""
    assert deliver([life(0, 9_000)], [page(100, 0)]).problems() == ("the end of 1 pages did not arrive",)
    assert not deliver([life(0, 9_000, over=False)], [page(100, 0)]).problems()


@pytest.mark.parametrize("alone", [True, False])
def test_an_alert_nobody_fired_is_unexpected(alone: bool) -> None:
    """In an Alertmanager of the rehearsal's own it is a problem; in a shared one others may send to it."""
    found = deliver([], [page(100, 0)])
    assert counts(found) == {"unexpected": 1}
    assert bool(found.problems(alone=alone)) == alone
