"""Single keys from a terminal, which is as it was before however the reading ends."""

import contextlib
import os
import select
import termios
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from joinstorm.terminal.deckkeys import STOP, Controls, DeckCommand, DeckPosition, orders
from streams.contract.runinfo import Phase
from streams.errors import JoinstormError

_MOST: Final = 64
"""Keys taken at a time."""
_OFF: Final = b"\0"


class Keyboard:
    """A terminal in which every key counts at once; ``keyboard`` makes one."""

    def __init__(self, file: int) -> None:
        self._file = file

    def pressed(self) -> str:
        """Return the keys pressed since the last call; never waits."""
        if not select.select([self._file], [], [], 0)[0]:
            return ""
        try:
            return os.read(self._file, _MOST).decode(errors="ignore")
        except OSError:  # the terminal is gone
            return ""


@contextlib.contextmanager
def keyboard(stream: TextIO, screen: TextIO) -> Iterator[Keyboard | None]:
    r"""Yield the keys of a terminal, None where ``stream`` or ``screen`` is none or a job in the background.

    Ctrl-C interrupts as ever. Ctrl-Z and Ctrl-\ do nothing meanwhile: they would leave the terminal as it is now.
    """
    if not (stream.isatty() and screen.isatty() and _in_front(stream.fileno())):
        yield None
        return
    file = stream.fileno()
    before = termios.tcgetattr(file)
    try:
        tty.setcbreak(file, termios.TCSANOW)
        now = termios.tcgetattr(file)
        now[6][termios.VSUSP] = now[6][termios.VQUIT] = _OFF
        termios.tcsetattr(file, termios.TCSANOW, now)
        yield Keyboard(file)
    finally:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(file, termios.TCSANOW, before)


def _in_front(file: int) -> bool:
    """Whether this process may use the terminal: one in the background would be stopped for it."""
    try:
        return os.tcgetpgrp(file) == os.getpgrp()
    except OSError:  # a terminal that controls nobody
        return True


class DeckKeys:
    """Gives the orders of the keys that were pressed.

    Args:
        keys: Where they are pressed; None: nowhere.
        say: Told what was ordered, and what was refused and why.
    """

    def __init__(self, keys: Keyboard | None, say: Callable[[str], object]) -> None:
        self._keys = keys
        self._say = say

    def look(
        self, controls: Callable[[], Controls], state: Callable[[], Mapping[str, Any]], phases: Sequence[Phase]
    ) -> list[DeckCommand]:
        """Give and return what was ordered since the last look; nobody is asked anything unless a key was pressed.

        To stop is returned even where no deck listens yet.
        """
        given: list[DeckCommand] = []
        pressed = self._keys.pressed() if self._keys else ""
        try:
            for order in orders(pressed, DeckPosition.of(state(), phases)) if pressed else ():
                order.give(controls())
                given.append(order)
                self._say(str(order))
        except JoinstormError as error:
            self._say(str(error))
            given += [STOP] * ("q" in pressed)
        return given
