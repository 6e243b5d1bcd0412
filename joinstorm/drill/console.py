"""A drill in a terminal: boards, commands, questions; over any pair of streams."""

from collections.abc import Callable
from typing import Final, TypeVar

from joinstorm.drill import drilltext
from joinstorm.drill.drillscore import DrillAnswer, clock, since_of
from joinstorm.drill.sitting import SHOWN_MS, Sitting
from joinstorm.drill.situations import WHATS, WHERES
from producers.moments import duration_ms
from streams.errors import UsageError
from streams.suggest import unknown

_T = TypeVar("_T")
Ask = Callable[[str], str | None]
"""Shows a prompt and returns the line that was typed; None at the end of the input."""
Show = Callable[[str], None]
COMMANDS: Final = ("later", "zoom", "boards", "answer", "quit")


class LeftError(Exception):
    """The trainee left before the answer."""


class Console:
    """Lets a trainee look at the boards and answer.

    Args:
        sitting: The sitting.
        ask: Asks for a line.
        show: Shows lines.
        width: Returns the width of the terminal.
    """

    def __init__(self, sitting: Sitting, ask: Ask, show: Show, width: Callable[[], int]) -> None:
        self._sitting = sitting
        self._ask = ask
        self._show = show
        self._width = width
        self._back = SHOWN_MS

    def sit(self) -> None:
        """Go through the drill to the answer.

        Raises:
            LeftError: The trainee left before.
        """
        now = clock(self._sitting.now)
        self._show(
            f"Drill {self._sitting.drill.seed}. It is {now} UTC, and you have been asked to look. What is going on?"
        )
        self._boards()
        while self._sitting.score is None:
            word, _, rest = self._line(f"{drilltext.COMMANDS}\n> ").partition(" ")
            try:
                self._obey(word, rest.strip())
            except UsageError as error:
                self._show(str(error))

    def _obey(self, word: str, rest: str) -> None:
        match word:
            case "later":
                self._sitting.later(duration_ms(rest or "1m"))
                self._boards()
            case "zoom":
                self._back = duration_ms(rest or "10m")
                self._boards()
            case "boards" | "":
                self._boards()
            case "answer":
                self._answer()
            case "quit":
                raise LeftError
            case _:
                raise UsageError(unknown("command", word, COMMANDS))

    def _boards(self) -> None:
        self._show(drilltext.boards_text(self._sitting, self._back, self._width()))

    def _answer(self) -> None:
        page = self._until("Is a page due (yes, no)? ", _yes_or_no)
        self._show(drilltext.choices_text(WHATS))
        what = self._until("What is it? ", lambda text: _one_of("answer", text, WHATS))
        self._show(drilltext.choices_text(WHERES))
        where = self._until("Where does it hurt? ", lambda text: _one_of("answer", text, WHERES))
        since = self._until("Since when (as 19:20, - for nothing)? ", self._time)
        self._sitting.give(DrillAnswer(page, what, where, since))

    def _time(self, text: str) -> str:
        since_of(text, self._sitting.now)
        return text or "-"

    def _until(self, prompt: str, read: Callable[[str], _T]) -> _T:
        """Ask until the answer can be read."""
        while True:
            try:
                return read(self._line(prompt))
            except UsageError as error:
                self._show(str(error))

    def _line(self, prompt: str) -> str:
        line = self._ask(prompt)
        if line is None:
            raise LeftError
        return line.strip()


def _yes_or_no(text: str) -> bool:
    if text.lower() in {"y", "yes"}:
        return True
    if text.lower() in {"n", "no"}:
        return False
    raise UsageError(f"{text!r}: expected yes or no")


def _one_of(kind: str, text: str, known: dict[str, str]) -> str:
    if text not in known:
        raise UsageError(unknown(kind, text, known))
    return text
