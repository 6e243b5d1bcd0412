"""The columnar subject rule and the rule itself are one rule."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.events import Tweet, TweetKind
from streams.contract.runinfo import SubjectRule
from streams.fold.subject import subject_expr, subject_names, subject_of

_letters = st.text("abAB kK\N{KELVIN SIGN}İıß🔥.*", max_size=6)
_tags = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3).map(tuple)
_ids = st.sampled_from(["1", "2", "3"])
_rules = st.lists(
    st.builds(
        SubjectRule,
        subject=st.sampled_from(["launch", "announcement", "other"]),
        conversations=st.lists(_ids, max_size=2).map(tuple),
        hashtags=_tags,
        words=st.lists(_letters, max_size=3).map(tuple),
    ),
    max_size=3,
)
_tweets = st.builds(
    Tweet,
    event_id=st.just(0),
    at=st.just(0),
    kind=st.just(TweetKind.POST),
    tweet_id=st.just("1"),
    author=st.just(0),
    conversation=_ids,
    text=_letters,
    lang=st.just("en"),
    v=st.just(1),
    hashtags=_tags,
)


@given(tweets=st.lists(_tweets, max_size=5), rules=_rules, null_when_empty=st.booleans())
def test_columns_and_single_tweets_get_the_same_subject(
    tweets: list[Tweet], rules: list[SubjectRule], null_when_empty: bool
) -> None:
    """For any texts and rules the expression gives what subject_of gives, missing hashtags being none."""
    frame = pl.DataFrame(
        {
            "conversation": [tweet.conversation for tweet in tweets],
            "hashtags": [
                (list(tweet.hashtags) or None) if null_when_empty else list(tweet.hashtags) for tweet in tweets
            ],
            "text": [tweet.text for tweet in tweets],
        },
        schema={"conversation": pl.String, "hashtags": pl.List(pl.String), "text": pl.String},
    )
    found = frame.select(subject_expr(rules).alias("subject"))["subject"]
    assert found.to_list() == [subject_of(tweet, rules) for tweet in tweets]
    assert found.dtype == pl.Enum(subject_names(rules))
