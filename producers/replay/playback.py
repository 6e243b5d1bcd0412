"""Plays a tape or a capture: every record leaves when it is due, and is tracked until the broker acknowledges it."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from producers.compose.composer import Block, StreamFaults
from producers.replay.blockcursor import BlockCursor
from producers.replay.deck import Command, Deck, Jump, Pause, Resume, SetSpeed, Shift, Step, Stop, Toggle
from producers.replay.endings import JumpedBackError, StoppedError
from producers.replay.meter import Meter
from producers.replay.position import Position
from producers.replay.prefetch import Prefetch
from producers.replay.schedule import Schedule, quiet_stretches
from producers.replay.source import Source, TapeSource
from producers.replay.status import StatusWriter
from producers.senders.protocol import DeliveryListener, Sender
from producers.tape.tapefile import Tape
from streams.contract.runinfo import ReplayState, RunInfo
from streams.errors import DeliveryError

TICK_SECONDS = 0.01
"""How often due records are handed over: far below the 100 ms that count as on time, and a batch per lane each time."""
IDLE_SECONDS = 0.02
"""Longest time between two looks at the deck when nothing is due."""
SILENCE_SECONDS = 120.0
"""After this long without an acknowledgement the broker counts as gone for good."""
CLOSE_SECONDS = 60.0
"""How long the sender may take to deliver the last status of a complete run."""
GIVE_UP_SECONDS = 2.0
"""The same after a failure or a stop."""
DISPLAY_SECONDS = 0.25
"""Time between two updates of the deck's display."""


@dataclass(frozen=True)
class Pace:
    """From an event time (ms) on the speed is this, in event seconds per second."""

    moment: int
    speed: float


@dataclass(frozen=True)
class PlaybackRequest:
    """How to play.

    Args:
        speed: Event seconds per second of wall clock; 0 means as fast as possible.
        skip_quiet: Send quiet phases at full speed.
        begin: Event time up to which everything is sent at full speed.
        until: Event time from which everything is sent at full speed.
        paces: Event times, in order, from each of which on another speed holds.
        paused: Hold at ``begin``.
        resume: A saved position to resume from.
        position_file: Where the position is saved, about once a second.
    """

    speed: float = 0.0
    skip_quiet: bool = False
    begin: int | None = None
    until: int | None = None
    paces: tuple[Pace, ...] = ()
    paused: bool = False
    resume: Position | None = None
    position_file: Path | None = None


@dataclass(frozen=True)
class PlaybackResult:
    """The outcome of one run's replay; times in seconds."""

    run: str
    client: str
    state: str
    events: int
    """Events on the tape."""
    sent: int
    """Records acknowledged, without marks; more than ``events`` if duplicates are declared."""
    failed: int
    errors: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    events_per_second: float = 0.0
    speed: float = 0.0
    on_time_ratio: float = 1.0
    """Share of the paced events that the client library had at most 100 ms after their due time."""
    paced: int = 0
    """Events with a due time."""
    lateness_p50: float = 0.0
    lateness_p99: float = 0.0
    lateness_max: float = 0.0
    acknowledged_p50: float = 0.0
    """From the due time until the acknowledgement."""
    acknowledged_p99: float = 0.0


