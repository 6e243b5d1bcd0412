"""Loads scenarios: shipped ones by name, any YAML file by path; errors name file, line, field and what is allowed."""

import itertools
import re
import typing
from datetime import timedelta
from importlib import resources
from pathlib import Path

import msgspec
import yaml

from producers import safeyaml
from producers.scenario import yamlnodes
from producers.scenario.incidentchecks import incident_conditions
from producers.scenario.incidentspec import KINDS
from producers.scenario.spec import Scenario
from streams.errors import ScenarioError
from streams.suggest import unknown
from streams.visible import visible_line

_SUFFIXES = (".yaml", ".yml")
_STEP_MS = 5_000
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<path>.*)`)?$")
_UNKNOWN = re.compile(r"unknown field `(.*)`")
_LONGEST_CHAIN = 20
_LONGEST_QUOTE = 100
_LONGEST_EXPONENTIAL = 12
"""No duration of the simulation is longer than its mean times this."""


def names() -> list[str]:
    """Return the names of the shipped scenarios."""
    files = resources.files("producers.scenario").joinpath("shipped").iterdir()
    return sorted(Path(file.name).stem for file in files if Path(file.name).suffix in _SUFFIXES)


def load(name: str) -> Scenario:
    """Load a shipped scenario by its name, or a YAML file by its path, with every value filled in.

    Raises:
        ScenarioError: The scenario is unknown, it or one it extends is malformed, or it cannot be simulated.
    """
    own = _locate(name, Path())
    node = _resolve(own, own, ())
    scenario = _convert(node, own)
    _refuse_impossible(scenario, node)
    return scenario


def source(name: str) -> str:
    """Return a scenario's YAML with its comments.

    Raises:
        ScenarioError: The scenario is unknown or cannot be read.
    """
    return _text(_locate(name, Path()), regular=False)


def _locate(name: str, folder: Path) -> Path:
    """Return the file of a scenario: what looks like a path is one, relative to ``folder``; the rest are shipped."""
    if "/" in name or name.endswith(_SUFFIXES):
        return folder / name
    known = names()
    if name not in known:
        raise ScenarioError(unknown("scenario", name, known, "a path to a YAML file"))
    return Path(str(resources.files("producers.scenario").joinpath("shipped", f"{name}.yaml")))


def _text(path: Path, *, regular: bool) -> str:
    try:
        return safeyaml.read_text(path, regular=regular)
    except safeyaml.YamlError as error:
        raise ScenarioError(str(error)) from None


def _resolve(path: Path, own: Path, chain: tuple[Path, ...]) -> yaml.MappingNode:
    """Read a file and the scenarios it extends, and merge them."""
    node = yamlnodes.read(path, _text(path, regular=bool(chain)), own)
    extends = yamlnodes.take(node, "extends")
    if extends is None:
        return node
    where = yamlnodes.place(extends)
    if not isinstance(extends, yaml.ScalarNode) or not extends.value:
        raise ScenarioError(f"{where}: extends: expected the name or path of one scenario")
    if "/" in extends.value and not extends.value.endswith(_SUFFIXES):
        raise ScenarioError(f"{where}: extends {extends.value!r}: expected the path of a .yaml or .yml file")
    chain = (*chain, _real(path))
    if len(chain) > _LONGEST_CHAIN:
        raise ScenarioError(f"{where}: extends: expected at most {_LONGEST_CHAIN} files that extend each other")
    try:
        parent = _locate(extends.value, path.parent)
        circular = _real(parent) in chain
        base = None if circular else _resolve(parent, own, chain)
    except ScenarioError as error:
        raise ScenarioError(f"{where}: extends {extends.value!r}: {error}") from None
    if base is None:
        route = " → ".join([*(step.name for step in chain), parent.name])
        raise ScenarioError(f"{where}: extends {extends.value!r}: circular: {route}")
    return yamlnodes.merged(base, node)


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, a name that no file can have
        raise ScenarioError(f"{str(path)!r}: cannot be read") from None


def _convert(node: yaml.MappingNode, own: Path) -> Scenario:
    try:
        return msgspec.convert(yamlnodes.built(node, own), Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(_explained(str(error), node, own)) from None


def _explained(message: str, node: yaml.MappingNode, own: Path) -> str:
    """Turn a validation message into one with file, line, field, what was found and what is allowed."""
    match = _WHERE.match(message)
    what, dotted = (match["what"], match["path"] or "") if match else (message, "")
    path = tuple(int(step[1:-1]) if step.startswith("[") else step for step in re.findall(r"[^.\[\]]+|\[\d+\]", dotted))
    field = _UNKNOWN.search(what)
    section = path
    if field:
        what = unknown("field", field[1], _fields(path, node))
        path = (*path, field[1])
    blamed = yamlnodes.find(node, path)
    place = yamlnodes.place(blamed)
    if blamed.start_mark.name != str(own):  # nothing of a file that was not named is quoted
        what = "unknown field" if field else yamlnodes.quoted(blamed, own, what.replace("`", ""))
        return f"{place}: {_spelled(section)}: {what}"
    value = yamlnodes.value(node, path)
    if path[:1] == ("incidents",) and path[-1] == "kind" and value is not None:
        return f"{place}: {_spelled(path)}: {unknown('kind', value, KINDS)}"
    found = f", found {visible_line(value, _LONGEST_QUOTE)}" if value is not None and not field else ""
    return f"{place}: {_spelled(path)}: {what.replace('`', '')}{found}"


