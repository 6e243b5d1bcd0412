"""Drawing a drill: every shipped kind of night is in the pool, moves stay possible, and a seed is a drill."""

import random

import pytest

from joinstorm.drill.drawing import PLAIN, draw_drill, moved, pool
from joinstorm.drill.situations import WHATS
from producers.scenario import loading
from producers.scenario.incidentchecks import incident_conditions


def test_every_kind_can_be_drawn() -> None:
    """Incidents of every kind, decoys, and a night in which nothing happens."""
    kinds = {one.__struct_config__.tag for name in pool() for one in loading.load(name).incidents}
    assert kinds == set(WHATS) - {"nothing"}
    assert PLAIN in pool()


@pytest.mark.parametrize("name", pool())
def test_a_moved_night_is_possible(name: str) -> None:
    """Whatever the seed, the incidents are within the night and beside its start, all moved alike."""
    scenario = loading.load(name)
    for seed in range(20):
        found = moved(scenario, random.Random(seed))
        assert all(holds for _, holds, _ in incident_conditions(found))
        assert len({new.at - old.at for new, old in zip(found.incidents, scenario.incidents, strict=True)}) <= 1


def test_a_seed_is_a_drill(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn twice, night, seed, first look and boards are the same; the truth is that of the scenario."""
    monkeypatch.setenv("JOINSTORM_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    one, other = draw_drill(5, 0.01), draw_drill(5, 0.01)
    assert (one.scenario, one.info, one.truths, one.began) == (other.scenario, other.info, other.truths, other.began)
    (truth,) = one.truths
    assert (one.info.scenario, truth.what, truth.harm, truth.where) == ("server-loss", "capacity_lost", True, "both")
    assert truth.start is not None
    assert one.info.phase_at(truth.start) == "capacity_lost"
    assert truth.start < one.began <= truth.start + 5 * 60_000
    room = next(panel for panel in one.boards if panel.name == "in the room")
    assert (room.at(truth.start + 60_000) or 0) < 0.8 * (room.at(truth.start) or 0)
