"""Cascades and the chances behind them: how many, when, of what kind, and the same on any machine."""

import numpy as np
import pytest

from producers.scenario.tweetspec import CascadeSpec, TweetSpec
from producers.tweets.cascade import POST, QUOTE, REPLY, REPOST, Cascade, ExpectedAnswers, grow, posts
from producers.tweets.draws import MILLI, Draws, delays_ms, mixed, popularity_milli
from producers.tweets.rates import rates
from streams.contract.names import MINUTE_MS
from streams.contract.results import STANCES
from tests.tweetnight import HOUR_MS, NIGHT

MIX = (1,) * len(STANCES)
END = 10_000 * MINUTE_MS
DRAWS = Draws(1, "test")


def grown(
    number: int = 4_000, spec: CascadeSpec | None = None, end: int = END, expected: ExpectedAnswers | None = None
) -> Cascade:
    """Return posts at time 0 and all they draw."""
    first = posts(np.zeros(number, np.int64), MIX, DRAWS)
    return grow(first, MIX, spec or CascadeSpec(), end, DRAWS, expected)


def test_answers_come_after_what_they_answer() -> None:
    """In time by at least a second, and in the rows as well; nothing comes at the end or later."""
    found = grown(end=HOUR_MS)
    rows = np.arange(len(found))
    answers = found.kind != POST
    assert (found.parent[answers] < rows[answers]).all()
    assert (found.at[answers] >= found.at[found.parent[answers]] + 1000).all()
    assert (found.parent[~answers] == rows[~answers]).all()
    assert found.at.max() < HOUR_MS


def test_nobody_answers_a_repost() -> None:
    """A repost is a leaf; who shares it shares its original."""
    found = grown()
    assert REPOST not in found.kind[found.parent]


def test_a_conversation_is_that_of_what_is_answered_and_a_quote_begins_one() -> None:
    """The root of a reply or repost is its parent's, that of a post or quote its own row."""
    found = grown()
    begins = np.isin(found.kind, (POST, QUOTE))
    assert (found.root[begins] == np.flatnonzero(begins)).all()
    assert (found.root[~begins] == found.root[found.parent[~begins]]).all()


def test_posts_draw_the_mean_numbers_asked_for() -> None:
    """The direct answers to posts match the spec's means, within the spread of popularity."""
    spec = CascadeSpec(reposts=2.0, replies=0.5, quotes=0.25, popularity_tail=4.0)
    found = grown(20_000, spec)
    direct = found.kind[(found.parent < 20_000) & (found.kind != POST)]
    for kind, mean in ((REPOST, 2.0), (REPLY, 0.5), (QUOTE, 0.25)):
        assert (direct == kind).sum() / 20_000 == pytest.approx(mean, rel=0.05)


def test_expected_answers_replace_the_means_of_the_first_tweets() -> None:
    """The first tweets draw the answers that are given for them."""
    means = {REPLY: np.array([3.0, 0.0]), QUOTE: np.zeros(2), REPOST: np.array([0.0, 5.0])}
    expected = ExpectedAnswers(means, np.array([5_000]))
    found = grown(2, CascadeSpec(reposts=0, replies=0, quotes=0), expected=expected)
    assert found.parent[2:].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert found.kind[2:].tolist() == [REPLY] * 3 + [REPOST] * 5


@pytest.mark.parametrize(("echo", "share"), [(1.0, 1.0), (0.0, 1 / len(STANCES))])
def test_replies_echo_the_stance_they_answer_as_often_as_asked(echo: float, share: float) -> None:
    """With echo 1 every answer takes its parent's stance, with 0 as often as chance has it; reposts always."""
    found = grown(spec=CascadeSpec(echo=echo))
    same = found.stance == found.stance[found.parent]
    assert same[found.kind == REPOST].all()
    assert same[np.isin(found.kind, (REPLY, QUOTE))].mean() == pytest.approx(share, abs=0.05)


def test_half_of_the_delays_are_below_the_median() -> None:
    """The delays' table rises, starts at a second and has the median asked for; its density falls."""
    table = delays_ms(9.0, 1.4)
    assert table[0] == 1000
    assert (np.diff(table) >= 0).all()
    assert table[len(table) // 2] == pytest.approx(9 * MINUTE_MS, rel=1e-3)
    by_minute = np.bincount(table[table < 30 * MINUTE_MS] // MINUTE_MS)
    assert (np.diff(by_minute) <= 0).all()


def test_popularity_has_mean_one_and_a_long_tail() -> None:
    """The mean popularity is 1; most tweets have less, a few far more."""
    table = popularity_milli(1.8) / MILLI
    assert table.mean() == pytest.approx(1, rel=0.02)
    assert np.median(table) < 0.7
    assert table.max() > 100


@pytest.mark.parametrize("mean", [0.2, 30.0, 5_000.0])
def test_poisson_numbers_have_mean_and_variance_alike(mean: float) -> None:
    """For small and large means the numbers spread as Poisson's do."""
    numbers = np.array([DRAWS.poisson(str(i), mean) for i in range(800)])
    assert numbers.mean() == pytest.approx(mean, rel=0.12)
    assert numbers.var() == pytest.approx(mean, rel=0.3)


def test_draws_depend_on_their_name_and_seed_alone() -> None:
    """The same name gives the same numbers, another name or seed others; a longer draw begins like a shorter one."""
    first = Draws(1, "a").at("b").uniform("c", 5)
    assert (Draws(1, "a", "b").uniform("c", 9)[:5] == first).all()
    assert (Draws(2, "a", "b").uniform("c", 5) != first).all()
    assert (Draws(1, "a", "b").uniform("d", 5) != first).all()


def test_mixed_bits_are_even() -> None:
    """Neighbouring numbers give bits that fall evenly into any number of boxes, and salts give different ones."""
    bits = mixed(np.arange(70_000, dtype=np.uint64), 1)
    boxes = np.bincount((bits >> np.uint64(32)) * np.uint64(7) >> np.uint64(32))
    assert len(boxes) == 7
    assert abs(boxes - 10_000).max() < 500
    assert not (bits == mixed(np.arange(70_000, dtype=np.uint64), 2)).any()


def test_rates_tell_the_night() -> None:
    """Anticipation is highest at the scheduled start, the wave follows the strain, the talk ends with the talk."""
    rate = rates(TweetSpec(), NIGHT)
    start, melted = NIGHT.scheduled_start, NIGHT.scheduled_start + 19 * MINUTE_MS
    assert rate["anticipation"](start) == TweetSpec().anticipation_per_minute
    assert rate["anticipation"](start - 25 * MINUTE_MS) == pytest.approx(rate["anticipation"](start) / 2)
    assert rate["wave"](start - MINUTE_MS) == 0
    assert rate["wave"](start + 2 * MINUTE_MS) < rate["wave"](melted) <= 0.75 * TweetSpec().wave_per_minute
    half_life = round(TweetSpec().wave_half_life_minutes) * MINUTE_MS
    late = start + 40 * MINUTE_MS
    assert rate["wave"](late + half_life) == pytest.approx(rate["wave"](late) / 2, rel=0.01)
    assert [rate["talk"](at) > 0 for at in (NIGHT.talk_start - 1, NIGHT.talk_start, NIGHT.talk_end)] == [
        False,
        True,
        False,
    ]
    day = [rate["background"](NIGHT.start + minute * MINUTE_MS) for minute in range(24 * 60)]
    assert sum(day) / len(day) == pytest.approx(TweetSpec().background_per_minute)
