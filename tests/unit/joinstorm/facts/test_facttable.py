"""The table of facts: every measure is defined, the launch lands where the sources say, and a miss is seen."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from click.testing import CliRunner

from joinstorm.cli import main
from joinstorm.commands import facts as command
from joinstorm.facts.factformats import FORMS, accepted
from joinstorm.facts.facttable import MEASURES, FactRow, facts_of, known_night, measure
from producers.recording import record
from producers.scenario.loading import load, names
from producers.scenario.spec import Fact, Measure, Scenario
from producers.tape.tapefile import Tape
from streams.contract.names import PhaseName
from streams.errors import NoFactsError
from tests.tinytape import tiny_tape

Recorded = Callable[[str, float], Tape]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Record scenarios, each once."""
    tapes: dict[tuple[str, float], Tape] = {}

    def tape(name: str, scale: float) -> Tape:
        if (name, scale) not in tapes:
            path = tmp_path_factory.mktemp("tape") / f"{name}.parquet"
            tapes[name, scale] = Tape.open(record(load(name), path, scale=scale).path)
        return tapes[name, scale]

    return tape


def test_every_measure_is_defined() -> None:
    """What a scenario may name can be measured."""
    assert set(MEASURES) == set(get_args(Measure))


def test_the_launch_lands_on_the_facts(recorded: Recorded) -> None:
    """At a fiftieth of its size the launch shows every figure of the table inside what its row accepts."""
    rows = facts_of(recorded("launch", 0.02))
    misses = [f"{row.fact.row} {row.fact.measure}: {row.value}" for row in rows if row.holds is False]
    assert misses == []
    assert sum(row.holds is True for row in rows) >= 12


def test_the_launch_has_every_phase_in_order(recorded: Recorded) -> None:
    """Boards, rules and docs name the phases: each of them comes to pass in the launch."""
    assert [phase.name for phase in recorded("launch", 0.02).info.phases] == list(PhaseName)


def test_every_row_of_the_table_is_there() -> None:
    """The launch speaks of all seventeen rows, those without a figure too."""
    assert {fact.row for fact in load("launch").facts} == set(range(1, 18))


@pytest.mark.parametrize("name", ["launch-double-capacity", "launch-jitter", "control"])
def test_a_what_if_is_not_judged(recorded: Recorded, name: str) -> None:
    """The facts are known of the night that melted: a what-if shows its figures beside them, and none is wrong."""
    rows = facts_of(recorded(name, 0.002))
    assert {row.night for row in rows} == {"launch"}
    assert [row.holds for row in rows] == [None] * len(rows)
    assert sum(row.value is not None for row in rows) >= 10
    assert main(["facts", str(recorded(name, 0.002).path), "--check"]) == 0


@pytest.mark.parametrize("form", FORMS)
def test_a_what_if_is_shown_as_one(recorded: Recorded, form: str) -> None:
    """Each form says of which night the known figures are, and marks no row."""
    shown = FORMS[form](facts_of(recorded("control", 0.002)), "control")
    assert "launch" in shown
    assert not re.search(r"\b(NO|ok|accepted)\b", shown)


def test_another_size_or_seed_is_the_same_night() -> None:
    """Only another crowd, room, client, host or schedule makes a what-if; facts of one's own are judged."""
    launch = load("launch")
    assert known_night(launch) is None
    assert [name for name in names() if known_night(load(name))] == [
        "control",
        "launch-double-capacity",
        "launch-jitter",
    ]
    assert known_night(msgspec.structs.replace(launch, name="mine", title="Mine", seed=7, size=0.5)) is None
    patient = msgspec.structs.replace(launch, retry=load("launch-jitter").retry)
    assert known_night(patient) == launch
    assert known_night(msgspec.structs.replace(patient, facts=launch.facts[:1])) is None


def test_sizes_do_not_matter(recorded: Recorded) -> None:
    """The launch behaves alike at a hundredth and a five-hundredth: figures within a tenth of each other."""
    names: list[Measure] = ["waited_20m", "first_room_peak", "second_room_distinct", "second_room_speaking"]
    large = measure(recorded("launch", 0.02), names, 0.02)
    small = measure(recorded("launch", 0.002), names, 0.002)
    for name in names:
        assert small[name] == pytest.approx(large[name], rel=0.12)


def test_a_figure_outside_does_not_hold() -> None:
    """Both ends belong to what is accepted; a missing figure does not hold; without ends nothing is judged."""
    fact = Fact(row=1, kind="press", fact="x", measure="waited_20m", low=10, high=20)
    assert [FactRow(fact, value).holds for value in (9.9, 10, 20, 20.1, None)] == [False, True, True, False, False]
    open_ended = msgspec.structs.replace(fact, high=None)
    assert [FactRow(open_ended, value).holds for value in (9.9, 1e9)] == [False, True]
    assert FactRow(msgspec.structs.replace(fact, low=None, high=None), 5).holds is None
    assert FactRow(msgspec.structs.replace(fact, measure=None), None).holds is None


