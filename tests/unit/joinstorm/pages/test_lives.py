"""The lives of alerts from the samples of ALERTS and ALERTS_FOR_STATE."""

from joinstorm.pages.lives import lives_of

NAMED = frozenset({("alertname", "Melting"), ("engine", "faust")})
FIRING = NAMED | {("alertstate", "firing")}


def test_lives_are_told_apart_by_when_they_became_active() -> None:
    """Two lives a second apart stay two, and a missing evaluation makes no second life."""
    firing = {FIRING: [(10.25, 1.0), (11.25, 1.0), (14.25, 1.0), (16.25, 1.0), (17.25, 1.0)]}
    active = {NAMED: [(10.25, 9.0), (11.25, 9.0), (14.25, 9.0), (16.25, 15.0), (17.25, 15.0)]}
    found = lives_of(firing, active, 17_000)
    assert [(life.fired, life.last, life.over) for life in found] == [(10_250, 14_250, True), (16_250, 17_250, False)]
    assert {life.labels for life in found} == {(("alertname", "Melting"), ("engine", "faust"))}
    assert found[0].name == "Melting"


def test_lives_come_in_the_order_of_firing() -> None:
    """Whatever the order of the series, the first to fire is the first."""
    other = frozenset({("alertname", "Early"), ("alertstate", "firing")})
    found = lives_of({FIRING: [(10.0, 1.0)], other: [(8.0, 1.0)]}, {}, 20_000)
    assert [life.name for life in found] == ["Early", "Melting"]
