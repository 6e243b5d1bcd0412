"""Commands to the deck of a real producer: pauses, jumps, speeds, kill -9; the digest is that of plain playing."""

from pathlib import Path

import pytest

from benchmarks.deck_sequences import KILL, KINDS, DeckStep, draw, sequence
from joinstorm.terminal.recordingbar import tape_of
from streams.kafka.connection import Connection

pytestmark = [pytest.mark.e2e, pytest.mark.integration]
STEPS = [
    DeckStep(0.1, "speed", "600"),
    DeckStep(0.1, "pause"),
    DeckStep(0.1, "jump", "talk"),
    DeckStep(0.1, KILL),
    DeckStep(0.1, "jump", "+1m"),
    DeckStep(0.1, "jump back", "open"),
    DeckStep(0.2, "step", "30s"),
    DeckStep(0.1, KILL),
]


def test_a_sequence_ends_with_the_digest_of_plain_playing(kafka: Connection, tmp_path: Path) -> None:
    """Two kills, jumps in both directions, a pause and a step: exact, with the digest of playing through."""
    with tape_of("quiet", scale=0.05, seed=None) as tape:
        plain, played = (sequence(steps, kafka, tape, tmp_path, "kafka-python") for steps in ([], STEPS))
    assert plain.exact
    assert played.exact
    assert played.digest == plain.digest
    assert played.run != plain.run


def test_drawn_sequences_hold_everything() -> None:
    """Every seed kills the producer; fifty seeds draw every kind; a seed draws the same again."""
    drawn = [draw(seed) for seed in range(50)]
    assert all(any(step.kind == KILL for step in steps) for steps in drawn)
    assert {step.kind for steps in drawn for step in steps} == set(KINDS)
    assert drawn[7] == draw(7)
