"""Plays a capture as the command line requests: into which topics, by which times, and with the deck's controls."""

import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from joinstorm.run.replaying import controlled, keyed_deck, made_up, paces_of, stopping
from joinstorm.terminal.capturebar import reading_progress
from joinstorm.terminal.keyboard import keyboard
from joinstorm.terminal.progressbar import progress
from producers.capture.capturefile import open_capture
from producers.capture.comparing import targets
from producers.capture.eventtime import EventTime
from producers.capture.playing import CaptureSource, Cut, Timeline, timeline
from producers.capture.targets import ready
from producers.compose.faults import CORRUPT, FaultPlan, parse_faults
from producers.moments import moment_ms
from producers.replay.playback import Playback, PlaybackRequest, PlaybackResult
from producers.replay.position import load_position
from producers.replay.session import play_rounds
from producers.senders.registry import sender_factory
from streams.contract.runinfo import Phase, RunInfo
from streams.errors import UsageError
from streams.kafka.connection import Connection

ORIGINAL = "original"
SHIFTED = "shifted"
TIMESTAMPS = (ORIGINAL, SHIFTED)
"""What timestamps records are sent with: as they were, or moved so that the first has the present time."""
PHASE = "start"
"""The name of the first moment of a capture, as in ``start+10m``."""


@dataclass(frozen=True)
class CaptureReplayRequest:
    """What a user asks of ``joinstorm replay`` with a capture; every field is one of its options."""

    capture: Path
    connection: Connection
    topics: tuple[str, ...]
    speed: float
    client: str
    run: str | None
    replication: int
    timestamps: str
    partition_map: str
    time_field: str | None
    time_format: str
    begin: str | None
    until: str | None
    rounds: int
    fault: tuple[str, ...]
    fault_seed: int
    control: str
    position: Path | None
    resume: Path | None
    paces: tuple[str, ...] = ()


class CapturePlayer:
    """Plays a capture.

    Args:
        request: Which one, and how.

    Raises:
        JoinstormError: The request cannot be met; the text says why.
    """

    def __init__(self, request: CaptureReplayRequest) -> None:
        self.request = request
        self.faults = parse_faults(request.fault, request.fault_seed)
        if CORRUPT in self.faults.rates:
            raise UsageError("--fault corrupt: how to damage a record is known of joinstorm's own events alone")
        if request.resume and self.faults.rates:
            raise UsageError("--resume and --fault exclude each other with a capture")
        self.capture = open_capture(request.capture)
        self.topics = targets(self.capture, request.topics)
        with reading_progress("reading the times") as show:
            self.timeline = timeline(self.capture, EventTime(request.time_field, request.time_format), show)
        self.info = self._info()
        resume = None if request.resume is None else load_position(request.resume, self.info.tape_sha256)
        paces = paces_of(request.paces, request.speed, lambda text: self._moment(text, self.info.start))
        self.settings = PlaybackRequest(speed=request.speed, resume=resume, position_file=request.position, paces=paces)

    def play(self) -> Iterator[PlaybackResult]:
        """Make the topics that are missing, and yield the result of every round.

        Raises:
            InterruptedRun: A signal arrived while it played.
            JoinstormError: It cannot be played, or not all of it was acknowledged.
        """
        request = self.request
        made = ready(request.connection, self.capture, self.topics, request.partition_map, request.replication)
        partitions = {name: target.partitions for name, target in made.items()}
        make_sender = sender_factory(request.client, request.connection, paced=request.speed > 0)
        first = self.settings.resume.info if self.settings.resume else self.info
        with (
            progress() as display,
            keyboard(sys.stdin, sys.stderr) as pressed,
            stopping(keyed_deck(display, pressed, first)) as deck,
            controlled(deck, request.control),
        ):

            def play_run(info: RunInfo, settings: PlaybackRequest) -> PlaybackResult:
                source = self._source(info, settings, partitions)
                return Playback(source, info, make_sender, deck, settings).play()

            yield from play_rounds(first, self.settings, deck, play_run, lambda _: self.info, rounds=request.rounds)

    def _source(self, info: RunInfo, settings: PlaybackRequest, partitions: dict[str, int]) -> CaptureSource:
        begin = info.start if settings.begin is None else settings.begin
        first = settings.resume.at if settings.resume else begin
        shift = time.time_ns() // 1_000_000 - first if self.request.timestamps == SHIFTED else 0
        until = None if self.request.until is None else info.end + 1
        plan = FaultPlan(self.faults) if self.faults.rates else None
        return CaptureSource(self.timeline, Cut(self.topics, partitions, begin, until, shift), plan)

    def _info(self) -> RunInfo:
        """Return what the deck has to know: a run without topics of its own, which nothing is published of."""
        line = self.timeline
        begin = self._moment(self.request.begin, line.start)
        until = self._moment(self.request.until, line.end + 1)
        if begin >= until:
            raise UsageError(f"--from {self.request.begin} is not before --until {self.request.until}")
        asked = (self.capture.identity, sorted(self.topics.items()), line.time.field, line.time.form, begin, until)
        end = until - 1
        return RunInfo(
            v=1,
            run=self.request.run or made_up(self.request.capture.stem),
            tape_sha256=hashlib.sha256(repr(asked).encode()).hexdigest(),
            scenario=self.request.capture.stem,
            scale=1.0,
            seed=0,
            events=self.capture.records,
            people=0,
            start=begin,
            end=end,
            talk_start=end,
            window_ms=1,
            watermark_step_ms=1,
            phases=(Phase(PHASE, begin),),
            spaces=(),
            thread="",
            announced=None,
            subjects=(),
            partitions=max(self.capture.topics.values()),
            prefix="",
            topics={},
            created_ms=time.time_ns() // 1_000_000,
        )

    def _moment(self, text: str | None, default: int) -> int:
        line: Timeline = self.timeline
        phases = (Phase(PHASE, line.start),)
        return default if text is None else moment_ms(text, phases, line.start, line.end + 1, line.start)
