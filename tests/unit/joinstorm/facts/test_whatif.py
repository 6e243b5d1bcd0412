"""Recording, listing and comparing from the command line."""

import json
from pathlib import Path

import pytest

from joinstorm.cli import main
from joinstorm.commands.record import default_name
from joinstorm.facts.whatif import outcome, picture, table
from producers.recording import record
from producers.scenario.loading import load, names
from producers.tape.tapefile import Tape


def test_whatif_shows_nights_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several scenarios give one column each and a picture; the tapes are gone."""
    image = tmp_path / "nights.svg"
    arguments = ["whatif", "launch", "control", "--scale", "0.002", "--picture", str(image), "--format", "json"]
    assert main(arguments) == 0
    launch, control = json.loads(capsys.readouterr().out)
    assert (launch["scenario"], control["scenario"]) == ("launch", "control")
    assert launch["listeners"] == control["listeners"] == 1470
    assert launch["minutes_melted"] > 15
    assert (control["minutes_melted"], control["drops"], control["fails"]) == (0, 0, 0)
    assert launch["waited_20m"] > 5 * control["waited_20m"]
    assert launch["rooms"] == 2
    assert image.read_text(encoding="utf-8").startswith("<?xml")
    assert list(tmp_path.iterdir()) == [image]


def test_whatif_names_and_shades_incidents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each incident has its phase and its minutes, once in the picture even where two nights share it."""
    image = tmp_path / "nights.svg"
    names_given = ["two-troubles", "server-loss", "server-loss", "premiere"]
    arguments = ["whatif", *names_given, "--scale", "0.01", "--picture", str(image), "--format", "json"]
    assert main(arguments) == 0
    two, lost, _, calm = json.loads(capsys.readouterr().out)
    assert two["incidents"] == [["login_outage", -12.0, -6.0], ["crowd_peak", 8.0, 12.0], ["capacity_lost", 22.0, 30.0]]
    assert lost["incidents"] == [["capacity_lost", 20.0, 30.0]]
    assert calm["incidents"] == []
    assert lost["drops_all"] > 5 * calm["drops_all"]
    text = image.read_text(encoding="utf-8")
    assert (text.count("capacity_lost"), text.count("login_outage")) == (2, 1)


def test_the_table_and_a_png(tmp_path: Path) -> None:
    """Each night has a column, each figure a line; the picture's suffix says its form."""
    recording = record(load("quiet"), tmp_path / "a.parquet", scale=0.2)
    one = outcome(recording, 0.1)
    lines = table([one, one]).splitlines()
    assert lines[0].split() == ["quiet", "quiet"]
    assert any(line.startswith("waited 20 minutes or more") for line in lines)
    picture([one], tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_whatif_refuses_other_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    """A picture that is neither PNG nor SVG is refused before anything is recorded."""
    assert main(["whatif", "quiet", "--picture", "a.gif"]) == 2
    assert "expected a name that ends in .png or .svg" in capsys.readouterr().err


def test_record_tells_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The summary holds events, listeners, tweets, seconds and the tape's hash."""
    path = tmp_path / "a.parquet"
    assert main(["record", "quiet", "--scale", "0.1", "--seed", "7", "--out", str(path), "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    info = Tape.open(path).info
    assert set(shown) == {"tape", "scenario", "scale", "seed", "events", "listeners", "tweets", "seconds", "sha256"}
    assert (shown["events"], shown["sha256"], shown["seed"], shown["listeners"]) == (info.events, info.sha256, 7, 300)


def test_record_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people the same values stand in lines."""
    assert main(["record", "quiet", "--scale", "0.05", "--out", str(tmp_path / "a.parquet")]) == 0
    out = capsys.readouterr().out
    assert "seed       20230524\n" in out
    assert "listeners  150\n" in out


def test_default_names() -> None:
    """A tape that is given no name has one that says scenario, scale and seed."""
    assert default_name("launch", 0.1, None) == "launch-0.1.parquet"
    assert default_name("my/own.yaml", 1.0, 3) == "own-1-3.parquet"


@pytest.mark.parametrize("scale", ["0", "-1", "101", "much"])
def test_record_refuses_impossible_scales(scale: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A scale at or below zero, too large or no number is a usage error."""
    assert main(["record", "quiet", "--scale", scale]) == 2
    assert "--scale" in capsys.readouterr().err


def test_record_of_an_unknown_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown scenario is answered with the known ones."""
    assert main(["record", "qiet"]) == 2
    assert "did you mean 'quiet'? Known: app-outage," in capsys.readouterr().err


def test_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The list has every shipped scenario with its size and title."""
    assert main(["scenarios", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == names()
    assert main(["scenarios", "list", "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["storm"]["listeners"] == 10 * rows["launch"]["listeners"]
    assert rows["server-loss"]["incidents"] == ["capacity_lost"]
    assert rows["server-loss"]["expect"] == {"fire": [["capacity_lost"]], "may": ["after_capacity_lost"]}
    assert rows["launch"]["expect"]["fire"] == [["melting", "first_closed", "second_room"]]


def test_scenarios_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A scenario is shown as written, comments included, or with every value spelled out."""
    assert main(["scenarios", "show", "control"]) == 0
    assert "extends: launch" in capsys.readouterr().out
    assert main(["scenarios", "show", "control", "--resolved"]) == 0
    assert "patience_minutes: 180.0" in capsys.readouterr().out
    assert main(["scenarios", "show", "control", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "control"


def test_scenarios_are_validated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A valid scenario says so; an invalid one is named with its line."""
    assert main(["scenarios", "validate", "launch"]) == 0
    assert "valid; 735,000 listeners" in capsys.readouterr().out
    own = tmp_path / "own.yaml"
    own.write_text("extends: launch\nsize: 0\n", encoding="utf-8")
    assert main(["scenarios", "validate", str(own)]) == 2
    assert "own.yaml:2: size: Expected float > 0.0, found 0" in capsys.readouterr().err
