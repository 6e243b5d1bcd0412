"""Requirements, expectations, durations and label templates: what is accepted, and what the errors say."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from joinstorm.alerts.durations import duration_ms, duration_text
from joinstorm.alerts.expectation import DEFAULT, Expectation, check_phases, expectations, parse_expectation
from joinstorm.alerts.labeltemplates import expand, go_number, unsupported
from joinstorm.alerts.requirement import complaints, not_scored, parse_requirements
from joinstorm.alerts.rulesfile import Rule, RulesFile
from joinstorm.alerts.scoreformats import as_junit
from joinstorm.alerts.scoring import AlertNight, AlertScore, Incident, Page
from producers.scenario.incidentspec import ExpectSpec
from streams.errors import RulesError
from tests.unit.joinstorm.alerts.test_scoring import night

RULE = Rule("g", "Melt", "up", 4)
RULES = RulesFile(Path("r.yaml"), (RULE,))


@pytest.mark.parametrize(
    ("text", "ms"), [("15s", 15_000), ("1h30m", 5_400_000), ("250ms", 250), ("0", 0), ("1d", 86_400_000)]
)
def test_durations_are_prometheus_own(text: str, ms: int) -> None:
    """Units in their order, each once."""
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "5", "m5", "5m1h", "1.5h", "5 m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """The error shows what one looks like."""
    with pytest.raises(ValueError, match="such as 30s"):
        duration_ms(text)


def test_durations_for_people() -> None:
    """To the second, hours without seconds."""
    assert [duration_text(ms) for ms in (0, 59_000, 183_000, 7_260_000)] == ["0s", "59s", "3m03s", "2h01m"]


def score(detect: int | None, *, false: int = 0) -> AlertScore:
    """Return a score with one incident."""
    info = night("launch")
    pages = (Page(info.start, info.start + 1, "false", "open", resolved=True),) * false
    incident = Incident(("melting",), 0, 1, detect, detect, 0)
    return AlertScore("Melt", 4, DEFAULT, (AlertNight(info, pages, (incident,)),))


def test_requirements_hold_or_say_by_how_much_they_do_not() -> None:
    """The greatest detection time counts; a missed incident fails recall and the time."""
    required = parse_requirements("recall=1, detect<3m,false_pages<=0")
    assert complaints([score(179_000)], required) == []
    assert complaints([score(180_000)], required) == ["Melt: detect<3m00s is required, detect is 3m00s"]
    missed = complaints([score(None, false=2)], required)
    assert missed[0] == "Melt: recall=1 is required, recall is 0"
    assert "cannot be judged" in missed[1]
    assert missed[2] == "Melt: false_pages<=0 is required, false_pages is 2"


def test_a_requirement_without_anything_to_judge_fails() -> None:
    """Nights without an incident cannot show recall; an alert that must never fire needs none."""
    quiet = AlertScore("Melt", 4, DEFAULT, (AlertNight(night("control"), (), ()),))
    assert "no night has one" in complaints([quiet], parse_requirements("recall=1"))[0]
    never = AlertScore("Melt", 4, Expectation(()), quiet.nights)
    assert complaints([never], parse_requirements("recall=1,precision=1")) == []


def test_nothing_is_required_of_an_alert_that_is_not_scored() -> None:
    """It is named; only where no alert at all is scored nothing is met."""
    required = parse_requirements("recall=1,precision=1")
    behind = AlertScore("Behind", 9, DEFAULT, (), ("joinstorm_lag",))
    assert complaints([score(60_000), behind], required) == []
    assert not_scored([score(60_000), behind]) == [
        "Behind: nothing is required of it, as it reads joinstorm_lag, which no night has"
    ]
    assert complaints([behind], required) == ["no alert is scored, so nothing required is met"]
    assert complaints([behind], []) == []
    suites = ET.fromstring(as_junit([score(60_000), behind], required))
    assert [(one.get("failures"), one.get("skipped")) for one in suites] == [("0", "0"), ("0", "2")]
    assert suites.find("testsuite[@name='Behind']/testcase/skipped") is not None


def test_by_default_an_alert_is_meant_for_what_the_scenario_expects() -> None:
    """With a label it is meant for that, whatever the scenario expects."""
    truth = ExpectSpec((("outage",),), ("after_outage",))
    assert DEFAULT.on(truth).incidents == (("outage",),)
    assert DEFAULT.on(truth).may == ("after_outage",)
    own = Expectation((("talk",),))
    assert own.on(truth) is own
    assert str(DEFAULT) == "what the scenario expects"


@pytest.mark.parametrize("text", ["recal=1", "recall", "detect<3", "recall=much", "recall~1"])
def test_what_is_no_requirement_is_refused(text: str) -> None:
    """The error shows the part."""
    with pytest.raises(ValueError, match=text.split("=", maxsplit=1)[0]):
        parse_requirements(text)


def test_expectations_are_written_as_they_are_read() -> None:
    """Commas within an incident, semicolons between two, question marks where an alert may fire."""
    found = parse_expectation("melting,first_closed; thread, talk?")
    assert found == Expectation((("melting", "first_closed"), ("thread",)), ("talk",))
    assert parse_expectation(str(found)) == found
    assert parse_expectation("none") == Expectation(())


@pytest.mark.parametrize("text", ["", "melting,,talk", "?", "melting;"])
def test_what_is_no_expectation_is_refused(text: str) -> None:
    """The error shows the text and what one looks like."""
    with pytest.raises(ValueError, match="expected phases"):
        parse_expectation(text)


def test_a_flag_comes_before_a_label_and_a_label_before_the_default() -> None:
    """And a flag for an alert that is not there is an error that names those that are."""
    labelled = Rule("g", "Melt", "up", 4, labels=(("joinstorm_expect", "talk"),))
    rules = RulesFile(Path("r.yaml"), (labelled,))
    assert expectations(rules, {"Melt": "melting"}, {})[labelled].phases == {"melting"}
    assert expectations(rules, {}, {})[labelled].phases == {"talk"}
    assert expectations(RULES, {}, {})[RULE] is DEFAULT
    with pytest.raises(RulesError, match="no such alert; it has: Melt"):
        expectations(RULES, {"Meltt": "melting"}, {})


def test_an_unknown_phase_names_file_line_and_the_nearest() -> None:
    """A misspelt phase would make an alert be silent for ever."""
    with pytest.raises(RulesError, match=r"r\.yaml:4: alert Melt expects phase 'meltin': did you mean melting\?"):
        check_phases(RULES, {RULE: parse_expectation("meltin")}, [["open", "melting"]], imported=False)


def test_an_imported_night_needs_an_expected_phase() -> None:
    """Its phases are its own, so the default says nothing."""
    with pytest.raises(RulesError, match="has no expected phase: give it a label joinstorm_expect"):
        check_phases(RULES, {RULE: DEFAULT}, [["before", "after"]], imported=True)
    check_phases(RULES, {RULE: DEFAULT}, [["open", "talk"]], imported=False)


def test_templates_in_labels_are_expanded() -> None:
    """Labels, the value as Go prints it, and nothing for a label that is not there."""
    text = "{{ $labels.space }}/{{.Labels.nobody}}/{{- $value -}}"
    assert unsupported("{{ $labels.space }} {{ $value }}") is None
    assert expand(text.replace("{{-", "{{").replace("-}}", "}}"), {"space": "first"}, 0.5) == "first//0.5"
    assert unsupported("{{ $value | humanize }}") == "{{ $value | humanize }}"
    assert unsupported("{{- $value }}") is not None


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.1, "0.1"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (1.5e-5, "1.5e-05"),
     (0.0001, "0.0001"),
     (float("inf"), "+Inf"), (float("nan"), "NaN"), (-2.5, "-2.5")],
)  # fmt: skip
def test_numbers_are_written_as_go_does(value: float, text: str) -> None:
    """Else an alert would have other labels than in Prometheus."""
    assert go_number(value) == text
