"""The tweets of a night: their times, what they answer, who writes them, and what the announcement added."""

import hashlib
from dataclasses import replace

import msgspec
import numpy as np
import polars as pl
import pytest

from producers.scenario.tweetspec import CascadeSpec, TweetSpec
from producers.tape.tapeformat import SCHEMA
from producers.tweets.layout import SNOWFLAKE_EPOCH_MS
from producers.tweets.source import TweetSource
from streams.contract.names import MINUTE_MS
from streams.contract.results import STANCES
from streams.errors import ScenarioError
from streams.fold.stance import stance_of
from streams.fold.subject import subject_by
from tests.tweetnight import HOUR_MS, LISTENERS, NIGHT, OPENS, PEOPLE, SCHEDULED, source, tweets

GOLDEN = "ee212b59916721b9484e69804e68ba042656524eb6ea9b97c1cc445f180c51b7"


def test_the_tables_columns_are_the_tapes_but_the_event_id() -> None:
    """A chunk has the tape's columns in its types, also when nothing happens in it."""
    expected = [field for field in SCHEMA if field.name != "event_id"]
    made = source()
    assert list(made.chunk(NIGHT.start, NIGHT.end).schema) == expected
    empty = made.chunk(NIGHT.end, NIGHT.end + HOUR_MS)
    assert list(empty.schema) == expected
    assert empty.num_rows == 0


