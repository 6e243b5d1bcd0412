"""What an alert is meant for: the phases it has to fire in, from its label, a flag or the night's scenario."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joinstorm.alerts.rulesfile import Rule, RulesFile
from producers.scenario.incidentspec import MELTING, ExpectSpec
from streams.contract.names import SHIPPED_PHASES
from streams.errors import RulesError
from streams.suggest import nearest

LABEL: Final = "joinstorm_expect"
NOTHING: Final = "none"


@dataclass(frozen=True)
class Expectation:
    """Where an alert has to fire, and where it may.

    Args:
        incidents: Each a group of phases, in one of which the alert has to fire. Empty: it must never fire.
        may: Further phases in which it may fire.
        default: Neither label nor flag names phases: the alert is meant for what each night's scenario expects.
    """

    incidents: tuple[tuple[str, ...], ...]
    may: tuple[str, ...] = ()
    default: bool = False

    def __str__(self) -> str:
        """Return it as it is written in a label."""
        if self.default:
            return "what the scenario expects"
        due = ";".join(",".join(phases) for phases in self.incidents)
        return ",".join([due or NOTHING, *(f"{phase}?" for phase in self.may)])

    @property
    def phases(self) -> frozenset[str]:
        """The phases in which the alert has to fire."""
        return frozenset(phase for phases in self.incidents for phase in phases)

    def on(self, night: ExpectSpec) -> "Expectation":
        """Return it for one night, whose scenario expects this: what is meant by default is that."""
        return Expectation(night.fire, night.may, default=True) if self.default else self


DEFAULT: Final = Expectation(MELTING.fire, default=True)


def parse_expectation(text: str) -> Expectation:
    """Read an expectation: phases by commas; ``;`` begins another incident; ``phase?`` may fire; ``none`` never fires.

    Raises:
        ValueError: It is none; the text says how one looks.
    """
    incidents, may = [], []
    for part in text.split(";"):
        names = [name.strip() for name in part.split(",")]
        may += [name[:-1] for name in names if name.endswith("?")]
        due = tuple(name for name in names if not name.endswith("?") and name != NOTHING)
        if not all(names) or "" in may:
            raise ValueError(f"{text!r}: expected phases such as melting,first_closed, or {NOTHING}")
        if due:
            incidents.append(due)
    return Expectation(tuple(incidents), tuple(may))


def expectations(
    rules: RulesFile, given: Mapping[str, str], shipped: Mapping[str, Expectation]
) -> dict[Rule, Expectation]:
    """Return what every alert of a file is meant for: by flag, by label, as shipped, or by default.

    Args:
        rules: The file.
        given: Expectations by alert, from flags.
        shipped: Those of the shipped rules; empty for any other file.

    Raises:
        RulesError: A flag names no alert of the file, or an expectation cannot be read.
    """
    names = {rule.name for rule in rules.alerts}
    for name in given:
        if name not in names:
            raise RulesError(f"--expect {name}=…: {rules.path} has no such alert; it has: {', '.join(sorted(names))}")
    return {rule: _expectation(rules, rule, given, shipped) for rule in rules.alerts}


def _expectation(
    rules: RulesFile, rule: Rule, given: Mapping[str, str], shipped: Mapping[str, Expectation]
) -> Expectation:
    named = given.get(rule.name, rule.label(LABEL))
    if named is None:
        return shipped.get(rule.name, DEFAULT)
    try:
        return parse_expectation(named)
    except ValueError as error:
        raise RulesError(f"{rules.path}:{rule.line}: alert {rule.name}, {LABEL}: {error}") from None


def check_phases(
    rules: RulesFile, expected: Mapping[Rule, Expectation], nights: Sequence[Iterable[str]], imported: bool
) -> None:
    """See that every alert is meant for something the nights have.

    Args:
        rules: The file.
        expected: What each alert is meant for.
        nights: The phases of each night.
        imported: One of the nights is not simulated, so it has phases of its own.

    Raises:
        RulesError: A phase is unknown (the text has the nearest), or an alert has neither label nor flag and no
            simulated night says what it is meant for.
    """
    there = {phase for night in nights for phase in night}
    known = there | set(SHIPPED_PHASES)
    for rule, one in expected.items():
        for phase in (*sorted(one.phases), *one.may):
            if phase not in known:
                close = nearest(phase, sorted(known))
                hint = f"did you mean {close}?" if close else f"there are: {', '.join(sorted(known))}"
                raise RulesError(f"{rules.path}:{rule.line}: alert {rule.name} expects phase {phase!r}: {hint}")
        if one.default and imported and not one.phases & there:
            raise RulesError(
                f"{rules.path}:{rule.line}: alert {rule.name} has no expected phase: give it a label {LABEL}, or "
                f"--expect {rule.name}=PHASE; the nights have: {', '.join(sorted(there))}"
            )
