"""A replay from beginning to end: as many runs as looping and jumping back make it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from producers.replay.deck import Deck
from producers.replay.playback import JumpedBackError, PlaybackRequest, PlaybackResult
from streams.contract.runinfo import RunInfo

FOR_EVER = 0


def play_rounds(
    info: RunInfo,
    settings: PlaybackRequest,
    deck: Deck,
    play_run: Callable[[RunInfo, PlaybackRequest], PlaybackResult],
    open_next: Callable[[int], RunInfo],
    *,
    rounds: int = 1,
) -> Iterator[PlaybackResult]:
    """Play run after run, and yield the result of every one that came to its end.

    Args:
        info: The first run, opened.
        settings: How to play; a jump back begins a further run and moves it up to the moment jumped to.
        deck: Commands and display.
        play_run: Plays one run to its end.
        open_next: Opens a further run, given its number (2, 3, …).
        rounds: Runs to play to the end, ``FOR_EVER`` for no limit.

    Raises:
        StoppedError: The deck was told to stop.
        JoinstormError: As ``play_run`` and ``open_next`` raise it.
    """
    number, ended = 1, 0
    while True:
        deck.show(info, rounds=number)
        begin = settings.begin
        try:
            yield play_run(info, settings)
            ended += 1
            if ended == rounds:
                return
        except JumpedBackError as jump:
            begin = jump.moment
        settings = replace(settings, resume=None, speed=deck.state.speed, begin=begin)
        number += 1
        info = open_next(number)
