"""The live display: what it shows of a frame, on a terminal and elsewhere."""

import io

from rich.console import Console

from joinstorm.terminal.display import LiveDisplay, PlainDisplay, open_display
from joinstorm.terminal.frames import Frame
from joinstorm.terminal.picture import clock, spark

MOMENT = Frame(
    phase="melting",
    at=1_684_966_200_000,
    progress=0.25,
    audience={"first": 58_123, "second": 0},
    waiting=1_234,
    drop_rate=0.0312,
    tweets_per_minute=95.0,
    sent=120_000,
    send_rate=51_000.0,
    lag_records=17,
    speed=600.0,
    state="playing",
)


def test_clock_is_utc() -> None:
    """Event time reads as date and UTC time; unknown time as dashes."""
    assert clock(1_684_966_200_000) == "24 May 22:10:00 UTC"
    assert clock(None) == "--:--:--"


def test_spark_scales_to_its_own_top() -> None:
    """The greatest value has the tallest block, zero has none."""
    assert spark([0, 1, 8]) == " ▁█"
    assert spark([0, 0]) == "  "
    assert spark([]) == ""


def test_plain_display_prints_one_line_per_phase_and_interval() -> None:
    """A second moment of the same phase within the interval prints nothing; a new phase or state prints at once."""
    out = io.StringIO()
    display = open_display(out, "launch")
    assert isinstance(display, PlainDisplay)
    for phase in ("melting", "melting", "talk"):
        display.update(Frame(phase=phase, at=MOMENT.at, progress=0.5, audience={"first": 7}))
    display.close()
    display.update(Frame(phase="talk", at=MOMENT.at, progress=0.5, state="paused"))
    lines = out.getvalue().splitlines()
    assert lines.pop().endswith("state=paused")
    assert [line.split("phase=")[1].split()[0] for line in lines] == ["melting", "talk"]
    assert "first=7" in lines[0]


def test_live_display_shows_every_figure() -> None:
    """On a terminal each figure of the moment is on the screen."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=40)
    display = LiveDisplay(console, "launch")
    display.update(MOMENT)
    display.close()
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # rich types the StringIO as a plain stream
    for part in ("melting", "58,123", "1,234", "3.12%", "120,000", "600x", "22:10:00 UTC"):
        assert part in shown
