"""The configuration of Alertmanager, and what is said where the program is missing."""

import pytest
import yaml

from joinstorm.pages.alertmanager import configuration, tool
from streams.errors import EnvironmentMissingError


def test_every_webhook_gets_every_alert_by_itself() -> None:
    """Alerts are not grouped, and each address has a route of its own, which goes on to the next."""
    made = yaml.safe_load(configuration("http://recorder/", ["http://pager/"]))
    assert made["route"]["group_by"] == ["..."]
    assert [route["continue"] for route in made["route"]["routes"]] == [True, True]
    urls = {one["name"]: one["webhook_configs"][0]["url"] for one in made["receivers"]}
    assert [urls[route["receiver"]] for route in made["route"]["routes"]] == ["http://recorder/", "http://pager/"]


def test_a_missing_program_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Alertmanager on the PATH, one line has the command that installs it."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EnvironmentMissingError, match="apt-get install prometheus-alertmanager"):
        tool()
