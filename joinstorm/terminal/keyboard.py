"""Single keys from a terminal, whose settings are restored however the reading ends."""

import contextlib
import os
import select
import termios
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from joinstorm.terminal.deckkeys import STOP, Controls, DeckCommand, DeckPosition, commands_of
from streams.contract.runinfo import Phase
from streams.errors import JoinstormError

_MOST: Final = 64
"""Bytes read at a time."""
_OFF: Final = b"\0"


class Keyboard:
    """A terminal in which every key arrives at once; ``keyboard`` makes one."""

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
    r"""Yield the keys of a terminal; None where ``stream`` or ``screen`` is no terminal, or in the background.

    Ctrl-C interrupts as usual. Ctrl-Z and Ctrl-\ do nothing: they would leave the terminal with these settings.
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
    """Whether this process may use the terminal; a process in the background would be stopped for it."""
    try:
        return os.tcgetpgrp(file) == os.getpgrp()
    except OSError:  # not the controlling terminal of any process
        return True


class DeckKeys:
    """Sends the commands of pressed keys to a deck.

    Args:
        keys: The keyboard; None where there is none.
        report: Called with each command that was sent, and with the reason where one was refused.
    """

    def __init__(self, keys: Keyboard | None, report: Callable[[str], object]) -> None:
        self._keys = keys
        self._report = report

    def send_pressed(
        self, controls: Callable[[], Controls], state: Callable[[], Mapping[str, Any]], phases: Sequence[Phase]
    ) -> list[DeckCommand]:
        """Send the commands of the keys pressed since the last call, and return them.

        Neither ``controls`` nor ``state`` is called unless a key was pressed. ``STOP`` is returned even where no deck
        listens yet.
        """
        sent: list[DeckCommand] = []
        pressed = self._keys.pressed() if self._keys else ""
        try:
            for command in commands_of(pressed, DeckPosition.of(state(), phases)) if pressed else ():
                command.send(controls())
                sent.append(command)
                self._report(str(command))
        except JoinstormError as error:
            self._report(str(error))
            sent += [STOP] * ("q" in pressed)
        return sent
