"""The live display at every stage of a run, one after the other: a key goes on to the next; see test_screens.py."""

import sys
from dataclasses import replace
from typing import Final

from rich.console import Console

from joinstorm.terminal.deckkeys import HINT
from joinstorm.terminal.display import LiveDisplay
from joinstorm.terminal.frames import Frame
from joinstorm.terminal.keyboard import keyboard
from streams.system.threads import poll_until

SCHEDULED: Final = 1_684_965_600_000
URL: Final = "metrics: http://127.0.0.1:43211/metrics"
_PLAYING: Final = Frame(
    phase="scheduled_start", at=SCHEDULED, progress=0.04, audience={"first": 11_123, "second": 0}, waiting=3_210,
    drop_rate=0.0004, tweets_per_minute=95.0, sent=31_000, send_rate=12_000.0, count_rate=11_900.0, lag_records=17,
    speed=240.0, lateness_seconds=0.003, state="playing",
)  # fmt: skip
_MELTING: Final = replace(
    _PLAYING, phase="melting", at=SCHEDULED + 600_000, progress=0.25, audience={"first": 587_123, "second": 0},
    waiting=123_456, drop_rate=0.0312, sent=1_200_000, send_rate=51_000.0, lag_seconds=2_400.0,
)  # fmt: skip
STAGES: Final = {
    "before": Frame(phase="starting", at=None, progress=0.0),
    "waiting": _PLAYING,
    "melting": _MELTING,
    "paused": replace(_MELTING, state="paused"),
    "moving": Frame(phase="starting", at=None, progress=0.0, state="moving"),
    "crowded": replace(
        _MELTING, audience={f"a stage with a long name {number} 広場": 1_000 * number for number in range(60)}
    ),
    "error": replace(_MELTING, state="failed"),
    "end": replace(
        _MELTING, phase="aftermath", at=SCHEDULED + 100_000_000, progress=1.0, audience={"first": 0, "second": 0},
        waiting=0, drop_rate=0.0, state="ended",
    ),
}  # fmt: skip
REDRAWN_SECONDS: Final = 0.1
MESSAGE: Final = "to melting"


def main() -> None:
    """Show the stages; a key shows the next one, and after the last one the display is closed."""
    display = LiveDisplay(Console(file=sys.stderr), "joinstorm launch 0.02")
    display.show_footer(f"{HINT}\n{URL}")
    with keyboard(sys.stdin, sys.stderr) as pressed:
        assert pressed is not None
        for name, frame in STAGES.items():
            display.show_message(MESSAGE if name == "moving" else "")
            display.update(frame)
            while not poll_until(lambda: pressed.pressed() or None, REDRAWN_SECONDS, 0.005):
                display.update(frame)
    display.close()
    sys.stderr.write("stopped without a verdict; tape and logs: out/20230524-220000\n")
    sys.stdin.readline()


if __name__ == "__main__":
    main()
