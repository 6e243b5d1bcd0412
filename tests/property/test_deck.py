"""Whatever a user does to the deck, and however often the producer is killed: nothing is left out."""

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from producers.replay.deck import Deck
from producers.replay.playback import PlaybackRequest
from producers.replay.position import load_position
from producers.tape.tapefile import Tape
from streams.contract.events import Mark
from streams.contract.runinfo import RunInfo
from streams.errors import UsageError
from tests.replaying import Crash, Player, Sent, check_marks, decoded, info_of, play
from tests.tinytape import tiny_tape

SEQUENCES = 25
"""Of each kind."""
COARSE = 0.05


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Return a small night."""
    return tiny_tape(tmp_path_factory.mktemp("tape") / "night.parquet", seed=3, people=50)


@pytest.fixture(scope="module")
def plain(tape: Tape) -> Sent:
    """Return what plain playing sends."""
    return play(tape)


def plan_commands(rng: random.Random, player: Player) -> None:
    """Plan a handful of commands, and a last one that lets it end."""
    deck: Deck = player.deck
    choices: list[Any] = [
        deck.pause,
        deck.resume,
        deck.toggle,
        lambda: deck.set_speed(rng.choice((0.5, 20, 300, "max"))),
        lambda: deck.step(f"{rng.randrange(1, 60)}s"),
        lambda: jump(deck, f"+{rng.randrange(1, 90)}s"),
        lambda: player.time.sleep(rng.uniform(0, 3)),
    ]
    for _ in range(rng.randrange(3, 9)):
        player.time.at(rng.uniform(0, 20), rng.choice(choices))
    player.time.at(21, lambda: deck.set_speed(300))
    player.time.at(21, deck.resume)


def jump(deck: Deck, moment: str) -> None:
    """Jump, unless that is outside the night."""
    with suppress(UsageError):
        deck.jump(moment)


def crash() -> None:
    """Kill the producer."""
    raise Crash


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_any_hand_on_the_deck_sends_what_plain_playing_sends(tape: Tape, plain: Sent, seed: int) -> None:
    """Pauses, resumes, jumps, steps, changes of speed, stalls, in any order: record for record the same."""
    rng = random.Random(seed)
    player = Player(tape, PlaybackRequest(speed=rng.choice((5, 30, 0)), skip_quiet=rng.random() < 0.3), least=COARSE)
    plan_commands(rng, player)
    player.play()
    assert player.sent == plain


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_a_killed_and_resumed_producer_leaves_nothing_out(tape: Tape, plain: Sent, tmp_path: Path, seed: int) -> None:
    """Killed up to three times and resumed from its last position: every record is there, repeats are duplicates."""
    rng = random.Random(seed)
    path = tmp_path / "position.json"
    pieces: list[Sent] = []
    settings = PlaybackRequest(speed=rng.choice((20, 60)), position_file=path)
    for _ in range(rng.randrange(1, 4)):
        player = Player(tape, settings, least=COARSE)
        plan_commands(rng, player)
        player.time.at(rng.uniform(1.5, 9), crash)
        try:
            player.play()
        except Crash:
            pieces.append(acknowledged(player))
            settings = PlaybackRequest(speed=30, position_file=path, resume=load_position(path, tape.info.sha256))
            continue
        pieces.append(player.sent)
        break
    else:
        player = Player(tape, settings, least=COARSE)
        player.play()
        pieces.append(player.sent)
    check_complete(pieces, plain, info_of(tape))


def acknowledged(player: Player) -> Sent:
    """Return what was acknowledged when the producer died: the rest may be lost with it."""
    lost: dict[tuple[str, int], int] = {}
    for lane in player.senders[-1]._unsettled:
        lost[lane.topic, lane.partition] = lost.get((lane.topic, lane.partition), 0) + len(lane)
    return {place: records[: len(records) - lost.get(place, 0)] for place, records in player.sent.items()}


def check_complete(pieces: list[Sent], plain: Sent, info: RunInfo) -> None:
    """Assert that all pieces together hold what plain playing sends, each in order, and that the marks hold."""
    whole: Sent = {}
    for place, records in plain.items():
        whole[place] = [record for piece in pieces for record in piece.get(place, [])]
        assert set(whole[place]) == set(records)
    firsts = {place: list(dict.fromkeys(records)) for place, records in whole.items()}
    assert firsts == plain
    check_marks(firsts, info)
    for (topic, _), records in whole.items():
        assert isinstance(decoded(topic, records)[-1], Mark)


def test_the_greatest_speeds_and_steps_harm_nothing(tape: Tape, plain: Sent) -> None:
    """The fastest and slowest speed and a step of a year, again and again, are obeyed; everything is sent once."""
    player = Player(tape, PlaybackRequest(speed=5), least=COARSE)
    for moment in range(5):
        player.time.at(moment, lambda: player.deck.set_speed("0.1"))
        player.time.at(moment + 0.4, lambda: player.deck.set_speed(1_000_000))
        player.time.at(moment + 0.4, lambda: player.deck.step("8760h"))
    player.time.at(6, player.deck.resume)
    player.play()
    assert player.sent == plain
