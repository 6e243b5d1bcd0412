"""Plays a tape as the command line asks for it: opens runs, declares faults, listens to the deck's controls."""

import logging
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import FrameType

from joinstorm.interrupts import InterruptedRun
from joinstorm.terminal.deckkeys import HINT
from joinstorm.terminal.keyboard import DeckKeys, Keyboard, keyboard
from joinstorm.terminal.progressbar import Show, progress
from producers.compose.faults import FaultPlan, parse_faults
from producers.moments import moment_ms
from producers.replay.control import ControlServer
from producers.replay.deck import Deck, DeckState
from producers.replay.faultfile import fault_path, read_faults, write_faults
from producers.replay.opening import open_run, opened_run
from producers.replay.playback import PlaybackRequest, PlaybackResult, Replay, StoppedError
from producers.replay.position import Position, load_position
from producers.replay.schedule import default_watermark_step
from producers.replay.session import play_rounds
from producers.senders.registry import sender_factory
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.errors import ScenarioError
from streams.kafka.connection import Connection

_log = logging.getLogger(__name__)
NO_CONTROL = "off"


@dataclass(frozen=True)
class ReplayRequest:
    """What ``joinstorm replay`` was asked for; every field is one of its options."""

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
    verify: bool = True


class Player:
    """Plays a job.

    Args:
        job: What was asked for.

    Raises:
        JoinstormError: What was asked for cannot be done.
    """

    def __init__(self, job: ReplayRequest) -> None:
        self.job = job
        self.faults = parse_faults(job.fault, job.fault_seed)
        self.connection = job.connection
        self.tape = Tape.open(job.tape)
        self.settings = PlaybackRequest(
            speed=job.speed,
            skip_quiet=job.skip_quiet,
            begin=self._moment(job.begin),
            until=self._moment(job.until),
            resume=self._resumed(),
            position_file=job.position,
        )

    def play(self) -> Iterator[PlaybackResult]:
        """Verify the tape, open the run, and yield the result of every round.

        Raises:
            InterruptedRun: SIGTERM or SIGINT came while it played.
            JoinstormError: It cannot be played, or not all of it was acknowledged.
        """
        if self.job.verify:
            self.tape.verify()
        first = self.first_run
        with (
            progress() as show,
            keyboard(sys.stdin, sys.stderr) as pressed,
            _stopping(keyed_deck(show, pressed, first)) as deck,
            _controlled(deck, self.job.control),
        ):
            make_sender = sender_factory(self.job.client, self.connection, paced=self.job.speed > 0)

            def play_run(info: RunInfo, settings: PlaybackRequest) -> PlaybackResult:
                return Replay(self.tape, info, make_sender, deck, settings, plan=self._plan(info)).play()

            def open_next(number: int) -> RunInfo:
                return self._open(f"{first.run}-{number}", first)

            yield from play_rounds(first, self.settings, deck, play_run, open_next, rounds=self.job.rounds)

    @cached_property
    def first_run(self) -> RunInfo:
        """The run to begin with: the resumed one, one that is opened and not played, or a new one."""
        if self.settings.resume is not None:
            return self.settings.resume.info
        return self._open(self.job.run or _made_up(self.tape.info.name))

    def _open(self, run: str, like: RunInfo | None = None) -> RunInfo:
        """Open a run, ``like`` an earlier one or as asked for; one that is opened and not played is taken as it is."""
        job = self.job
        known = None if like else opened_run(self.connection, run, job.prefix)
        if known is not None and known.tape_sha256 == self.tape.info.sha256:
            return self._as_opened(known)
        window_ms = like.window_ms if like else round(job.window * 1000)
        step = round(job.watermark_step * 1000) if job.watermark_step else default_watermark_step(job.speed, window_ms)
        return open_run(
            self.connection,
            self.tape.info,
            run=run,
            prefix=like.prefix if like else job.prefix,
            partitions=like.partitions if like else job.partitions,
            window_ms=window_ms,
            watermark_step_ms=like.watermark_step_ms if like else step,
            replication=job.replication,
            faults=like.faults if like else self.faults,
        )

    def _as_opened(self, known: RunInfo) -> RunInfo:
        """Return a run that somebody else has opened; what goes wrong in it was declared there."""
        if self.job.fault and known.faults != (self.faults if self.faults.rates else None):
            raise ScenarioError(f"run {known.run} was opened with other faults; declare them where it is opened")
        return known

    def _moment(self, text: str | None) -> int | None:
        info = self.tape.info
        return None if text is None else moment_ms(text, info.phases, info.start, info.end, info.start)

    def _resumed(self) -> Position | None:
        return None if self.job.resume is None else load_position(self.job.resume, self.tape.info.sha256)

    def _plan(self, info: RunInfo) -> FaultPlan | None:
        """Return what goes wrong in a run, written down before it happens."""
        if info.faults is None:
            return None
        path = self.job.faults_file or fault_path(self.tape.path, info.run)
        if not (path.exists() and read_faults(path).info.run == info.run):
            write_faults(path, self.tape, info.faults, info)
        return FaultPlan(info.faults)


def keyed_deck(show: Show, pressed: Keyboard | None, info: RunInfo) -> Deck:
    """Return a deck that shows its state and, each time it does, looks for keys pressed."""
    keys = DeckKeys(pressed, show.say)
    if pressed:
        show.say(HINT)

    def listener(state: DeckState) -> None:
        show(state)
        keys.look(lambda: deck, deck.as_dict, info.phases)

    deck = Deck(listener)
    return deck


def _made_up(name: str) -> str:
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
    return f"{plain[:20].strip('-') or 'tape'}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"


def _controlled(deck: Deck, address: str) -> AbstractContextManager[object]:
    if address == NO_CONTROL:
        return nullcontext()
    host, colon, port = address.rpartition(":")
    if not (colon and port.isdigit()):
        raise ScenarioError(f"--control {address!r}: expected HOST:PORT or {NO_CONTROL}")
    server = ControlServer(deck, host, int(port))
    _log.info("the deck listens at %s", server.url)
    return server


@contextmanager
def _stopping(deck: Deck) -> Iterator[Deck]:
    """While the tape plays, SIGTERM and SIGINT tell the deck to stop, which ends the run in order."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        deck.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield deck
    except StoppedError:
        raise InterruptedRun from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
