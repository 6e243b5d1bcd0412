"""A whole replay: one run, and a further one per loop and per jump back."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from producers.replay.deck import Deck
from producers.replay.endings import JumpedBackError
from producers.replay.playback import PlaybackRequest, PlaybackResult
from streams.contract.runinfo import RunInfo


def play_rounds(
    info: RunInfo,
    settings: PlaybackRequest,
    deck: Deck,
    play_run: Callable[[RunInfo, PlaybackRequest], PlaybackResult],
    open_next: Callable[[int], RunInfo],
    *,
    rounds: int = 1,
) -> Iterator[PlaybackResult]:
    """Play one run after another, and yield the result of each that is played to its end.

    Args:
        info: The first run, opened.
        settings: How to play; the run after a jump back is sent at full speed up to the target of the jump, and
            stays paused there if the one before was.
        deck: Commands and display.
        play_run: Plays one run to its end.
        open_next: Opens a further run, given its number (2, 3, …).
        rounds: Runs to play to the end, 0 for no limit.

    Raises:
        StoppedError: The deck was stopped.
        JoinstormError: From ``play_run`` or ``open_next``.
    """
    number, ended, asked = 1, 0, settings
    while True:
        deck.show(info, rounds=number)
        begin, paused = asked.begin, False
        try:
            yield play_run(info, settings)
            ended += 1
            if ended == rounds:
                return
        except JumpedBackError as jump:
            begin, paused = jump.moment, jump.paused
        settings = replace(asked, resume=None, speed=deck.state.speed, begin=begin, paused=paused)
        number += 1
        info = open_next(number)
