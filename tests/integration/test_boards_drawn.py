"""Every panel of every board, drawn with Grafana's published libraries in Chromium over a real Prometheus."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dashboards import stored
from joinstorm.boardproof.nodeproject import BROWSERS, draw, install
from joinstorm.cli import cli
from streams.errors import EnvironmentMissingError
from tests.conftest import need_program, required

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def programs_are_there() -> None:
    """Skip where Prometheus, node or Chromium is missing and need not be there."""
    need_program("prometheus", "promtool")
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    missing += [] if any(map(shutil.which, BROWSERS)) else ["chromium"]
    if missing and not required():
        pytest.skip(f"{' and '.join(missing)}: not installed; apt-get install chromium nodejs npm")
    try:
        install(os.environ)
    except EnvironmentMissingError as error:
        if required():
            raise
        pytest.skip(f"npm cannot fetch the drawing program's libraries: {error}")


def test_every_board_is_drawn_without_a_finding(tmp_path: Path) -> None:
    """Before, during and after a run, dark and light, at two widths: no exception, no unnamed gap, no tiny text."""
    done = CliRunner().invoke(cli, ["dashboards", "render", "--out", str(tmp_path)], standalone_mode=False)
    assert done.exception is None
    assert done.return_value == 0, done.stdout
    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) == len(stored.boards()) * 3 * 2 * 2 + 3 * 2
    assert all(path.read_bytes().startswith(PNG) for path in pictures)


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no value text": ({"fieldConfig": {"defaults": {}, "overrides": []}}, "empty, and does not say why"),
    "unknown type": ({"type": "piechart"}, "no drawing for panels of type piechart"),
    "tiny": ({"gridPos": {"x": 0, "y": 0, "w": 2, "h": 2}, "title": "Small"}, "px high, less than 11"),
}


def test_a_broken_panel_is_found(tmp_path: Path) -> None:
    """A gap without a reason, a panel that throws, and a text too small to read: each is named, in its picture."""
    found = draw(broken_jobs(tmp_path), tmp_path / "work", os.environ, 300)
    for name, (_, text) in BROKEN.items():
        assert any(text in finding for finding in found[name]), (name, found[name])


def broken_jobs(out: Path) -> dict[str, Any]:
    """Return the jobs that draw boards with one broken panel each, without any data."""
    (out / "work").mkdir()
    sound: dict[str, Any] = {
        "id": 1,
        "title": "Panel",
        "type": "stat",
        "description": "",
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
        "targets": [{"refId": "A", "expr": "up"}],
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "none", "colorMode": "value"},
        "fieldConfig": {"defaults": {"noValue": "a reason that is too long for it"}, "overrides": []},
    }
    boards: dict[str, Any] = {
        name: {"title": name, "panels": [{**sound, **broken}]} for name, (broken, _) in BROKEN.items()
    }
    boards["no value text"]["panels"][0]["type"] = "timeseries"
    empty = {"answers": {1: [{"series": [], "step": 1000}]}, "marks": [], "variables": {}, "from": 0, "to": 60_000}
    pictures = [
        {"name": name, "uid": name, "data": "empty", "theme": "dark", "width": 1280, "height": 800} for name in boards
    ]
    return {"out": str(out), "boards": boards, "data": {"empty": empty}, "pictures": pictures}
