"""Plays a tape as the command line requests: opens runs, declares faults, listens to the deck's controls."""

import logging
import math
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import FrameType

from joinstorm.interrupts import InterruptedRun
from joinstorm.terminal.deckkeys import HINT
from joinstorm.terminal.keyboard import DeckKeys, Keyboard, keyboard
from joinstorm.terminal.progressbar import ReplayDisplay, progress
from producers.compose.faults import FaultPlan, parse_faults
from producers.moments import moment_ms
from producers.replay.control import ControlServer
from producers.replay.deck import Deck, DeckState, speed_of
from producers.replay.endings import StoppedError
from producers.replay.faultfile import fault_path, read_faults, write_faults
from producers.replay.opening import open_run, opened_run
from producers.replay.playback import Pace, PlaybackRequest, PlaybackResult, Replay
from producers.replay.position import Position, load_position
from producers.replay.schedule import AS_FAST_AS_POSSIBLE, default_watermark_step
from producers.replay.session import play_rounds
from producers.senders.registry import sender_factory
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.errors import UsageError
from streams.kafka.connection import Connection
from streams.system.children import handled_signals

_log = logging.getLogger(__name__)
NO_CONTROL = "off"


@dataclass(frozen=True)
class ReplayRequest:
    """What a user asks of ``joinstorm replay``; every field is one of its options."""

    tape: Path
    speed: float
    client: str
    connection: Connection
    prefix: str
    run: str | None
    partitions: int
    replication: int
    window: float
    watermark_step: float | None
    skip_quiet: bool
    begin: str | None
    until: str | None
    rounds: int
    fault: tuple[str, ...]
    fault_seed: int
    faults_file: Path | None
    control: str
    position: Path | None
    resume: Path | None
    paces: tuple[str, ...] = ()
    verify: bool = True


class Player:
    """Plays a tape.

    Args:
        request: Which one, and how.

    Raises:
        JoinstormError: The request cannot be met; the text says why.
    """

    def __init__(self, request: ReplayRequest) -> None:
        self.request = request
        self.faults = parse_faults(request.fault, request.fault_seed)
        self.connection = request.connection
        self.tape = Tape.open(request.tape)
        self.settings = PlaybackRequest(
            speed=request.speed,
            skip_quiet=request.skip_quiet,
            begin=self._moment(request.begin),
            until=self._moment(request.until),
            paces=paces_of(request.paces, request.speed, lambda text: self._moment(text) or 0),
            resume=self._resumed(),
            position_file=request.position,
        )

    def play(self) -> Iterator[PlaybackResult]:
        """Verify the tape, open the run, and yield the result of every round.

        Raises:
            InterruptedRun: A signal arrived while it played.
            JoinstormError: It cannot be played, or not all of it was acknowledged.
        """
        if self.request.verify:
            self.tape.verify()
        first = self.first_run
        with (
            progress() as display,
            keyboard(sys.stdin, sys.stderr) as pressed,
            stopping(keyed_deck(display, pressed, first)) as deck,
            controlled(deck, self.request.control),
        ):
            make_sender = sender_factory(self.request.client, self.connection, paced=self.request.speed > 0)

            def play_run(info: RunInfo, settings: PlaybackRequest) -> PlaybackResult:
                return Replay(self.tape, info, make_sender, deck, settings, plan=self._plan(info)).play()

            def open_next(number: int) -> RunInfo:
                return self._open(f"{first.run}-{number}", first)

            yield from play_rounds(first, self.settings, deck, play_run, open_next, rounds=self.request.rounds)

    @cached_property
    def first_run(self) -> RunInfo:
        """The first run: the resumed one, one that is opened and not played, or a new one."""
        if self.settings.resume is not None:
            return self.settings.resume.info
        return self._open(self.request.run or made_up(self.tape.info.name))

    def _open(self, run: str, like: RunInfo | None = None) -> RunInfo:
        """Open a run, ``like`` an earlier one or as requested; a run that is not yet played is used as it is."""
        request = self.request
        known = None if like else opened_run(self.connection, run, request.prefix)
        if known is not None and known.tape_sha256 == self.tape.info.sha256:
            return self._as_opened(known)
        window_ms = like.window_ms if like else round(request.window * 1000)
        step = (
            round(request.watermark_step * 1000)
            if request.watermark_step
            else default_watermark_step(self._slowest, self.tape.info.end - self.tape.info.start, window_ms)
        )
        return open_run(
            self.connection,
            self.tape.info,
            run=run,
            prefix=like.prefix if like else request.prefix,
            partitions=like.partitions if like else request.partitions,
            window_ms=window_ms,
            watermark_step_ms=like.watermark_step_ms if like else step,
            replication=request.replication,
            faults=like.faults if like else self.faults,
        )

    @property
    def _slowest(self) -> float:
        """The least speed of the replay."""
        return min(self.request.speed, *(pace.speed for pace in self.settings.paces), math.inf)

    def _as_opened(self, known: RunInfo) -> RunInfo:
        """Return a run that another process opened; its faults were declared there."""
        if self.request.fault and known.faults != (self.faults if self.faults.rates else None):
            raise UsageError(f"run {known.run} was opened with other faults; declare them where it is opened")
        return known

    def _moment(self, text: str | None) -> int | None:
        info = self.tape.info
        return None if text is None else moment_ms(text, info.phases, info.start, info.end, info.start)

    def _resumed(self) -> Position | None:
        return None if self.request.resume is None else load_position(self.request.resume, self.tape.info.sha256)

    def _plan(self, info: RunInfo) -> FaultPlan | None:
        """Return the faults of a run, after writing the account of them."""
        if info.faults is None:
            return None
        path = self.request.faults_file or fault_path(self.tape.path, info.run)
        if not (path.exists() and read_faults(path).info.run == info.run):
            write_faults(path, self.tape, info.faults, info)
        return FaultPlan(info.faults)


