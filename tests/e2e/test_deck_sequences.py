"""Hands on the deck of a real producer: pauses, jumps, speeds, kill -9; the digest is that of plain playing."""

from pathlib import Path

import pytest

from benchmarks.deck_sequences import KILL, KINDS, Hand, draw, sequence
from joinstorm.terminal.recordingbar import tape_of
from streams.kafka.connection import Connection

pytestmark = [pytest.mark.e2e, pytest.mark.integration]
HANDS = [
    Hand(0.1, "speed", "600"),
    Hand(0.1, "pause"),
    Hand(0.1, "jump", "talk"),
    Hand(0.1, KILL),
    Hand(0.1, "jump", "+1m"),
    Hand(0.1, "jump back", "open"),
    Hand(0.2, "step", "30s"),
    Hand(0.1, KILL),
]


def test_a_sequence_ends_with_the_digest_of_plain_playing(kafka: Connection, tmp_path: Path) -> None:
    """Two kills, jumps in both directions, a pause and a step: exact, with the digest of playing through."""
    with tape_of("quiet", scale=0.05, seed=None) as tape:
        plain, played = (sequence(hands, kafka, tape, tmp_path, "kafka-python") for hands in ([], HANDS))
    assert plain.exact
    assert played.exact
    assert played.digest == plain.digest
    assert played.run != plain.run


def test_drawn_sequences_hold_everything() -> None:
    """Every seed kills the producer; fifty seeds do all there is to do; a seed says the same again."""
    drawn = [draw(seed) for seed in range(50)]
    assert all(any(hand.kind == KILL for hand in hands) for hands in drawn)
    assert {hand.kind for hands in drawn for hand in hands} == set(KINDS)
    assert drawn[7] == draw(7)
