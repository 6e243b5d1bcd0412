"""The picture of a run for a screen of any size: the most important lines that fit, none wider than the screen."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rich.text import Text

from joinstorm.terminal.frames import Frame
from streams.visible import visible_line

BLOCKS: Final = "▁▂▃▄▅▆▇█"
KEPT: Final = 512
"""Most values kept of a room's course; beyond, every two become the greater one."""
MELTED: Final = 0.01
"""Drop rate from which it is shown as an alarm: one in a hundred dropped within a minute."""
_STYLES: Final[Mapping[str, str]] = {
    "playing": "green", "paused": "bold yellow", "moving": "bold cyan", "ended": "bold green", "failed": "bold red",
}  # fmt: skip
_SHARE: Final = 3
"""The names of the figures take at most one part in so many of the width."""
_NUMBER: Final = 9
_ROOMS: Final = 2
"""Rooms shown on the smallest screen."""
_GAP: Final = "  "


@dataclass(frozen=True)
class _Line:
    """A line and its rank: where not all lines fit, those of the greatest ranks are left out."""

    rank: int
    text: Text


@dataclass(frozen=True)
class _Row:
    """A figure with its name and what follows it."""

    rank: int
    name: str
    value: str
    note: Text
    style: str = ""


class Course:
    """The course of a figure since the run began, in as few values as a line of blocks needs."""

    def __init__(self) -> None:
        self._values: list[int] = []
        self._each = 1
        self._room = 0
        """How many more values the last one stands for."""

    def add(self, value: int) -> None:
        """Add the newest value."""
        if self._room:
            self._room -= 1
            self._values[-1] = max(self._values[-1], value)
            return
        if len(self._values) == KEPT:
            self._values = [max(pair) for pair in zip(self._values[::2], self._values[1::2], strict=True)]
            self._each *= 2
        self._values.append(value)
        self._room = self._each - 1

    def blocks(self, width: int) -> str:
        """Return a line of at most ``width`` blocks, the greatest value of each part of the course."""
        count = min(width, len(self._values))
        edges = [number * len(self._values) // count for number in range(count + 1)] if count > 0 else []
        return spark([max(self._values[begin:end]) for begin, end in itertools.pairwise(edges)])


class Picture:
    """Draws frames; keeps the course of every room.

    Args:
        title: What is played.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.footer = ""
        """Lines under the figures, the most important first."""
        self._courses: dict[str, Course] = {}
        self._at: int | None = None

    def add(self, frame: Frame) -> None:
        """Add a frame to the courses; they begin again where event time goes back."""
        if frame.at is None or frame.at == self._at:
            return
        if self._at is not None and frame.at < self._at:
            self._courses.clear()
        self._at = frame.at
        for space, count in frame.audience.items():
            self._courses.setdefault(space, Course()).add(count)

    def lines(self, frame: Frame, message: str, width: int, height: int) -> list[Text]:
        """Return at most ``height`` lines of at most ``width`` cells."""
        every = [*self._head(frame, width), *self._table(frame, width, height), *self._foot(message)]
        first = sorted(range(len(every)), key=lambda index: (every[index].rank, index))[:height]
        kept = [every[index].text for index in sorted(first)]
        for text in kept:
            text.truncate(width, overflow="ellipsis")
        return kept

    def _head(self, frame: Frame, width: int) -> Iterator[_Line]:
        speed = "" if not frame.speed or frame.state == "ended" else f" {frame.speed:,.4g}x"
        state = Text(f"{visible_line(frame.state)}{speed}", _STYLES.get(frame.state, ""))
        title = Text(visible_line(self.title), "bold")
        title.truncate(max(0, width - state.cell_len - len(_GAP)), overflow="ellipsis")
        title.pad_right(max(0, width - state.cell_len - title.cell_len))
        yield _Line(0, Text.assemble(title, state))
        phase = visible_line(frame.phase).replace("_", " ")
        known = Text.assemble((clock(frame.at), "cyan"), _GAP, (phase, "bold yellow"))
        yield _Line(1, Text("no event counted yet", "dim") if frame.at is None else known)
        share = f"{_GAP}{frame.progress:.1%}"
        yield _Line(5, Text.assemble(bar(frame.progress, width - len(share)), (share, "dim")))

    def _table(self, frame: Frame, width: int, height: int) -> Iterator[_Line]:
        rows = [*self._rooms(frame, width, max(_ROOMS, height - 9)), *_figures(frame)]
        longest = max(Text(row.name).cell_len for row in rows)
        names, numbers = min(longest, width // _SHARE), max(_NUMBER, *(len(row.value) for row in rows))
        for row in rows:
            name = Text(row.name, "dim")
            name.truncate(names, overflow="ellipsis")
            name.align("right", names)
            yield _Line(row.rank, Text.assemble(name, _GAP, (f"{row.value:>{numbers}}", row.style), _GAP, row.note))

    def _rooms(self, frame: Frame, width: int, most: int) -> Iterator[_Row]:
        """Yield the rooms, of many the fullest ones in the order of the night."""
        fullest = sorted(frame.audience, key=lambda space: -frame.audience[space])[:most]
        for space, count in frame.audience.items():
            if space in fullest:
                course = self._courses.get(space, Course())
                blocks = Text(course.blocks(max(0, width - width // _SHARE - _NUMBER - 2 * len(_GAP))), "cyan")
                yield _Row(2, f"{visible_line(space)} room", f"{count:,}", blocks)
        if others := len(frame.audience) - len(fullest):
            rest = sum(frame.audience.values()) - sum(frame.audience[space] for space in fullest)
            yield _Row(6, f"{others} more rooms", f"{rest:,}", Text())

    def _foot(self, message: str) -> Iterator[_Line]:
        for rank, line in enumerate(filter(None, self.footer.split("\n"))):
            yield _Line(4 + 5 * min(rank, 1), Text(visible_line(line), "dim"))
        if message:
            yield _Line(3, Text(visible_line(message), "yellow"))


def _figures(frame: Frame) -> Iterator[_Row]:
    melted = "bold red" if frame.drop_rate >= MELTED else ""
    sent = f"{frame.send_rate:,.0f} a second, late by {frame.lateness_seconds * 1000:,.0f} ms"
    yield _Row(2, "waiting", f"{frame.waiting:,}", Text("people", "dim"))
    yield _Row(2, "drop rate", f"{frame.drop_rate:.2%}", Text("of a room, last minute", "dim"), melted)
    yield _Row(7, "tweets", f"{frame.tweets_per_minute:,.0f}", Text("a minute", "dim"))
    yield _Row(8, "sent", f"{frame.sent:,}", Text(sent, "dim"))
    yield _Row(7, "counted", f"{frame.progress:.1%}", Text(f"{frame.count_rate:,.0f} a second", "dim"))
    yield _Row(6, "lag", f"{frame.lag_records:,}", Text(f"records, {frame.lag_seconds:,.0f} s of the night", "dim"))


def bar(share: float, width: int) -> Text:
    """Return a bar of ``width`` cells, filled by a share from 0 to 1."""
    filled = int(min(1.0, max(0.0, share)) * max(0, width))
    return Text.assemble(("━" * filled, "green"), ("─" * (width - filled), "dim"))


def clock(at: int | None) -> str:
    """Return event time as the text of a clock, UTC."""
    return "--:--:--" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%d %b %H:%M:%S} UTC"


def spark(values: Iterable[int]) -> str:
    """Return a line of blocks, one for each value, the tallest for the greatest."""
    values = list(values)
    top = max(values, default=0)
    return "".join(BLOCKS[min(7, value * 8 // (top + 1))] if top and value > 0 else " " for value in values)
