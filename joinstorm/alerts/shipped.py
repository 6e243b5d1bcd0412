"""The rules joinstorm ships, with what each of their alerts is meant for."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from dashboards import stored
from dashboards.rules import ALERTS
from joinstorm.alerts.expectation import Expectation
from joinstorm.alerts.rulesfile import RulesFile, load_rules

RULES: Final[Path] = stored.HERE / stored.RULES


def load_shipped() -> RulesFile:
    """Load the shipped rules.

    Their interval of a second is one of the wall clock, for a replay; in event time they have none of their own.

    Raises:
        EnvironmentMissingError: promtool is not installed; the text says how to get it.
    """
    loaded = load_rules(RULES)
    return RulesFile(loaded.path, tuple(replace(rule, interval=None) for rule in loaded.rules))


def shipped_expectations() -> dict[str, Expectation]:
    """Return, by alert, where it has to fire (in each of these phases) and where it may."""
    return {alert.name: Expectation(tuple((phase,) for phase in alert.due), alert.may) for alert in ALERTS}
