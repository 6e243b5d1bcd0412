"""The keys of the deck: the command of each, and a terminal whose settings are restored."""

import io
import os
import pty
import termios
from collections.abc import Iterator
from typing import Any, TextIO

import pytest

from joinstorm.run.replaying import keyed_deck
from joinstorm.terminal.deckkeys import HINT, SPEEDS, STOP, DeckCommand, DeckPosition, commands_of, faster, slower
from joinstorm.terminal.keyboard import DeckKeys, keyboard
from producers.replay.deck import Deck, DeckState, Jump, SetSpeed, Step, Toggle
from streams.contract.runinfo import Phase
from streams.errors import EnvironmentMissingError
from tests.nights import run_info

PHASES = (Phase("open", 0), Phase("melting", 100), Phase("talk", 200))


def commanded(keys: str, at: int = 150, speed: float = 60.0) -> list[DeckCommand]:
    """Return the commands of keys in the middle of the night."""
    return list(commands_of(keys, DeckPosition(at, speed, PHASES)))


@pytest.mark.parametrize(
    ("key", "command"),
    [
        (" ", DeckCommand("toggle")),
        ("s", DeckCommand("step", "5s")),
        ("q", DeckCommand("stop")),
        ("+", DeckCommand("set_speed", 120)),
        ("-", DeckCommand("set_speed", 30)),
        ("n", DeckCommand("jump", "talk")),
        ("p", DeckCommand("jump", "open")),
        ("1", DeckCommand("jump", "open")),
        ("3", DeckCommand("jump", "talk")),
    ],
)
def test_each_key_is_one_command(key: str, command: DeckCommand) -> None:
    """From the second of three phases at speed 60."""
    assert commanded(key) == [command]


@pytest.mark.parametrize("key", ["4", "9", "0", "x", "\n", "\x1b[A"])
def test_other_keys_have_no_command(key: str) -> None:
    """Keys without a meaning, and phases that do not exist, are passed over."""
    assert commanded(key) == []


def test_there_is_no_phase_beyond_the_ends() -> None:
    """The phase before the first is the first; after the last there is none."""
    assert commanded("p", at=0) == [DeckCommand("jump", "open")]
    assert commanded("n", at=200) == []
    assert list(commands_of("np1", DeckPosition(5, 1.0, ()))) == []


def test_speeds_go_up_to_max_and_down_to_a_tenth() -> None:
    """Pressing + from the slowest on passes every speed and stays at max; - comes back the same way."""
    speed, seen = SPEEDS[0], [SPEEDS[0]]
    for _ in range(len(SPEEDS)):
        speed = faster(speed)
        seen.append(speed)
    assert seen == [*SPEEDS, 0.0]
    assert faster(0.0) == 0.0
    assert slower(0.0) == SPEEDS[-1]
    assert slower(SPEEDS[0]) == SPEEDS[0]
    assert commanded("+", speed=3600) == [DeckCommand("set_speed", "max")]
    assert commanded("++", speed=61) == [DeckCommand("set_speed", 120), DeckCommand("set_speed", 300)]
    assert [str(one) for one in commanded("+ 3s")] == ["speed 120x", "pause or resume", "to talk", "step 5s"]


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """Return both ends of a terminal: where keys are pressed, and where they are read."""
    master, slave = pty.openpty()
    with open(slave, encoding="utf-8", closefd=False) as stream:
        yield master, stream
    os.close(slave)
    os.close(master)


def modes(stream: TextIO) -> list[Any]:
    """Return how a terminal is set."""
    return termios.tcgetattr(stream.fileno())


@pytest.mark.parametrize("how", [None, RuntimeError, KeyboardInterrupt, SystemExit])
def test_the_terminal_is_as_it_was(terminal: tuple[int, TextIO], how: type[BaseException] | None) -> None:
    """Inside, keys count at once; however it is left, the terminal's settings are the old ones."""
    master, stream = terminal
    before = modes(stream)

    def read() -> str:
        with keyboard(stream, stream) as keys:
            assert keys is not None
            assert modes(stream) != before
            assert keys.pressed() == ""
            os.write(master, b"s+")
            pressed = keys.pressed()
            if how is not None:
                raise how
        return pressed

    if how is None:
        assert read() == "s+"
    else:
        with pytest.raises(how):
            read()
    assert modes(stream) == before


def test_no_terminal_no_keys(terminal: tuple[int, TextIO]) -> None:
    """Where input or screen is a file or a pipe, nothing is read and nothing is set."""
    _, stream = terminal
    before = modes(stream)
    for one, other in ((io.StringIO(), stream), (stream, io.StringIO())):
        with keyboard(one, other) as keys:
            assert keys is None
            assert modes(stream) == before
    assert DeckKeys(None, print).send_pressed(Deck, dict, PHASES) == []


def test_a_deck_obeys_the_keys(terminal: tuple[int, TextIO]) -> None:
    """Pressed keys become commands of the deck, and each is shown."""
    master, stream = terminal
    deck, messages = Deck(), list[str]()
    info = run_info()
    deck.show(info, at=info.start, speed=60.0)
    with keyboard(stream, stream) as pressed:
        os.write(master, b" +s2")
        given = DeckKeys(pressed, messages.append).send_pressed(lambda: deck, deck.as_dict, info.phases)
    phase = info.phases[1]
    assert [deck.take() for _ in range(5)] == [Toggle(), SetSpeed(120.0), Step(5_000), Jump(phase.start), None]
    assert [str(one) for one in given] == messages == ["pause or resume", "speed 120x", "step 5s", f"to {phase.name}"]


def test_a_replay_reads_keys_whenever_it_shows_its_state(terminal: tuple[int, TextIO]) -> None:
    """In `joinstorm replay` the deck obeys its own keys; the hint and each command are shown."""
    master, stream = terminal
    shown, info = Shown(), run_info()
    with keyboard(stream, stream) as pressed:
        deck = keyed_deck(shown, pressed, info)
        deck.show(info, at=info.start, speed=60.0)
        os.write(master, b"-n")
        deck.show(info, at=info.start, speed=60.0)
        assert [deck.take(), deck.take(), deck.take()] == [SetSpeed(30.0), Jump(info.phases[1].start), None]
    assert shown.messages == [HINT, "speed 30x", f"to {info.phases[1].name}"]
    assert [state.speed for state in shown.states] == [60.0, 60.0]
    keyed_deck(shown, None, info).show(info)
    assert len(shown.messages) == 3


class Shown:
    """A display that keeps what it was shown."""

    def __init__(self) -> None:
        self.states: list[DeckState] = []
        self.messages: list[str] = []

    def __call__(self, state: DeckState) -> None:
        """Show a state."""
        self.states.append(state)

    def show_message(self, text: str) -> None:
        """Show a message."""
        self.messages.append(text)


def test_what_is_refused_is_messages(terminal: tuple[int, TextIO]) -> None:
    """A command without a deck is not sent, and the reason is shown; STOP is returned all the same."""
    master, stream = terminal
    messages = list[str]()

    def no_deck() -> Deck:
        raise EnvironmentMissingError("no replay is running here")

    with keyboard(stream, stream) as pressed:
        os.write(master, b" ")
        assert DeckKeys(pressed, messages.append).send_pressed(no_deck, lambda: {"at": 0, "speed": 1.0}, PHASES) == []
        os.write(master, b"q")
        assert DeckKeys(pressed, messages.append).send_pressed(no_deck, lambda: {"at": 0, "speed": 1.0}, PHASES) == [
            STOP
        ]
    assert messages == ["no replay is running here"] * 2
