"""The measurements behind docs/reaction.md are right."""

from benchmarks.reaction_coverage import measure, row, true_shape
from producers.scenario.loading import load
from tests.tweetnight import NIGHT


def test_every_seed_is_held_against_its_own_twin() -> None:
    """Observed tweets are those of the twin and the true effect together, and a line of the table comes out of it."""
    assert NIGHT.announced is not None
    held = measure(NIGHT, load("launch"), NIGHT.announced, 0.002, 2)
    for estimate, effect, without in zip(held.estimates, held.effects, held.without, strict=True):
        assert estimate.observed == effect.sum() + without
        assert (effect >= 0).all()
    peak, half_life = true_shape([held])
    assert 0 < peak < 120
    assert 20 < half_life < 200
    assert row(held, peak, half_life).startswith("| 0.002 | 2 | ")
