"""The HTML page of a score: each scenario with its own phases, shaded where the alert is meant to fire."""

import re

from joinstorm.alerts.expectation import DEFAULT, parse_expectation
from joinstorm.alerts.scorepage import as_html, timeline
from joinstorm.alerts.scoring import AlertNight, AlertScore, Page
from tests.unit.joinstorm.alerts.test_scoring import START, night

NIGHTS = tuple(
    AlertNight(night(name), (Page(START + 600_000, START + 900_000, "right", "melting", resolved=True),), ())
    for name in ("launch", "launch", "control")
)


def test_every_scenario_has_its_own_phases() -> None:
    """Nights of one scenario share their columns; the phases alerts have to fire in are shaded."""
    drawn = timeline(AlertScore("Melt", 4, DEFAULT, NIGHTS))
    named = re.findall(r'y="13">([^<]*)<', drawn)
    assert named == ["open", "melting", "first closed", "talk", "open", "talk"]
    assert drawn.count('fill="var(--band)"') == 1
    assert drawn.count('fill="var(--good)"') == 3
    own = AlertScore("Melt", 4, parse_expectation("melting,talk"), NIGHTS)
    assert timeline(own).count('fill="var(--band)"') == 3


def test_the_page_says_what_is_not_scored() -> None:
    """And is one document that needs nothing from elsewhere."""
    page = as_html([AlertScore("Behind", 9, DEFAULT, (), ("joinstorm_lag",))])
    assert "Not scored: it reads joinstorm_lag, which no night has." in page
    assert "http" not in page
