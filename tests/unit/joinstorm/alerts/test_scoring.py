"""Pages, incidents and the four figures, on nights made by hand."""

from xml.etree import ElementTree as ET

import msgspec

from joinstorm.alerts.evaluation import Evaluations, RuleOutcome
from joinstorm.alerts.expectation import DEFAULT, parse_expectation
from joinstorm.alerts.nightsamples import NightInfo
from joinstorm.alerts.requirement import parse_requirements
from joinstorm.alerts.rulesfile import Rule
from joinstorm.alerts.scoreformats import as_json, as_junit, as_text
from joinstorm.alerts.scorepage import as_html
from joinstorm.alerts.scoring import AlertNight, AlertScore, alert_night
from joinstorm.alerts.statemachine import AlertLife
from producers.scenario.incidentspec import ExpectSpec
from streams.contract.runinfo import Phase

START = 1_684_965_600_000
MINUTE = 60_000
RULE = Rule("g", "Melt", "up", 4)
EXPECT = ExpectSpec((("melting",),), ("talk",))
MELTING = parse_expectation("melting,first_closed,talk?")


def night(scenario: str) -> NightInfo:
    """Return a night of an hour: open, melting from 10 to 20, first_closed to 30, talk."""
    names = ("open", "melting", "first_closed", "talk") if scenario == "launch" else ("open", "talk")
    phases = tuple(Phase(name, START + 10 * number * MINUTE) for number, name in enumerate(names))
    return NightInfo(
        scenario,
        0.1,
        1,
        "ab" * 32,
        START,
        START + 60 * MINUTE,
        phases,
        simulated=True,
        spaces=("first",),
        expect=EXPECT,
    )


def fired(*minutes: tuple[int, int], scenario: str = "launch", meant: str = "melting,first_closed,talk?") -> AlertNight:
    """Return an alert that fires from minute to minute, evaluated once a minute."""
    lives = [AlertLife(first, first, after) for first, after in minutes]
    outcome = RuleOutcome(RULE, Evaluations.over(START, START + 60 * MINUTE, MINUTE), {(("alertname", "Melt"),): lives})
    return alert_night(outcome, night(scenario), parse_expectation(meant))


def test_evaluations_are_at_multiples_of_the_interval() -> None:
    """From the first one in the night to the last, both ends included."""
    found = Evaluations.over(START + 1, START + 121_000, MINUTE)
    assert (found.start, found.count, found.times().tolist()) == (
        START + MINUTE,
        2,
        [START + MINUTE, START + 2 * MINUTE],
    )


def test_a_page_counts_by_the_phase_it_begins_in() -> None:
    """Right in the incident, allowed where it may, false elsewhere, however long it goes on."""
    one = fired((5, 25), (12, 12), (27, 33), (40, 61))
    assert [(page.kind, page.phase, page.resolved) for page in one.pages] == [
        ("false", "open", True), ("right", "first_closed", True), ("allowed", "talk", False),
    ]  # fmt: skip


def test_detection_and_reset_time() -> None:
    """From the start of the incident to the first right page, and from its end to the end of the last."""
    (incident,) = fired((13, 15), (22, 34)).incidents
    assert (incident.detect, incident.reset, incident.flaps) == (3 * MINUTE, 4 * MINUTE, 1)
    (early,) = fired((13, 15)).incidents
    assert (early.reset, early.flaps) == (0, 0)


def test_a_page_from_where_it_may_fire_into_the_incident_is_right() -> None:
    """The alert was there when the incident began."""
    one = fired((15, 22), (25, 26), meant="first_closed,melting?")
    assert [page.kind for page in one.pages] == ["right", "right"]
    assert [(each.detect, each.flaps) for each in one.incidents] == [(0, 1)]


def test_an_alert_that_fires_all_night_detects_nothing() -> None:
    """Its page was sent before the incident."""
    (incident,) = fired((0, 61)).incidents
    assert incident.detect is None


def test_two_incidents_have_to_be_detected_both() -> None:
    """A right page that goes on into the second incident detects it at its start."""
    first, second = fired((12, 22), meant="melting;first_closed").incidents
    assert (first.detect, second.detect, second.reset) == (2 * MINUTE, 0, 0)
    assert [one.detect for one in fired((12, 15), meant="melting;first_closed").incidents] == [2 * MINUTE, None]


def whole() -> AlertScore:
    """Return a score over two nights with an incident and one without."""
    nights = (fired((13, 32)), fired((5, 6)), fired((50, 51), scenario="control", meant="melting,first_closed"))
    return AlertScore("Melt", 4, MELTING, nights)


def test_precision_and_recall_over_nights() -> None:
    """One of two incidents detected, one of three pages right; a night without an incident counts by its pages."""
    found = whole()
    assert (found.recall, found.precision) == (0.5, 1 / 3)
    assert (found.pages_per_night(incident=True), found.pages_per_night(incident=False)) == (1, 1)
    assert found.times("detect") == (3 * MINUTE, 3 * MINUTE)
    silent = AlertScore("Melt", 4, DEFAULT, (fired(scenario="control"),))
    assert (silent.recall, silent.precision, silent.times("detect")) == (None, None, None)


def test_text_says_when_it_fired_and_what_it_missed() -> None:
    """The table first, then every night in a line."""
    text = as_text([whole()])
    assert "Melt      0.5      0.333   3m00s  2m00s" in text
    assert "22:13:00 to 22:32:00; melting,first_closed +3m00s" in text
    assert "22:05:00 to 22:06:00 (false, in open); missed melting,first_closed" in text


def test_json_and_junit_say_what_is_not_met() -> None:
    """A failed requirement is a failed test case with its reason."""
    required = parse_requirements("recall=1,detect<5m")
    (figures,) = msgspec.json.decode(as_json([whole()], required))
    assert figures["unmet"] == ["recall=1 is required, recall is 0.5"]
    assert figures["nights"][0]["pages"][0]["start"] == START + 13 * MINUTE
    (suite,) = ET.fromstring(as_junit([whole()], required))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None] == ["recall=1"]


def test_the_page_draws_every_page_in_its_phase() -> None:
    """A bar for each, in the column of the phase it begins in; the phases the alert is meant for are shaded."""
    page = as_html([whole()], parse_requirements("recall=1"))
    assert page.count('fill="var(--good)"') == 1
    assert page.count('fill="var(--bad)"') == 2
    assert page.count('fill="var(--band)"') == 2
    assert "Melt: recall=1 is required, recall is 0.5" in page
