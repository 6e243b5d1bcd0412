"""The report in a browser: read by hovering, zooming and sliding, on a desk, on a phone, in print, without a script."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from joinstorm.boardproof.nodeproject import BROWSERS, install, program
from streams.errors import EnvironmentMissingError
from tests.conftest import required
from tests.nights import START, WINDOW
from tests.unit.joinstorm.report.test_page import exact_page, own_page, view, wrong_page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
DRIVER: Final = Path(__file__).parent / "reportpages.mjs"
PRINTED: Final = 1047
"""Pixels of a page of A4 inside the browser's own margins."""
PHONE, DESK = 390, 1280
Read: TypeAlias = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def libraries() -> Path:
    """Return the folder of the boards' drawing program, which has the driver of the browser, too; skip without it."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    missing += [] if any(map(shutil.which, BROWSERS)) else ["chromium"]
    if missing and not required():
        pytest.skip(f"{' and '.join(missing)}: not installed; apt-get install chromium nodejs npm")
    try:
        return install(os.environ)
    except EnvironmentMissingError as error:
        if required():
            raise
        pytest.skip(f"npm cannot fetch the driver of the browser: {error}")


@pytest.fixture
def read(libraries: Path, tmp_path: Path) -> Read:
    """Return what reads a page: it does the steps and returns what the page shows; nothing goes wrong meanwhile."""

    def read(html: str, steps: Sequence[dict[str, Any]] = (), width: int = DESK, **more: Any) -> dict[str, Any]:
        (tmp_path / "report.html").write_text(html, encoding="utf-8")
        job = {"name": "it", "path": str(tmp_path / "report.html"), "width": width, "steps": steps, **more}
        (tmp_path / "job.json").write_text(json.dumps([job]))
        command = [program("node"), str(DRIVER), str(tmp_path / "job.json"), program(*BROWSERS), str(libraries)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)["it"]
        assert found["errors"] == []
        assert {url for url in found["requests"] if not url.startswith("file:")} == set()
        return found

    return read


def test_a_reader_hovers_and_sees_the_counts_of_that_moment(read: Read) -> None:
    """The mouse on one chart moves the cursor of every chart of its picture; the figures are the engine's."""
    found = read(exact_page(), [{"do": "hover", "chart": 0, "x": 0.5}])
    (state,) = found["steps"]
    assert state["said"][0].startswith("24 May, 22:45:"), state["said"]
    assert state["said"][0].endswith("open"), state["said"]
    night = view().engines["e"].results
    shown = int(state["legends"][0][0].removeprefix("first room").replace(",", ""))
    at = [int(night.live("first")[window]) for window in (539, 540, 541)]
    assert shown in at
    assert all(figure for chart in state["legends"][:5] for figure in chart)


def test_a_reader_slides_through_the_night(read: Read) -> None:
    """The slider says where it is, to the ear as well; the end of the slider is the end of the picture."""
    steps = [{"do": "slide", "plot": "rooms", "to": share} for share in (0, 0.5, 1)]
    begin, middle, end = read(exact_page(), steps)["steps"]
    night = view().engines["e"].results
    for state, window in ((begin, 0), (middle, 540), (end, 1080)):
        assert state["legends"][0][0] == f"first room{int(night.live('first')[window]):,}"
        assert state["slid"][0] == state["said"][0]
    assert begin["said"][0].startswith("24 May, 22:00:00 UTC · 18:00:00 ET")
    assert end["said"][0].startswith("24 May, 23:30:00 UTC")


def test_a_reader_zooms_in_and_out(read: Read) -> None:
    """A drag shows a part, in which a hover at the same place is another moment; the button shows everything again."""
    hover = {"do": "hover", "chart": 1, "x": 0.5}
    steps = [
        {"do": "drag", "chart": 0, "from": 0.1, "to": 0.3}, hover,
        {"do": "click", "selector": "#live-rooms [data-do=whole]"}, hover,
        {"do": "click", "selector": "#live-rooms [data-do=in]"}, {"do": "hover", "chart": 1, "x": 0.995},
    ]  # fmt: skip
    _, zoomed, _, whole, _, edge = read(exact_page(), steps)["steps"]
    assert zoomed["said"][0].startswith("24 May, 22:1")
    assert whole["said"][0].startswith("24 May, 22:45:")
    assert edge["said"][0].startswith(("24 May, 23:06:", "24 May, 23:07:"))


def test_a_wrong_window_shows_the_truth_beside_it(read: Read) -> None:
    """Where the engine is wrong, its figure is followed by the true one."""
    share = (501 * WINDOW) / (1080 * WINDOW)
    found = read(wrong_page(), [{"do": "slide", "plot": "rooms", "to": share}])
    (state,) = found["steps"]
    night = view(3).engines["e"].results
    count = int(night.live("first")[501])
    assert state["legends"][0][0] == f"first room{count:,} (truth {count - 3:,})"
    assert state["legends"][1][0] == "first room3"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [PHONE, 768, DESK, 1920])
def test_every_screen_shows_every_chart(read: Read, width: int, dark: bool) -> None:
    """Nothing is wider than the screen or smaller than 12 pixels; a change of theme draws on without an error."""
    found = read(exact_page(), [{"do": "theme", "dark": not dark}], width, dark=dark)
    assert found["scroll"] <= found["width"] == width
    assert [picture["charts"] for picture in found["drawn"]] == [5, 2, 1]
    assert not any(picture["still"] for picture in found["drawn"])
    assert found["small"] == []


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_without_a_script_the_pictures_stay(read: Read, width: int) -> None:
    """The page is whole without JavaScript."""
    found = read(exact_page(), width=width, script=False)
    assert found["drawn"] == [{"charts": 0, "still": True}] * 3
    assert found["scroll"] <= width


def test_in_print_no_heading_is_apart_from_its_picture(read: Read) -> None:
    """Each picture with its heading fits a page and is not divided; the charts that need a script are left out."""
    for section in read(exact_page())["sections"]:
        assert section["height"] < PRINTED
        assert section["inside"] == "avoid"
        assert section["parts"] == [["H2", True], ["svg", True], ["DIV", False]]


def test_a_night_of_ones_own_keeps_its_clock_and_names(read: Read) -> None:
    """Its zone on the slider, its room in the figures."""
    found = read(own_page("Main Stage", "Europe/Berlin"), [{"do": "slide", "plot": "rooms", "to": 1}])
    (state,) = found["steps"]
    assert START % 3_600_000 == 0
    assert "00:00:05 CEST · 22:00:05 UTC · a $ $ b" in state["said"][0]
    assert state["legends"][0][0] == "Main Stage3"
