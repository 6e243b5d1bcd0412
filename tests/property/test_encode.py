"""Columnar encoding gives the bytes of ``streams.contract.events.encode``, whatever stands in a row."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.compose.encode import encode_presence, encode_tweets
from producers.tape.tapeformat import SCHEMA
from streams.contract.events import Presence, PresenceKind, Tweet, TweetKind, decode_presence, decode_tweet, encode
from streams.errors import TapeError
from tests.tinytape import rows

ids = st.integers(0, (1 << 53) - 1)
snowflakes = st.integers(0, (1 << 63) - 1).map(str)
texts = st.text(min_size=1, max_size=12).filter(lambda text: "\x00" not in text)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)

presences = st.builds(
    Presence,
    event_id=ids,
    at=ids,
    kind=st.sampled_from(PresenceKind),
    listener=ids,
    space=texts,
    client=texts,
    try_=st.integers(1, 1 << 20),
    v=st.just(1),
    reason=st.none() | texts,
    since_drop_ms=st.none() | ids,
)
tweets = st.builds(
    Tweet,
    event_id=ids,
    at=ids,
    kind=st.sampled_from(TweetKind),
    tweet_id=snowflakes,
    author=ids,
    conversation=snowflakes,
    text=texts,
    lang=texts,
    v=st.just(1),
    hashtags=st.lists(texts, max_size=4).map(tuple),
    ref=st.none() | snowflakes,
)


def batch(events: list[Presence] | list[Tweet]) -> pa.RecordBatch:
    """Return events as one block of a tape."""
    return rows(events).combine_chunks().to_batches()[0]


@given(st.lists(presences, min_size=1, max_size=30))
def test_presence_is_encoded_byte_for_byte(events: list[Presence]) -> None:
    """Any texts, quotes and control characters are written as by msgspec, and decode to the events."""
    values = encode_presence(batch(events)).to_pylist()
    assert values == [encode(event) for event in events]
    assert [decode_presence(value) for value in values] == events


@given(st.lists(tweets, min_size=1, max_size=30))
def test_tweets_are_encoded_byte_for_byte(events: list[Tweet]) -> None:
    """Any text and tags stand as msgspec writes them, and decode to the tweets."""
    values = encode_tweets(batch(events)).to_pylist()
    assert values == [encode(event) for event in events]
    assert [decode_tweet(value) for value in values] == events


@given(st.lists(tweets, min_size=3, max_size=10), st.integers(1, 2))
def test_a_slice_of_a_block_is_encoded_alone(events: list[Tweet], begin: int) -> None:
    """A block that does not begin at its buffers' start (a resumed replay's first) is encoded the same."""
    values = encode_tweets(batch(events).slice(begin)).to_pylist()
    assert values == [encode(event) for event in events[begin:]]


def test_a_row_without_a_needed_value_is_named() -> None:
    """A presence row without a space cannot be sent: TapeError names the event and the column."""
    row = {"event_id": 17, "at": 1, "topic": "space.presence", "kind": "join", "person": 2, "client": "ios", "try": 1}
    table = pa.Table.from_pylist([{name: row.get(name) for name in SCHEMA.names}], schema=SCHEMA)
    with pytest.raises(TapeError, match=r"event 17 \(space\.presence\) has no value for space"):
        encode_presence(table.to_batches()[0])


@given(st.lists(presences, min_size=1, max_size=5), st.lists(tweets, min_size=1, max_size=5))
def test_without_kernels_the_bytes_are_the_same(rooms: list[Presence], posts: list[Tweet]) -> None:
    """Where nothing can be compiled every row is encoded by the codec."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("producers.compose.encode.COMPILED", False)
        assert encode_presence(batch(rooms)).to_pylist() == [encode(event) for event in rooms]
        assert encode_tweets(batch(posts)).to_pylist() == [encode(event) for event in posts]
