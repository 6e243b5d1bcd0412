"""What can be varied about an alert, and which settings lie on the front."""

from typing import Any

import pytest

from joinstorm.alerts.expectation import DEFAULT
from joinstorm.alerts.rulesfile import Rule
from joinstorm.alerts.scoring import AlertNight, AlertScore, Incident, Page
from joinstorm.alerts.settings import Dial, parse_dials, shipped_settings, turned, variants
from joinstorm.alerts.tuning import TunedPoint, _beaten
from tests.unit.joinstorm.alerts.test_scoring import night


def rule(expr: str, hold: int = 0) -> Rule:
    """Return an alert."""
    return Rule("g", "Melt", expr, 4, hold=hold)


def test_dials_are_read_from_one_text() -> None:
    """Values follow their name, separated by commas."""
    found = parse_dials("threshold=0.01,0.05,window=1m,for=0s,2m")
    assert found == [Dial("threshold", ("0.01", "0.05")), Dial("window", ("1m",)), Dial("for", ("0s", "2m"))]


@pytest.mark.parametrize(
    "text", ["", "0.1", "speed=1", "threshold=much", "window=0s", "for=2", "threshold=1,threshold=2", "window:0=1m"]
)
def test_what_is_no_dial_is_refused(text: str) -> None:
    """The error shows what is known."""
    with pytest.raises(ValueError, match=r"expected|could not convert"):
        parse_dials(text)


@pytest.mark.parametrize(
    ("expr", "settings", "wanted"),
    [
        ("sum(a) > 0.05", {"threshold": "0.1"}, "sum(a) > 0.1"),
        ("sum(rate(a[5m])) >= bool 3", {"threshold": "7", "window": "1h"}, "sum(rate(a[1h])) >= bool 7"),
        ('a{x=~">5"} < 2', {"threshold": "1"}, 'a{x=~">5"} < 1'),
        ("a > (14.4 * 0.01)", {"threshold": "6"}, "a > (6 * 0.01)"),
        ("a[5m] > 1 and a[1h] > 2", {"threshold:2": "9", "window:1": "2m"}, "a[2m] > 1 and a[1h] > 9"),
        ("max_over_time(a[30m:1m]) > 1e3", {"window": "10m", "threshold": "5"}, "max_over_time(a[10m:1m]) > 5"),
    ],
)  # fmt: skip
def test_an_expression_is_edited_in_its_place(expr: str, settings: dict[str, str], wanted: str) -> None:
    """Strings and matchers stay as they are."""
    assert turned(rule(expr), settings).expr == wanted


def test_what_cannot_be_varied_says_what_there_is() -> None:
    """Nothing of the kind, or several different ones."""
    with pytest.raises(ValueError, match="its expression has no window"):
        shipped_settings(rule("a > 1"), parse_dials("window=5m"))
    with pytest.raises(ValueError, match="threshold:1 is 1, threshold:2 is 2"):
        shipped_settings(rule("a > 1 or b > 2"), parse_dials("threshold=5"))


def test_every_combination_is_tried_and_the_alert_as_it_stands() -> None:
    """Which is not repeated where it is one of them, however it is written."""
    dials = parse_dials("threshold=1,2,for=0s,2m")
    one = rule("a > 1.0", 120_000)
    assert [each.chosen for each in variants(one, dials, shipped_settings(one, dials))] == [
        ("1", "0s"), ("1", "2m"), ("2", "0s"), ("2", "2m"),
    ]  # fmt: skip
    other = rule("a > 3", 120_000)
    assert [each.chosen for each in variants(other, dials, shipped_settings(other, dials))][-1] == ("3", "120s")


def point(detect: int | None, false: int) -> TunedPoint:
    """Return a point with one incident and some false pages."""
    info = night("launch")
    pages: Any = (Page(0, 1, "false", "open", resolved=True),) * false
    night_of = AlertNight(info, pages, (Incident(("melting",), 0, 1, detect, 0, 0),))
    return TunedPoint((), AlertScore("Melt", 4, DEFAULT, (night_of,)), shipped=False)


def test_the_front_has_what_no_other_setting_beats() -> None:
    """Quicker or quieter at no cost beats; quicker at a cost does not; missing is worse than being late."""
    points = [point(1, 2), point(3, 0), point(3, 1), point(None, 0)]
    assert [_beaten(one, points) for one in points] == [False, False, True, True]
