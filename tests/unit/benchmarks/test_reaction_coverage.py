"""The measurements behind docs/reaction.md are right, and go into their section."""

from pathlib import Path

import pytest

from benchmarks.reaction_coverage import measure, row, true_shape
from benchmarks.reactionnight import publish
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


def test_a_measurement_replaces_the_one_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed and stands between its marks; a document without them is left alone and named."""
    document = tmp_path / "doc.md"
    document.write_text("a\n<!-- x -->\nold\n<!-- end of x -->\nb\n", encoding="utf-8")
    publish("x", "new", document)
    assert document.read_text(encoding="utf-8") == "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n"
    assert capsys.readouterr().out == "new\n"
    with pytest.raises(SystemExit, match="expected one section"):
        publish("y", "new", document)
