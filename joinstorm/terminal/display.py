"""The live display of a run: one screen that redraws itself on a terminal, plain lines everywhere else."""

import time
from typing import Final, Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from joinstorm.terminal.frames import Frame
from joinstorm.terminal.picture import Picture, clock
from streams.visible import visible, visible_line

PLAIN_EVERY_SECONDS = 2.0


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

    def show_footer(self, text: str) -> None:
        """Show these lines under the figures, the most important first, until the next ones."""
        ...

    def close(self) -> None:
        """End the display."""
        ...


class PlainDisplay:
    """A line every two seconds, and one at every new phase and state; for logs and pipes."""

    every: Final = PLAIN_EVERY_SECONDS / 2

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.news = ("", "")
        self.due = 0.0

    def update(self, frame: Frame) -> None:
        """Print a line if one is due."""
        news = (frame.phase, frame.state)
        if news == self.news and time.monotonic() < self.due:
            return
        self.news, self.due = news, time.monotonic() + PLAIN_EVERY_SECONDS
        rooms = " ".join(f"{space}={count}" for space, count in frame.audience.items())
        line = (
            f"{clock(frame.at)} phase={frame.phase} {rooms} waiting={frame.waiting} drop_rate={frame.drop_rate:.4f}"
            f" tweets_per_minute={frame.tweets_per_minute:.0f} sent={frame.sent} send_rate={frame.send_rate:.0f}"
            f" count_rate={frame.count_rate:.0f} lag_records={frame.lag_records} done={frame.progress:.0%}"
            f" state={frame.state}"
        )
        self.stream.write(f"{visible_line(line)}\n")
        self.stream.flush()

    def show_message(self, text: str) -> None:
        """Print the message."""
        self.stream.write(f"{visible(text)}\n")

    def show_footer(self, text: str) -> None:
        """A log has no footer."""

    def close(self) -> None:
        """Nothing to restore."""


class LiveDisplay:
    """A part of the screen that redraws itself, fitted to the size the terminal has at that time."""

    every: Final = 0.25

    def __init__(self, console: Console, title: str) -> None:
        self.picture = Picture(title)
        self.message = ""
        self.live = Live(console=console, auto_refresh=False, transient=False, vertical_overflow="crop")
        self.live.start()

    def update(self, frame: Frame) -> None:
        """Redraw."""
        self.picture.add(frame)
        self.live.update(self.render(frame), refresh=True)

    def show_message(self, text: str) -> None:
        """Show the message under the picture until the next one."""
        self.message = text

    def show_footer(self, text: str) -> None:
        """Show the footer from the next picture on."""
        self.picture.footer = text

    def close(self) -> None:
        """Leave the last picture on the screen and restore the terminal."""
        self.live.stop()

    def render(self, frame: Frame) -> Text:
        """Return the picture of a frame; the last row of the screen stays free for what is printed after it."""
        width, height = self.live.console.size
        lines = self.picture.lines(frame, self.message, width, max(1, height - 1))
        return Text("\n", no_wrap=True, end="").join(lines)


def open_display(stream: TextIO, title: str) -> Display:
    """Return the display for a stream: live on a terminal, plain elsewhere."""
    if stream.isatty():
        return LiveDisplay(Console(file=stream), title)
    return PlainDisplay(stream)