class Playback:
    """Plays the blocks of a source.

    Args:
        source: Makes the blocks.
        info: The run, opened.
        make_sender: Opens a sender that reports to the given listener.
        deck: Commands and display.
        settings: How to play.
        clock: Monotonic seconds.
        prepare: Composes blocks ahead of their sending.
    """

    def __init__(
        self,
        source: Source,
        info: RunInfo,
        make_sender: Callable[[DeliveryListener], Sender],
        deck: Deck | None = None,
        settings: PlaybackRequest | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        prepare: Callable[[Iterator[Block]], Prefetch[Block]] = Prefetch,
    ) -> None:
        self._source = source
        self.info = info
        self.deck = deck or Deck()
        self.settings = settings or PlaybackRequest()
        self._clock = clock
        self._prepare = prepare
        resume = self.settings.resume
        self.schedule = Schedule(resume.at if resume else info.start, self.settings.speed)
        self.meter = Meter(self.schedule, clock)
        self._make_sender = make_sender
        self._sender: Sender
        self._status: StatusWriter
        """Both are opened by ``play``."""
        self._stretches = quiet_stretches([(phase.start, phase.quiet) for phase in info.phases], info.end)
        self._display_due = 0.0
        self._tick = -math.inf
        """Before this moment no paced records are handed over."""
        self._at = resume.at if resume else info.start
        self._paces = deque(self.settings.paces)
        self._target = -math.inf
        """The moment to which the deck goes, or went."""

    def play(self) -> PlaybackResult:
        """Play to the end.

        Raises:
            StoppedError: The deck was stopped.
            JumpedBackError: The deck jumped to an earlier moment.
            DeliveryError: Records were not acknowledged; the text counts them by error.
            BrokerError: The broker does not answer.
            TapeError: The tape cannot be read.
            UsageError: The position cannot be saved.
        """
        self._sender = self._make_sender(self.meter)
        self._status = StatusWriter(self.info, self._sender, self.meter, self._clock)
        started = self._clock()
        state: ReplayState = "failed"
        shown = ""
        try:
            self._begin(started)
            with self._prepare(self._source.blocks(self.settings.resume)) as blocks:
                block = blocks.take(self._idle)
                self._set_out(block)
                while block is not None:
                    self._play_block(block)
                    block = blocks.take(self._idle)
            self._drain()
            state = "ended"
        except JumpedBackError:
            state = "moving"
            raise
        except StoppedError:
            shown = "stopped"
            raise
        finally:
            self._finish(state, shown)
        return self._result(state, self._clock() - started)

    def _begin(self, now: float) -> None:
        resume = self.settings.resume
        self._save(resume.row if resume else 0)
        self.schedule.start(now)
        if self.settings.paused:
            self.schedule.pause(now)
        if self.settings.begin is not None:
            self._move(now, self.settings.begin)
        self._report(self._current())

    def _set_out(self, first: Block | None) -> None:
        """Start the clock over once the first records are composed and their topics known: else these were late."""
        self._sender.find(sorted({lane.topic for lane in first.lanes} if first else ()))
        self.schedule.postpone(self._clock())

    def _play_block(self, block: Block) -> None:
        cursor = BlockCursor(block)
        while (first := cursor.next_due()) is not None:
            now = self._clock()
            self._obey(now)
            horizon = self.schedule.horizon(now)
            held = self._tick - now if self.schedule.rushing is None else 0.0
            if first <= horizon and held <= 0 and self._sender.room():
                self._tick = now + TICK_SECONDS
                for part in cursor.take(horizon, self._sender.portion):
                    self.meter.handed(part)
                    self._sender.send(part)
                due = cursor.next_due()
                self.schedule.reached(self._clock(), block.until if due is None else due)
                self._sender.wait(0.0)
            else:
                if first > horizon:
                    self.schedule.reached(now, first)  # nothing else would end a rush to the very end
                wait = max(held, min(self.schedule.seconds_until(now, first), self._until_pace(now)))
                self._sender.wait(min(wait, IDLE_SECONDS) if wait > 0 else TICK_SECONDS)
            self._update(cursor)

    def _obey(self, now: float) -> None:
        """Obey every command that waits, and show the state after the last one."""
        before = self.deck.taken
        while (command := self.deck.take()) is not None:
            self._execute(now, command)
        self._pace_if_due(now)
        self._rush_if_due(now)
        if self.deck.taken != before:
            self._report(self._current())
            self._display_due = 0.0

    def _execute(self, now: float, command: Command) -> None:
        match command:
            case Toggle():
                self._execute(now, Pause() if self.schedule.running else Resume())
            case Pause():
                self.schedule.pause(now)
            case Resume():
                self.schedule.start(now)
            case SetSpeed(speed):
                self.schedule.set_speed(now, speed)
            case Step(milliseconds):
                self.schedule.pause(now)
                self.schedule.skip(now, self.schedule.position(now) + milliseconds)
            case Jump(moment):
                self._jump(now, moment)
            case Shift(milliseconds):
                moment = round(self.schedule.position(now)) + milliseconds
                self._jump(now, max(self.info.start, min(moment, self.info.end)))
            case Stop():
                raise StoppedError

    def _jump(self, now: float, moment: int) -> None:
        if moment < self.schedule.position(now):
            raise JumpedBackError(moment, paused=not self.schedule.running)
        self._move(now, moment)

    def _move(self, now: float, moment: int) -> None:
        self._target = moment
        if self.schedule.running:
            self.schedule.rush(now, moment)
        else:
            self.schedule.skip(now, moment)

    def _pace_if_due(self, now: float) -> None:
        """Change the speed where that was requested for a moment that is reached."""
        while self._paces and self.schedule.position(now) >= self._paces[0].moment:
            self.schedule.set_speed(now, self._paces.popleft().speed)
            self._display_due = 0.0

    def _until_pace(self, now: float) -> float:
        """Return the seconds until the speed changes next."""
        return self.schedule.seconds_until(now, self._paces[0].moment) if self._paces else math.inf

    def _rush_if_due(self, now: float) -> None:
        """Begin a rush where none was commanded: in quiet stretches, and after the requested range."""
        if not self.schedule.running or self.schedule.rushing is not None:
            return
        position = self.schedule.position(now)
        if self.settings.until is not None and position >= self.settings.until:
            self.schedule.rush(now, math.inf)
        elif self.settings.skip_quiet:
            for begin, end in self._stretches:
                if begin <= position < end:
                    self.schedule.rush(now, end)

    def _idle(self, seconds: float) -> None:
        self._obey(self._clock())
        self._sender.wait(seconds)
        self._check()

    def _drain(self) -> None:
        while self.meter.in_flight:
            self._idle(TICK_SECONDS)
            self._report("playing")

    def _update(self, cursor: BlockCursor) -> None:
        """Check the deliveries; when it is time, update the display, the status and the saved position."""
        self._check()
        now = self._clock()
        if now >= self._display_due:
            self._display_due = now + DISPLAY_SECONDS
            _, in_flight = self.meter.oldest_in_flight()
            known = (in_flight, cursor.next_due(), cursor.block.until)
            self._at = max(self._at, min(due for due in known if due is not None))
            if self._report(self._current()):
                self._save(self._safe_row(cursor))

    def _current(self) -> ReplayState:
        """Return the state of a replay that has not ended."""
        running, target = self.schedule.running, self._target
        # What is sent in a rush ends just before its target; a rush that is held is a pause.
        under_way = self.schedule.sent < target - 1
        if under_way and (running or self.schedule.position(self._clock()) >= target):
            return "moving"
        return "playing" if running else "paused"

    def _check(self) -> None:
        failed = self.meter.failed
        if failed:
            raise DeliveryError(_failures(self.meter.failed_topics, failed))
        if self.meter.in_flight and self._clock() - self.meter.last_settled > SILENCE_SECONDS:
            raise DeliveryError(
                f"run {self.info.run}: no acknowledgement for {SILENCE_SECONDS:.0f} s, "
                f"{self.meter.in_flight} records are in flight"
            )

    def _report(self, state: ReplayState, shown: str = "") -> bool:
        """Write the status if it is due, and show the state on the deck, there as ``shown`` if given."""
        written = self._status.write(state, self._at, self.schedule.speed)
        late = self.meter.left_late
        self.deck.show(
            self.info,
            state=shown or state,
            at=round(self.schedule.position(self._clock())),
            phase=self.info.phase_at(round(self.schedule.position(self._clock()))),
            speed=self.schedule.speed,
            sent=self.meter.acked,
            on_time_ratio=late.on_time_ratio,
            lateness_seconds=self._status.latest.lateness_seconds if self._status.latest else 0.0,
        )
        return written

    def _safe_row(self, cursor: BlockCursor) -> int:
        """Return the row of the tape before which everything is acknowledged."""
        row, _ = self.meter.oldest_in_flight()
        return cursor.complete_row() if row is None else min(cursor.complete_row(), row)

    def _save(self, row: int, *, ended: bool = False) -> None:
        if self.settings.position_file is not None:
            position = Position(1, row, self._at, self.schedule.speed, self.info, ended=ended)
            position.save(self.settings.position_file)

    def _finish(self, state: ReplayState, shown: str) -> None:
        if state == "ended":
            self._at = self.info.end
        self._report(state, shown)
        self._sender.close(CLOSE_SECONDS if state == "ended" else GIVE_UP_SECONDS)
        if state == "ended":
            self._save(self.info.events, ended=True)

    def _result(self, state: str, seconds: float) -> PlaybackResult:
        left, acked = self.meter.left_late, self.meter.acked_late
        return PlaybackResult(
            run=self.info.run,
            client=self._sender.name,
            state=state,
            events=self.info.events,
            sent=self.meter.acked,
            failed=sum(self.meter.failed.values()),
            errors=dict(self.meter.failed),
            seconds=seconds,
            events_per_second=self.meter.acked / seconds if seconds > 0 else 0.0,
            speed=self.schedule.speed,
            on_time_ratio=left.on_time_ratio,
            paced=left.total,
            lateness_p50=left.percentile(0.5),
            lateness_p99=left.percentile(0.99),
            lateness_max=left.greatest,
            acknowledged_p50=acked.percentile(0.5),
            acknowledged_p99=acked.percentile(0.99),
        )


class Replay(Playback):
    """Plays one tape, which the caller has verified, into one run; ``plan`` are declared faults."""

    def __init__(  # noqa: PLR0913 - each is a collaborator that tests replace
        self,
        tape: Tape,
        info: RunInfo,
        make_sender: Callable[[DeliveryListener], Sender],
        deck: Deck | None = None,
        settings: PlaybackRequest | None = None,
        *,
        plan: StreamFaults | None = None,
        clock: Callable[[], float] = time.monotonic,
        prepare: Callable[[Iterator[Block]], Prefetch[Block]] = Prefetch,
    ) -> None:
        super().__init__(TapeSource(tape, info, plan), info, make_sender, deck, settings, clock=clock, prepare=prepare)


def _failures(topics: Iterable[str], failed: Mapping[str, int]) -> str:
    counted = ", ".join(f"{count} {error}" for error, count in sorted(failed.items()))
    return f"{', '.join(sorted(topics))}: {sum(failed.values())} records were not acknowledged: {counted}"