def _spelled(path: tuple[str | int, ...]) -> str:
    spelled = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return spelled.lstrip(".") or "scenario"


def _fields(path: tuple[str | int, ...], node: yaml.MappingNode) -> list[str]:
    """Return the names of the fields that a section of the scenario has; those of an incident follow from its kind."""
    sections: list[typing.Any] = [Scenario]
    for number, step in enumerate(path, start=1):
        if isinstance(step, int):
            kind = yamlnodes.value(node, (*path[:number], "kind"))
            sections = [one for one in sections if one.__struct_config__.tag == kind] or sections
        else:
            types = {field.name: field.type for one in sections for field in msgspec.structs.fields(one)}
            sections = list(_structs(types.get(step))) or sections
    return sorted({field.encode_name for one in sections for field in msgspec.structs.fields(one)})


def _structs(kind: typing.Any) -> typing.Iterator[typing.Any]:
    """Yield the sections a type names, at any depth."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        return
    for inner in typing.get_args(kind):
        yield from _structs(inner)


def _refuse_impossible(scenario: Scenario, node: yaml.MappingNode) -> None:
    """Check what no single field shows.

    Raises:
        ScenarioError: Two fields contradict each other; the text names the place of one.
    """
    for path, holds, expected in itertools.chain(_conditions(scenario), incident_conditions(scenario)):
        if not holds:
            where = yamlnodes.place(yamlnodes.find(node, path))
            raise ScenarioError(f"{where}: {_spelled(path)}: expected {expected}")


def _conditions(scenario: Scenario) -> list[tuple[tuple[str | int, ...], bool, str]]:
    schedule, crowd, hosts = scenario.schedule, scenario.crowd, scenario.hosts
    opens_minutes = (schedule.opens - schedule.scheduled_start) / timedelta(minutes=1)
    knots = [minute for minute, _ in crowd.arrivals]
    night = (schedule.ends - schedule.scheduled_start).total_seconds()
    last = schedule.thread or schedule.ends
    lingering = _LONGEST_EXPONENTIAL * max(crowd.farewell_minutes, crowd.linger_minutes, crowd.follow_minutes)
    lingering = max(lingering, scenario.retry.cap_seconds / 60)
    longest = hosts.latest_start_minutes + hosts.talk_minutes + lingering
    over = schedule.scheduled_start + timedelta(minutes=longest)
    return [
        (("schedule", "opens"), round(schedule.opens.timestamp() * 1000) % _STEP_MS == 0, "a whole five seconds"),
        (("schedule", "scheduled_start"), opens_minutes < 0, "a time after the opening"),
        (("schedule", "ends"), schedule.ends > last or schedule.thread is None, "a time after the thread"),
        (
            ("schedule", "thread" if schedule.thread else "ends"),
            over <= last,
            f"a time when every listener has left: {over:%Y-%m-%dT%H:%M:%SZ} or later",
        ),
        (("crowd", "arrivals"), all(a < b for a, b in itertools.pairwise(knots)), "minutes in ascending order"),
        (("crowd", "arrivals", 0), knots[0] >= opens_minutes, f"a minute at or after the opening ({opens_minutes:g})"),
        (("crowd", "arrivals"), knots[-1] * 60 <= night, f"no minute after the night's end ({night / 60:g})"),
        (("crowd", "arrivals"), any(rate > 0 for _, rate in crowd.arrivals), "a rate above zero somewhere"),
        (
            ("hosts", "closing_seconds"),
            hosts.closing_seconds <= hosts.reopen_after_minutes * 60,
            "no longer than the time until the second room opens",
        ),
    ]
