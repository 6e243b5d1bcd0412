"""A Prometheus rules file: checked by promtool, then read into rules that know their line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from joinstorm.alerts.durations import duration_ms
from joinstorm.alerts.labeltemplates import unsupported
from joinstorm.prometheus.server import promtool_problems
from producers import safeyaml
from streams.errors import RulesError

_PLACE: Final = re.compile(r"^(?:.*?: )?(?:(\d+):\d+: |.*?\bline (\d+): )(.*)$")

_NO_COMPLAINT: Final = ("Checking ", "FAILED", "yaml: unmarshal errors")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Args:
        group: Its group.
        name: Of the alert, or of the recorded series.
        expr: Its expression.
        line: Where it stands in the file.
        interval: Milliseconds between evaluations; None where the group leaves it to the configuration.
        limit: Most series or alerts the group allows; 0 for any number.
        labels: Labels it sets, by name.
        alert: It is an alert, not a recording.
        hold: ``for`` in milliseconds.
        keep: ``keep_firing_for`` in milliseconds.
    """

    group: str
    name: str
    expr: str
    line: int
    interval: int | None = None
    limit: int = 0
    labels: tuple[tuple[str, str], ...] = ()
    alert: bool = True
    hold: int = 0
    keep: int = 0

    def label(self, name: str) -> str | None:
        """Return the text of a label the rule sets; None if it does not."""
        return dict(self.labels).get(name)


@dataclass(frozen=True)
class RulesFile:
    """The rules of a file, in its order."""

    path: Path
    rules: tuple[Rule, ...]

    @property
    def alerts(self) -> tuple[Rule, ...]:
        """The alerts alone."""
        return tuple(rule for rule in self.rules if rule.alert)

    def alert(self, name: str) -> Rule:
        """Return the alert of a name.

        Raises:
            RulesError: The file has none of this name, or several.
        """
        found = [rule for rule in self.alerts if rule.name == name]
        if len(found) != 1:
            names = ", ".join(dict.fromkeys(rule.name for rule in self.alerts))
            raise RulesError(f"{self.path}: {len(found)} alerts are named {name!r}; there are: {names}")
        return found[0]


def load_rules(path: Path) -> RulesFile:
    """Load a rules file.

    Raises:
        EnvironmentMissingError: promtool is not installed; the text says how to get it.
        RulesError: Prometheus does not take the file, or it has no alert, or an alert's label has a template that
            cannot be expanded here; the text names file and line.
    """
    if not path.is_file():
        raise RulesError(f"{path}: no such file; expected a Prometheus rules file")
    problems = promtool_problems("check", "rules", str(path))
    if problems:
        raise RulesError(_placed(path, problems))
    try:
        root = safeyaml.compose(path, safeyaml.read_text(path, regular=True))
    except safeyaml.YamlError as error:
        raise RulesError(str(error)) from None
    rules = tuple(_rules(root))
    if not any(rule.alert for rule in rules):
        raise RulesError(f"{path}: has no alert")
    for rule in rules:
        for name, text in rule.labels if rule.alert else ():
            if what := unsupported(text):
                raise RulesError(f"{path}:{rule.line}: alert {rule.name}, label {name}: cannot expand {what}")
    return RulesFile(path, rules)


def _placed(path: Path, problems: str) -> str:
    """Return promtool's first complaint as one line that begins with file and line."""
    lines = [line.strip().removeprefix(f"{path}: ") for line in problems.splitlines()]
    complaints = [line for line in lines if line and not line.startswith(_NO_COMPLAINT)]
    first = complaints[0] if complaints else "promtool refuses it"
    if placed := _PLACE.match(first):
        return f"{path}:{placed[1] or placed[2]}: {placed[3]}"
    if quoted := re.search(r'"(.+)"', first):  # a duration that is none comes without its place
        text = path.read_text(encoding="utf-8", errors="replace").splitlines()
        line = next((number for number, one in enumerate(text, start=1) if quoted[1] in one), None)
        return f"{path}: {first}" if line is None else f"{path}:{line}: {first}"
    return f"{path}: {first}"


def _rules(root: Any) -> Iterator[Rule]:
    """Yield the rules of a checked file's YAML tree."""
    for group in _entries(root)["groups"].value if root is not None and root.value else ():
        about = _entries(group)
        interval = about.get("interval")
        for node in about["rules"].value if "rules" in about else ():
            entries = _entries(node)
            alert = "alert" in entries
            yield Rule(
                group=about["name"].value,
                name=entries["alert" if alert else "record"].value,
                expr=entries["expr"].value,
                line=node.start_mark.line + 1,
                interval=duration_ms(interval.value) or None if interval is not None else None,
                limit=int(about["limit"].value) if "limit" in about else 0,
                labels=tuple(sorted((name, one.value) for name, one in _entries(entries.get("labels")).items())),
                alert=alert,
                hold=_duration(entries.get("for")),
                keep=_duration(entries.get("keep_firing_for")),
            )


def _entries(node: Any) -> dict[str, Any]:
    return {key.value: value for key, value in node.value} if node is not None and node.value else {}


def _duration(node: Any) -> int:
    return duration_ms(node.value) if node is not None and node.value else 0
