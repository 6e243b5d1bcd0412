"""Scenarios: loading, extending, and errors that name file, line, field and what is allowed."""

import os
import re
from pathlib import Path

import pytest
import yaml

from producers.scenario import loading as scenario
from streams.errors import ScenarioError

INCIDENT_NIGHTS = (
    "app-outage", "bad-deploy", "late-scaling", "login-outage", "regional-outage", "server-loss", "slow-answers",
    "two-troubles",
)  # fmt: skip
DECOY_NIGHTS = ("early-leavers", "late-crowd", "routine-deploy")


def written(folder: Path, text: str, name: str = "own.yaml") -> str:
    """Write a scenario file and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def refused(folder: Path, text: str) -> str:
    """Return why a scenario file is refused, without the folder's name."""
    with pytest.raises(ScenarioError) as caught:
        scenario.load(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("name", scenario.names())
def test_shipped_scenarios_load(name: str) -> None:
    """Every shipped scenario is valid and bears the name of its file."""
    assert scenario.load(name).name == name


def test_the_shipped_scenarios() -> None:
    """The documented scenarios are shipped, and no others."""
    launches = {"control", "launch", "launch-double-capacity", "launch-jitter", "quiet", "storm"}
    assert scenario.names() == sorted({*launches, "premiere", *INCIDENT_NIGHTS, *DECOY_NIGHTS})


def test_same_demand() -> None:
    """The what-ifs differ from the launch in what they name, and not in the crowd."""
    launch = scenario.load("launch")
    for name in ("control", "launch-double-capacity", "launch-jitter", "storm"):
        other = scenario.load(name)
        assert (other.crowd, other.hosts, other.schedule) == (launch.crowd, launch.hosts, launch.schedule)
    assert scenario.load("launch-jitter").server == launch.server
    assert scenario.load("launch-double-capacity").server.held == 2 * launch.server.held


@pytest.mark.parametrize("name", scenario.names())
def test_every_number_says_where_it_comes_from(name: str) -> None:
    """Every line with a number, or the line or section above it, names the kind of its source."""
    sourced = False
    for line in scenario.source(name).splitlines():
        kinds = re.search(r"\[(stated|press|assumed|fitted)\]", line)
        body = line.split("#")[0]
        indented = line.startswith("    ") and not re.match(r"\s*(row|kind|fact|measure)", body)
        sourced = bool(kinds) or (sourced and (line.startswith(("  ", "    ")) or not body.strip()))
        number = re.search(r":.*\d", body) and not re.match(r"\s*(name|title|-|row|fact|measure|low|high)", body)
        assert not number or sourced or indented, f"{name}: {line}"


def test_extends_changes_a_few_values(tmp_path: Path) -> None:
    """A scenario that extends another has its values but for those it names, at any depth."""
    path = written(tmp_path, "extends: launch\nname: own\ncrowd: {listeners: 7}\n")
    own, launch = scenario.load(path), scenario.load("launch")
    assert own.crowd.listeners == 7
    assert own.crowd.arrivals == launch.crowd.arrivals
    assert own.server == launch.server


def test_extends_a_file_beside_it(tmp_path: Path) -> None:
    """A path after ``extends`` is relative to the folder of its file, and chains work."""
    written(tmp_path, "extends: quiet\nname: base\nsize: 2\n", "base.yaml")
    path = written(tmp_path, "extends: ./base.yaml\nname: own\nseed: 5\n")
    own = scenario.load(path)
    assert (own.name, own.size, own.seed) == ("own", 2, 5)


def test_what_is_shown_resolved_loads_again(tmp_path: Path) -> None:
    """Every value spelled out is a scenario by itself, the same one."""
    from joinstorm.commands.scenarios import plain  # noqa: PLC0415 - the command line is not what is tested here

    control = scenario.load("control")
    assert scenario.load(written(tmp_path, yaml.safe_dump(plain(control)))) == control


def test_unknown_name() -> None:
    """A name that is not shipped is answered with the known ones, a near one first."""
    with pytest.raises(
        ScenarioError, match=r"unknown scenario 'lanch'; did you mean 'launch'\? Known: app-outage, bad-deploy,"
    ):
        scenario.load("lanch")
    with pytest.raises(
        ScenarioError, match=r"unknown scenario 'xyzzy'\. Known: app-outage, .*, or a path to a YAML file"
    ):
        scenario.load("xyzzy")


def test_missing_file() -> None:
    """A path without a file is an error that names it."""
    with pytest.raises(ScenarioError, match=r"none/own\.yaml: there is no such file"):
        scenario.load("none/own.yaml")


BAD = {
    "wrong type": ("server: {held: many}", "own.yaml:3: server.held: Expected float, got str, found many"),
    "out of bounds": ("crowd: {follow_share: 1.5}", "own.yaml:3: crowd.follow_share: Expected float <= 1.0, found 1.5"),
    "in a list": (
        "crowd:\n  arrivals:\n    - [1, 2]\n    - [2, -3]",
        "own.yaml:6: crowd.arrivals[1][1]: Expected float >= 0.0, found -3",
    ),
    "unknown field": (
        "server: {helt: 4}",
        "own.yaml:3: server.helt: unknown field 'helt'; did you mean 'held'? Known: admissi",
    ),
    "unknown part": (
        "servers: {}",
        "own.yaml:3: servers: unknown field 'servers'; did you mean 'server'? Known: crowd, expect, facts,",
    ),
    "unknown word": ("retry: {policy: often}", "own.yaml:3: retry.policy: Invalid enum value 'often', found often"),
    "unknown measure": (
        "facts:\n  - {row: 1, kind: press, fact: x, measure: mood}",
        "own.yaml:4: facts[0].measure: Invalid enum value 'mood', found mood",
    ),
    "unknown field in a list": (
        "facts:\n  - {row: 1, kind: press, fact: x, loww: 4}",
        "own.yaml:4: facts[0].loww: unknown field 'loww'; did you mean 'low'? Known: fact, high, kind, low, measure",
    ),
    "no time zone": ("schedule: {ends: 2023-05-26 07:00:00}", "own.yaml:3: schedule.ends: Expected datetime with"),
    "no such day": ("schedule: {ends: 2023-02-31}", "own.yaml:3: 2023-02-31: day is out of range for month"),
    "key twice": ("size: 1\nsize: 2", "own.yaml:4: field 'size' is given twice"),
    "not YAML": ("crowd: [1", "own.yaml: not YAML:"),
    "tag": ("title: !!python/object:os.system x", "own.yaml:3: could not determine a constructor"),
    "opening on no whole step": (
        "schedule: {opens: 2023-05-24T21:20:01Z}",
        "own.yaml:3: schedule.opens: expected a whole five seconds",
    ),
    "starts before it opens": (
        "schedule: {scheduled_start: 2023-05-24T21:00:00Z}",
        "own.yaml:3: schedule.scheduled_start: expected a time after the opening",
    ),
    "thread during the talk": (
        "schedule: {thread: 2023-05-24T23:00:00Z}",
        "own.yaml:3: schedule.thread: expected a time when every listener has left: 2023-05-25T00:57:00Z or later",
    ),
    "ends before the thread": (
        "schedule: {ends: 2023-05-25T12:00:00Z}",
        "own.yaml:3: schedule.ends: expected a time after the thread",
    ),
    "arrivals run back": (
        "crowd: {arrivals: [[-5, 1], [-6, 2]]}",
        "own.yaml:3: crowd.arrivals: expected minutes in ascending order",
    ),
    "arrivals before the opening": (
        "crowd: {arrivals: [[-50, 1], [0, 2]]}",
        "own.yaml:3: crowd.arrivals[0]: expected a minute at or after the opening (-40)",
    ),
    "arrivals after the end": (
        "crowd: {arrivals: [[0, 1], [99999, 2]]}",
        "own.yaml:3: crowd.arrivals: expected no minute after the night's end (1980)",
    ),
    "no arrivals": (
        "crowd: {arrivals: [[0, 0], [1, 0]]}",
        "own.yaml:3: crowd.arrivals: expected a rate above zero somewhere",
    ),
    "slow closing": (
        "hosts: {closing_seconds: 600}",
        "own.yaml:3: hosts.closing_seconds: expected no longer than the time until the second room opens",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(tmp_path: Path, case: str) -> None:
    """What is wrong is named with file, line, field, what was found and what is allowed."""
    text, message = BAD[case]
    assert refused(tmp_path, f"extends: launch\nname: own\n{text}\n").startswith(message)


def test_missing_field(tmp_path: Path) -> None:
    """A field that must be there is named."""
    assert refused(tmp_path, "name: own\ntitle: x\n").startswith("own.yaml:1: scenario: Object missing required field")


def test_not_a_mapping(tmp_path: Path) -> None:
    """A file that holds no fields is refused."""
    assert refused(tmp_path, "- 1\n") == "own.yaml: expected a mapping of fields"
    assert refused(tmp_path, "1: {[a]: 2}\n") == "own.yaml:1: expected a plain field name"


def test_error_in_what_is_extended_names_that_file(tmp_path: Path) -> None:
    """A wrong value in a parent is reported with the parent's file and line."""
    written(tmp_path, "extends: launch\n\nsize: -1\n", "base.yaml")
    assert refused(tmp_path, "extends: ./base.yaml\nname: own\n").startswith("base.yaml:3: size: Expected float > 0.0")


def test_extending_what_is_not_there(tmp_path: Path) -> None:
    """A missing parent is reported at the line that names it."""
    message = refused(tmp_path, "name: own\nextends: launhc\n")
    assert message.startswith("own.yaml:2: extends 'launhc': unknown scenario 'launhc'; did you mean 'launch'?")
    message = refused(tmp_path, "extends: ./none.yaml\n")
    assert message == "own.yaml:1: extends './none.yaml': none.yaml: there is no such file"
    assert refused(tmp_path, "extends: [launch]\n").startswith("own.yaml:1: extends: expected the name or path of one")


def test_circle(tmp_path: Path) -> None:
    """Scenarios that extend each other are refused, and the circle is shown."""
    written(tmp_path, "extends: ./own.yaml\n", "base.yaml")
    message = refused(tmp_path, "extends: ./base.yaml\n")
    assert message.endswith("base.yaml:1: extends './own.yaml': circular: own.yaml → base.yaml → own.yaml")


SECRETS = {
    "lines": "root:x:0:0:hunter2:/root:/bin/sh\nhunter2:x:1:1\n",
    "no YAML": "password: [hunter2\n",
    "unknown field": "extends: launch\nhunter2: 1\n",
    "wrong value": "extends: launch\nname: x\nretry: {policy: hunter2}\n",
    "wrong type": "extends: launch\nname: x\nserver: {held: hunter2}\n",
    "wrong number": "extends: launch\nname: x\nsize: !!int hunter2\n",
    "wrong tag": "extends: launch\nname: x\ntitle: !hunter2 x\n",
    "twice": "hunter2: 1\nhunter2: 2\n",
    "undefined alias": "a: *hunter2\n",
}


@pytest.mark.parametrize("case", SECRETS)
def test_no_error_quotes_a_file_that_was_not_named(tmp_path: Path, case: str) -> None:
    """What is wrong in an extended file is named by place and kind, without a word of the file; in one's own it is."""
    written(tmp_path, SECRETS[case], "base.yaml")
    message = refused(tmp_path, "extends: ./base.yaml\nname: own\n")
    assert "base.yaml" in message
    assert "hunter2" not in message
    assert message.isprintable()


@pytest.mark.parametrize("target", ["/etc/passwd", "./secret", "../secret.txt", "/dev/stdin"])
def test_only_yaml_files_are_extended(tmp_path: Path, target: str) -> None:
    """A path of another kind of file is refused before it is opened."""
    message = refused(tmp_path, f"extends: {target}\nname: own\n")
    assert message == f"own.yaml:1: extends {target!r}: expected the path of a .yaml or .yml file"


def test_what_cannot_be_extended(tmp_path: Path) -> None:
    """A circle of links, a pipe, a folder, an impossible name and an endless chain are refused in one line."""
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    for target, why in (
        ("./loop.yaml", "cannot be read"),
        ("./pipe.yaml", "pipe.yaml: expected a regular file"),
        ("./folder.yaml", "folder.yaml: expected a regular file"),
        ('"./a\\0.yaml"', "cannot be read"),
    ):
        message = refused(tmp_path, f"extends: {target}\nname: own\n")
        assert message.endswith(why)
        assert message.isprintable()
    for number in range(30):
        written(tmp_path, f"extends: ./{number + 1}.yaml\n", f"{number}.yaml")
    assert refused(tmp_path, "extends: ./0.yaml\n").endswith("expected at most 20 files that extend each other")


def test_a_scenario_that_costs_more_than_it_says(tmp_path: Path) -> None:
    """Aliases that multiply, deep nesting, a mapping in itself and numbers without end are refused at once."""
    for text, why in (
        ("a0: &a0 [x, x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(30)), "expected at most"),
        ("a: " + "[" * 5_000, "nested more than 30 levels deep"),
        ("crowd: &a\n  x: *a\n", "own.yaml:4: an alias stands inside what it stands for"),
        ("size: " + "1:" * 50_000 + "1", "own.yaml:3: expected a number or a time of at most 100 characters"),
        ("size: " + "9" * 50_000, "own.yaml:3: expected a number or a time of at most 100 characters"),
    ):  # fmt: skip
        assert why in refused(tmp_path, f"extends: launch\nname: own\n{text}\n")


def test_a_scenario_is_complete_on_its_own() -> None:
    """Fields other than those of incidents stand in the launch, so nothing about that night hides in the program."""
    written_out = yaml.safe_load(scenario.source("launch"))
    launch = scenario.load("launch")
    for section in ("schedule", "crowd", "server", "retry", "hosts"):
        assert set(written_out[section]) == set(getattr(launch, section).__struct_fields__) - {"regions"}
