"""The page of a comparison in a browser: nothing is cut on a phone, and all of it is on paper."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import msgspec
import pytest

from joinstorm.boardproof.nodeproject import BROWSERS, program
from joinstorm.compare.comparepage import to_html
from joinstorm.compare.scores import Scoreboard
from streams.visible import escape
from tests.conftest import required
from tests.unit.joinstorm.compare.boards import board

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
PHONE, DESK = 390, 1280
_FRAME: Final = """<!doctype html><body><iframe style="border:0;width:{width}px;height:800px" srcdoc="{page}"
onload="document.body.append('widest ' + this.contentDocument.documentElement.scrollWidth +
' right ' + Math.max(...Array.from(this.contentDocument.querySelectorAll('body *'),
one => Math.ceil(one.getBoundingClientRect().right))) + ' end')"></iframe></body>"""


@pytest.fixture(scope="module")
def browser() -> str:
    """Return a browser; skip without one."""
    if not any(map(shutil.which, BROWSERS)) and not required():
        pytest.skip("chromium: not installed; apt-get install chromium")
    return program(*BROWSERS)


def run(browser: str, folder: Path, page: str, *options: str) -> str:
    """Open a page and return what the browser prints."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    command += [*options, (folder / "page.html").as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=100).stdout


def wide_board() -> Scoreboard:
    """Return a scoreboard with a long name and long reasons."""
    good, *others = board().scores
    long = msgspec.structs.replace(good, engine="my-company-streaming-engine-2027", problems=("x" * 400,))
    return msgspec.structs.replace(board(), scores=(long, good, *others))


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_is_wider_than_the_screen(browser: str, tmp_path: Path, width: int) -> None:
    """Neither the page nor anything in it, whatever the names."""
    frame = _FRAME.format(width=width, page=escape(to_html(wide_board())))
    shown = run(browser, tmp_path, frame, "--dump-dom").rpartition("widest ")[2]
    widest, _, right, *_ = shown.split()
    assert int(widest) <= width
    assert int(right) <= width


def test_the_page_is_printed_whole(browser: str, tmp_path: Path) -> None:
    """As a PDF of a few pages."""
    out = tmp_path / "page.pdf"
    run(browser, tmp_path, to_html(wide_board()), "--no-pdf-header-footer", f"--print-to-pdf={out}")
    assert out.read_bytes().startswith(b"%PDF")
    assert 1 <= out.read_bytes().count(b"/Type /Page\n") <= 8