def test_ids_are_snowflakes_that_encode_their_time() -> None:
    """The id's upper bits are the tweet's time since the ids' own epoch, and no id comes twice."""
    frame = tweets()
    assert frame.select(((pl.col("tweet_id") // 2**22 + SNOWFLAKE_EPOCH_MS) == pl.col("at")).all()).item()
    assert frame["tweet_id"].is_unique().all()


def test_tweets_stand_in_order_of_time_within_the_night() -> None:
    """Rows are sorted by time, then id, and none lies outside the night."""
    frame = tweets()
    assert frame["tweet_id"].is_sorted()
    assert frame["at"].is_between(NIGHT.start, NIGHT.end, closed="left").all()


def test_what_is_answered_exists_and_came_before() -> None:
    """Every reply, quote and repost names an earlier tweet of the night; posts name none."""
    frame = tweets()
    answers = frame.filter(pl.col("kind") != "post").join(
        frame.select("tweet_id", ref_at="at", ref_kind="kind"), left_on="ref", right_on="tweet_id", how="left"
    )
    assert answers["ref_at"].null_count() == 0
    assert (answers["ref_at"] < answers["at"]).all()
    assert "repost" not in answers["ref_kind"].to_list()
    assert frame.filter(pl.col("kind") == "post")["ref"].null_count() == (frame["kind"] == "post").sum()


def test_conversations_follow_what_is_answered() -> None:
    """A post or quote begins a conversation, a reply or repost is in that of the tweet it answers."""
    frame = tweets()
    own = frame.filter(pl.col("kind").is_in(["post", "quote"]))
    assert (own["conversation"] == own["tweet_id"]).all()
    others = frame.filter(pl.col("kind").is_in(["reply", "repost"])).join(
        frame.select("tweet_id", of_ref="conversation"), left_on="ref", right_on="tweet_id"
    )
    assert (others["conversation"] == others["of_ref"]).all()


def test_a_repost_says_what_its_original_says() -> None:
    """Text, hashtags, stance and subject of a repost are those of the tweet it shares."""
    content = ("text", "hashtags", "label_stance", "label_subject", "label_effect")
    frame = tweets()
    pairs = frame.filter(pl.col("kind") == "repost").join(frame, left_on="ref", right_on="tweet_id", suffix="_of_ref")
    assert len(pairs) > 500
    for name in content:
        assert (pairs[name] == pairs[f"{name}_of_ref"]).all(), name


def test_reposts_decay() -> None:
    """The older a tweet, the fewer reposts it still gets: each further stretch of its age has fewer."""
    frame = tweets(0.03)
    pairs = frame.filter(pl.col("kind") == "repost").join(
        frame.select("tweet_id", ref_at="at"), left_on="ref", right_on="tweet_id"
    )
    age = ((pairs["at"] - pairs["ref_at"]) // (10 * MINUTE_MS)).to_numpy()
    by_age = np.bincount(age)[:8]
    assert (np.diff(by_age) < 0).all(), by_age
    assert by_age[0] > 4 * by_age[3]


def test_the_twin_lacks_exactly_what_the_announcement_brought() -> None:
    """Without the announcement the same seed gives the same tweets, every column, less those labelled its effect."""
    full, twin = tweets(), tweets(announcement=False)
    assert full.filter(~pl.col("label_effect")).equals(twin)
    assert full["label_effect"].sum() > 200


def test_the_twin_has_no_thread() -> None:
    """Without an announcement, or in a night that has none, there is no thread and no conversation rule for it."""
    spec = msgspec.structs.replace(TweetSpec(), announcement=False)
    silent = source(spec), source(night=replace(NIGHT, announced=None))
    for made in silent:
        assert made.thread_id == ""
        assert made.subjects[0].conversations == ()


def test_the_thread_is_one_conversation_of_one_author() -> None:
    """The thread's posts begin at the announcement, answer each other, and their author writes nothing else."""
    made = source()
    theirs = tweets().filter(pl.col("person") == PEOPLE - 1)
    assert theirs["kind"].to_list() == ["post"] + ["reply"] * (len(theirs) - 1)
    assert theirs["at"][0] == NIGHT.announced
    assert theirs["ref"].to_list() == [None, *theirs["tweet_id"].to_list()[:-1]]
    assert set(theirs["conversation"].cast(pl.String)) == {made.thread_id}
    assert "After almost four incredible years at Twitter" in theirs["text"][0]
    assert all("not quoted" in text for text in theirs["text"].to_list()[1:])
    assert theirs["hashtags"][0].to_list() == ["lovewhereyouworked"]


def test_a_thread_that_the_night_cuts_off_has_fewer_posts() -> None:
    """What would come at the end of the night or later is left out, of the thread as of all else."""
    announced = NIGHT.end - 90_000
    made = source(night=replace(NIGHT, announced=announced)).chunk(announced, NIGHT.end)
    theirs = [row for row in made.to_pylist() if row["person"] == PEOPLE - 1]
    assert [row["at"] - announced for row in theirs] == [0, 40_000, 80_000]
    late = source(night=replace(NIGHT, announced=NIGHT.end + HOUR_MS)).chunk(NIGHT.start, NIGHT.end + 2 * HOUR_MS)
    assert not any(late.column("label_effect").to_pylist())


def test_the_wave_follows_the_strain() -> None:
    """Where nothing melts there is no wave: many fewer tweets while the launch begins, and less mockery."""
    calm = source(night=replace(NIGHT, strain=())).chunk(SCHEDULED, NIGHT.talk_start)
    melting = tweets().filter(pl.col("at").is_between(SCHEDULED, NIGHT.talk_start, closed="left"))
    mockery = calm.column("label_stance").to_pylist().count("mockery")
    assert calm.num_rows < len(melting) / 2
    assert mockery < (melting["label_stance"] == "mockery").sum() / 4


def test_quiet_hours_are_thin_but_not_empty() -> None:
    """Every hour of the night has tweets, and the quietest has less than a twentieth of the loudest."""
    frame = tweets()
    by_hour = np.bincount(((frame["at"] - OPENS) // HOUR_MS).to_numpy())[:27]
    assert by_hour.min() > 0
    assert by_hour.min() < by_hour.max() / 20


def test_authors_are_listeners_to_the_share_asked_for() -> None:
    """Ids are below the number of people, and the share of tweets by listeners is the spec's."""
    people = tweets()["person"].to_numpy()
    assert people.min() >= 0
    assert people.max() < PEOPLE
    assert abs((people < LISTENERS).mean() - TweetSpec().listener_share) < 0.03


def test_everybody_may_write_when_listeners_are_not_told_apart() -> None:
    """Without a number of listeners authors come from all people; without people the source is refused."""
    made = TweetSource(TweetSpec(), NIGHT, seed=1, scale=0.001, people=10)
    assert set(made.chunk(NIGHT.start, NIGHT.end).column("person").to_pylist()) == set(range(10))
    with pytest.raises(ScenarioError, match="at least one person"):
        TweetSource(TweetSpec(), NIGHT, seed=1, scale=0.001, people=0)


def test_numbers_go_with_the_scale() -> None:
    """Six times the scale gives about six times the tweets."""
    assert 5 < len(tweets(0.03)) / len(tweets()) < 7


def test_stances_and_subjects_are_labelled_with_known_words() -> None:
    """Every stance and subject occurs, and no other word."""
    frame = tweets()
    assert set(frame["label_stance"]) == set(STANCES)
    assert set(frame["label_subject"]) == {"launch", "announcement", "other"}


def test_the_rules_find_most_of_what_was_meant() -> None:
    """The subject rules find the announcement and the launch, and keep the rest out; cue-less texts escape them."""
    frame = tweets(0.03).with_columns(pl.col("conversation").cast(pl.String))
    rules, rows = source().subjects, frame.select("conversation", "hashtags", "text").iter_rows()
    found = frame.with_columns(
        found=pl.Series([subject_by(where, tags or (), text, rules) for where, tags, text in rows])
    )
    right = dict(found.group_by("label_subject").agg((pl.col("found") == pl.col("label_subject")).mean()).iter_rows())
    assert right["announcement"] > 0.9
    assert 0.7 < right["launch"] < 0.95
    assert right["other"] > 0.9


def test_a_classifier_has_work() -> None:
    """The lexicon is right far more often than chance and far from always, for every stance."""
    frame = tweets(0.03)
    found = pl.Series("found", [stance_of(text) for text in frame["text"]])
    right = frame.select("label_stance", right=found == pl.col("label_stance"))
    shares = dict(right.group_by("label_stance").agg(pl.col("right").mean()).iter_rows())
    assert all(0.5 < share < 0.97 for share in shares.values()), shares


@pytest.mark.parametrize(
    "wrong",
    [{"wave_per_minutes": 1}, {"background_per_minute": -1}, {"cascade": {"tail": 0}}, {"thread": {"posts": 3}}],
)
def test_a_spec_refuses_what_it_does_not_know(wrong: dict[str, object]) -> None:
    """An unknown key or a value out of bounds is an error, also in the parts."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, TweetSpec)


def test_more_tweets_than_ids_in_a_millisecond_are_refused() -> None:
    """A rate with more tweets per millisecond than ids is refused."""
    spec = msgspec.structs.replace(TweetSpec(), background_per_minute=1e6, cascade=CascadeSpec(reposts=0))
    short = replace(NIGHT, end=NIGHT.start + 1, announced=None)
    with pytest.raises(ScenarioError, match="in one millisecond"):
        TweetSource(spec, short, seed=1, scale=1000, people=10).chunk(short.start, short.end)


def test_the_same_seed_gives_the_same_tweets_anywhere() -> None:
    """The tweets of a small night have a known hash; another seed has another."""
    assert _hash(tweets()) == GOLDEN
    assert _hash(tweets(seed=2)) != GOLDEN


def _hash(frame: pl.DataFrame) -> str:
    return hashlib.sha256(msgspec.json.encode(frame.rows())).hexdigest()
