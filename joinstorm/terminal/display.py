"""The live display of a run: one screen that redraws itself on a terminal, plain lines everywhere else."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

PLAIN_EVERY_SECONDS = 2.0
BLOCKS = "▁▂▃▄▅▆▇█"
HISTORY = 60


@dataclass(frozen=True)
class Frame:
    """What is known at one instant of a run; every value is as of the engine's watermark ``at``."""

    phase: str
    at: int | None
    """Event time in ms; None before the engine's first watermark."""
    progress: float
    """Share of the tape's events counted by the engine, 0 to 1."""
    audience: dict[str, int] = field(default_factory=dict)
    """Live audience by space."""
    waiting: int = 0
    drop_rate: float = 0.0
    tweets_per_minute: float = 0.0
    sent: int = 0
    send_rate: float = 0.0
    """Events a second, wall clock."""
    count_rate: float = 0.0
    lag_records: int = 0
    lag_seconds: float = 0.0
    """Event time between the replay and the engine."""
    speed: float = 0.0
    lateness_seconds: float = 0.0
    state: str = "starting"


def clock(at: int | None) -> str:
    """Return event time as the text of a clock, UTC."""
    return "--:--:--" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%d %b %H:%M:%S} UTC"


def spark(values: list[int]) -> str:
    """Return a line of blocks, one for each value, the tallest for the greatest."""
    top = max(values, default=0)
    return "".join(BLOCKS[min(7, value * 8 // (top + 1))] if top and value > 0 else " " for value in values)


class Display(Protocol):
    """Shows frames as they come; ``close`` restores the terminal."""

    @property
    def every(self) -> float:
        """Seconds between two frames."""
        ...

    def update(self, frame: Frame) -> None:
        """Show a frame."""
        ...

    def show_message(self, text: str) -> None:
        """Show a command of the deck, or why it was refused."""
        ...

    def close(self) -> None:
        """End the display."""
        ...


class PlainDisplay:
    """A line every two seconds, and one at every new phase; for logs and pipes."""

    every: Final = PLAIN_EVERY_SECONDS / 2

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.phase = ""
        self.due = 0.0

    def update(self, frame: Frame) -> None:
        """Print a line if one is due."""
        if frame.phase == self.phase and time.monotonic() < self.due:
            return
        self.phase, self.due = frame.phase, time.monotonic() + PLAIN_EVERY_SECONDS
        rooms = " ".join(f"{space}={count}" for space, count in frame.audience.items())
        self.stream.write(
            f"{clock(frame.at)} phase={frame.phase} {rooms} waiting={frame.waiting} drop_rate={frame.drop_rate:.4f}"
            f" tweets_per_minute={frame.tweets_per_minute:.0f} sent={frame.sent} send_rate={frame.send_rate:.0f}"
            f" count_rate={frame.count_rate:.0f} lag_records={frame.lag_records} done={frame.progress:.0%}\n"
        )
        self.stream.flush()

    def show_message(self, text: str) -> None:
        """Print the message."""
        self.stream.write(f"{text}\n")

    def close(self) -> None:
        """Nothing to restore."""


class LiveDisplay:
    """A part of the screen that redraws itself, with the last minute of each room as a line of blocks."""

    every: Final = 0.25

    def __init__(self, console: Console, title: str, footer: str = "") -> None:
        self.title = title
        self.footer = footer
        self.message = ""
        self.history: dict[str, list[int]] = {}
        self.live = Live(console=console, auto_refresh=False, transient=False)
        self.live.start()

    def update(self, frame: Frame) -> None:
        """Redraw."""
        for space, count in frame.audience.items():
            self.history.setdefault(space, []).append(count)
            del self.history[space][:-HISTORY]
        self.live.update(self.render(frame), refresh=True)

    def show_message(self, text: str) -> None:
        """Show the message under the picture until the next one."""
        self.message = text

    def close(self) -> None:
        """Leave the last picture on the screen and restore the terminal."""
        self.live.stop()

    def render(self, frame: Frame) -> RenderableType:
        """Return the picture of a frame."""
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", justify="right")
        table.add_column(justify="right", min_width=9)
        table.add_column()
        for space, count in frame.audience.items():
            table.add_row(f"{space} room", f"{count:,}", Text(spark(self.history.get(space, [])), style="cyan"))
        table.add_row("waiting", f"{frame.waiting:,}", "")
        melted = "bold red" if frame.drop_rate >= 0.01 else ""  # noqa: PLR2004 - one in a hundred dropped
        table.add_row("drop rate", Text(f"{frame.drop_rate:.2%}", style=melted), Text("of the room, per window", "dim"))
        table.add_row("tweets", f"{frame.tweets_per_minute:,.0f}", Text("a minute", "dim"))
        table.add_row("sent", f"{frame.sent:,}", Text(f"{frame.send_rate:,.0f} a second", "dim"))
        table.add_row("counted", f"{frame.progress:.1%}", Text(f"{frame.count_rate:,.0f} a second", "dim"))
        lag = f"{frame.lag_seconds:,.0f} s of the night; late by {frame.lateness_seconds * 1000:,.0f} ms"
        table.add_row("lag", f"{frame.lag_records:,}", Text(f"records, {lag}", "dim"))
        head = Text.assemble(
            (self.title, "bold"), "  ", (clock(frame.at), "cyan"), "  ", (frame.phase, "bold yellow"),
            f"  {frame.speed:,.0f}x" if frame.speed else "", f"  {frame.state}",
        )  # fmt: skip
        bar = ProgressBar(total=1.0, completed=frame.progress, width=60)
        return Group(head, bar, table, Text(self.footer, style="dim"), Text(self.message, style="yellow"))


def open_display(stream: TextIO, title: str, footer: str = "") -> Display:
    """Return the display for a stream: live on a terminal, plain elsewhere."""
    if stream.isatty():
        return LiveDisplay(Console(file=stream), title, footer)
    return PlainDisplay(stream)
