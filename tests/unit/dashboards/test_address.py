"""Addresses of boards: the range to open them with, and the values of their variables."""

from dashboards import address, stored
from streams.contract.runinfo import Phase

HOUR = 3_600_000


def test_an_address_has_the_range_and_the_variables() -> None:
    """As Grafana reads them, whatever a run is called."""
    found = address.board_address("a-board", 1, 2, {"run": "a b&c", "engine": "faust"}, "http://grafana:3000/")
    assert found == "http://grafana:3000/d/a-board?from=1&to=2&var-run=a+b%26c&var-engine=faust"


def test_the_range_is_the_evening() -> None:
    """Until half an hour into the first quiet phase; the whole night where none is quiet."""
    phases = (Phase("open", 0), Phase("night", 3 * HOUR, quiet=True), Phase("thread", 20 * HOUR))
    assert address.first_stretch(phases, 0, 30 * HOUR) == (0, 3 * HOUR + HOUR // 2)
    assert address.first_stretch(phases[:1], 0, 2 * HOUR) == (0, 2 * HOUR)
    assert address.LAUNCH in stored.boards()