def paces_of(texts: Sequence[str], speed: float, moment: Callable[[str], int]) -> tuple[Pace, ...]:
    """Return the speeds from moments on, in the order of the night.

    Args:
        texts: Each as ``MOMENT=SPEED``.
        speed: The speed until then.
        moment: Returns the event time of a moment.

    Raises:
        UsageError: A text is none, or there is no pacing.
    """
    if texts and speed == AS_FAST_AS_POSSIBLE:
        raise UsageError("--pace with --speed max: a replay without pacing reaches no moment; give a number")
    pairs = [text.rpartition("=") for text in texts]
    for text, (name, equals, number) in zip(texts, pairs, strict=True):
        if not (equals and name and speed_of(number)):
            raise UsageError(f"--pace {text!r}: expected MOMENT=SPEED, the speed a number, as melting+1m=60")
    paces = [Pace(moment(name), speed_of(number)) for name, _, number in pairs]
    return tuple(sorted(paces, key=lambda pace: pace.moment))


def keyed_deck(display: ReplayDisplay, pressed: Keyboard | None, info: RunInfo) -> Deck:
    """Return a deck that shows its state and, each time it does, obeys the keys that were pressed."""
    keys = DeckKeys(pressed, display.show_message)
    if pressed:
        display.show_message(HINT)

    def listener(state: DeckState) -> None:
        display(state)
        keys.send_pressed(lambda: deck, deck.as_dict, info.phases)

    deck = Deck(listener)
    return deck


def made_up(name: str) -> str:
    """Return a new run id that begins as a name does."""
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
    return f"{plain[:20].strip('-') or 'tape'}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"


def controlled(deck: Deck, address: str) -> AbstractContextManager[object]:
    """Return a context in which the deck listens at an address, ``off`` for nowhere.

    Raises:
        UsageError: It is no address.
    """
    if address == NO_CONTROL:
        return nullcontext()
    host, colon, port = address.rpartition(":")
    if not (colon and port.isdigit()):
        raise UsageError(f"--control {address!r}: expected HOST:PORT or {NO_CONTROL}")
    server = ControlServer(deck, host, int(port))
    _log.info("the deck listens at %s", server.url)
    return server


@contextmanager
def stopping(deck: Deck) -> Iterator[Deck]:
    """While the tape plays, a signal that asks to end stops the deck, which ends the run in order."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        deck.stop()

    try:
        with handled_signals(stop):
            yield deck
    except StoppedError:
        raise InterruptedRun from None