def test_what_did_not_happen_has_no_figure(recorded: Recorded) -> None:
    """In a night without melting, second room and thread those figures are missing, not zero."""
    names: list[Measure] = ["first_closed_minutes", "second_room_distinct", "thread_posts", "failed_share_melting"]
    assert measure(recorded("quiet", 1.0), names, 1.0) == dict.fromkeys(names)


def test_simple_figures(recorded: Recorded) -> None:
    """Figures that the quiet night's scenario fixes come out as they are."""
    names: list[Measure] = ["scheduled_start_hour", "talk_late_minutes", "talk_minutes"]
    assert list(measure(recorded("quiet", 1.0), names, 1.0).values()) == [22.0, 1.0, 15.0]


def test_scenarios_without_facts(recorded: Recorded, tmp_path: Path) -> None:
    """A night of which nothing is known, or an imported tape, is refused."""
    with pytest.raises(NoFactsError, match="'quiet' names no facts"):
        facts_of(recorded("quiet", 1.0))
    with pytest.raises(NoFactsError, match="an imported tape"):
        facts_of(tiny_tape(tmp_path / "tiny.parquet"))


def test_the_command_prints_every_row(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """The table holds a line for each fact with what is accepted and what the tape shows."""
    assert main(["facts", str(recorded("launch", 0.02).path), "--check"]) == 0
    table = capsys.readouterr().out
    for fact in load("launch").facts:
        assert fact.fact in table
    assert "570,000 … 600,000" in table


def test_the_command_as_json(recorded: Recorded) -> None:
    """As JSON each row has its figure and whether it holds."""
    result = CliRunner().invoke(command.command, [str(recorded("launch", 0.02).path), "--format", "json"])
    rows = json.loads(result.stdout)
    (peak,) = [row for row in rows if row["measure"] == "first_room_peak"]
    assert peak["holds"] is True
    assert 570_000 <= peak["value"] <= 600_000


def test_check_fails_outside_a_tolerance(recorded: Recorded, tmp_path: Path) -> None:
    """With --check a figure outside what its row accepts is exit code 1; without it is only shown."""
    quiet = load("quiet")
    fact = Fact(row=8, kind="press", fact="late", measure="talk_late_minutes", low=25, high=30)
    path = tmp_path / "tape.parquet"
    record(msgspec.structs.replace(quiet, facts=(fact,)), path, scale=0.1)
    assert main(["facts", str(path), "--check"]) == 1
    assert main(["facts", str(path)]) == 0


def test_a_scenario_is_recorded_first(tmp_path: Path) -> None:
    """Given a scenario the command records it and leaves no tape behind."""
    own = tmp_path / "own.yaml"
    own.write_text(
        "extends: quiet\nname: own\n"
        "facts: [{row: 2, kind: press, fact: start, measure: scheduled_start_hour, low: 22}]\n",
        encoding="utf-8",
    )
    assert main(["facts", str(own), "--scale", "0.05", "--check"]) == 0
    assert list(tmp_path.iterdir()) == [own]


def test_sources_are_told(recorded: Recorded) -> None:
    """Every row says whether its fact was stated, reported or assumed."""
    assert isinstance(msgspec.convert(recorded("launch", 0.02).info.scenario, Scenario), Scenario)
    assert {row.fact.kind for row in facts_of(recorded("launch", 0.02))} == {"stated", "press", "assumed"}


def test_the_documentation_has_every_fact_and_scenario(recorded: Recorded) -> None:
    """docs/scenarios.md speaks of every shipped scenario and has each row of the table of facts."""
    text = (Path(__file__).parents[4] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    for name in names():
        assert f"`{name}`" in text
    for row in facts_of(recorded("launch", 0.02)):
        assert f"| {row.fact.row} | {row.fact.fact} | {row.fact.kind} | {accepted(row)} |" in text


@pytest.mark.parametrize("name", [name for name in names() if load(name).crowd.regions])
def test_a_night_of_the_premiere_is_what_its_facts_say(recorded: Recorded, name: str) -> None:
    """What its incident does, and that the rest of the night is calm, is measured on the tape."""
    rows = facts_of(recorded(name, 0.05))
    assert [(row.fact.fact, row.holds) for row in rows] == [(row.fact.fact, True) for row in rows]
    assert len(rows) >= 2
