"""A replay from beginning to end: as many runs as looping and jumping back make it, each played by ``Replay``."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from producers.compose import Plan
from producers.deck import Deck
from producers.replay import JumpedBackError, Replay, Result, Settings
from producers.senders.abstract import Sender, Watcher
from producers.tape import Tape
from streams.runinfo import RunInfo

FOR_EVER = 0


class Session:
    """Plays a tape, run after run.

    Args:
        tape: The tape.
        info: The first run, opened.
        make_sender: Opens a sender for a run.
        deck: Commands and display.
        open_next: Opens a further run, given its number (2, 3, …).
        make_plan: Makes the declared faults of a run; None for none.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        tape: Tape,
        info: RunInfo,
        make_sender: Callable[[Watcher], Sender],
        deck: Deck,
        open_next: Callable[[int], RunInfo],
        *,
        make_plan: Callable[[RunInfo], AbstractContextManager[Plan | None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tape = tape
        self.info = info
        self.deck = deck
        self._make_sender = make_sender
        self._open_next = open_next
        self._make_plan = make_plan or (lambda _: nullcontext())
        self._clock = clock

    def play(self, settings: Settings, rounds: int = 1) -> Iterator[Result]:
        """Play, and yield the result of every run that came to its end.

        Args:
            settings: How to play; a jump back begins its run at the moment jumped to.
            rounds: Runs to play to the end, ``FOR_EVER`` for no limit.

        Raises:
            StoppedError: The deck was told to stop.
            JoinstormError: As ``Replay.play`` and ``open_next`` raise it.
        """
        number, ended = 1, 0
        current = settings
        while True:
            self.deck.show(self.info, rounds=number)
            try:
                yield self._play_one(current)
                ended += 1
                if ended == rounds:
                    return
                current = replace(settings, resume=None, speed=self.deck.state.speed)
            except JumpedBackError as jump:
                current = replace(settings, resume=None, speed=self.deck.state.speed, begin=jump.moment)
            number += 1
            self.info = self._open_next(number)

    def _play_one(self, settings: Settings) -> Result:
        with self._make_plan(self.info) as plan:
            replay = Replay(self.tape, self.info, self._make_sender, self.deck, settings, plan=plan, clock=self._clock)
            return replay.play()
