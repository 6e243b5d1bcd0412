"""Records as rows of Flink's tables, without Flink."""

import msgspec
import pytest

from streams.contract.topics import PRESENCE, TWEETS
from streams.engines.flink.rows import DEAD_LETTER, EVENT, MARK, PresenceRow, TweetRow, row_of
from streams.golden import load

INFO = load("doors").info
AT = INFO.start + 7_000
JOIN = {
    "event_id": 1,
    "at": AT,
    "kind": "join",
    "listener": 1,
    "space": INFO.spaces[0],
    "client": "web",
    "try": 2,
    "v": 1,
}
TWEET = {
    "event_id": 1,
    "at": AT,
    "kind": "post",
    "tweet_id": "9",
    "author": 1,
    "conversation": "9",
    "text": "Launch!",
    "lang": "en",
    "v": 1,
}


def test_an_event_has_the_fields_that_the_counts_need() -> None:
    """What an event lacks is NULL; hashtags are an empty array."""
    raw = msgspec.json.encode(JOIN | {"since_drop_ms": 60_000})
    assert row_of(PRESENCE, raw, INFO) == PresenceRow(
        EVENT, None, None, AT, 1, "join", 1, INFO.spaces[0], "web", 2, None, 60_000
    )
    assert row_of(TWEETS, msgspec.json.encode(TWEET), INFO) == TweetRow(
        EVENT, None, None, AT, 1, "post", 1, "9", "Launch!", []
    )


def test_hashtags_are_a_list() -> None:
    """PyFlink refuses a tuple where functions run in processes of their own."""
    row = row_of(TWEETS, msgspec.json.encode(TWEET | {"hashtags": ["a", "b"]}), INFO)
    assert isinstance(row, TweetRow)
    assert row.hashtags == ["a", "b"]


@pytest.mark.parametrize("topic", [PRESENCE, TWEETS])
def test_a_mark_has_its_kind_and_time(topic: str) -> None:
    """The same on both topics."""
    row = row_of(topic, msgspec.json.encode({"mark": "end", "at": AT, "run": INFO.run, "v": 1, "events": 0}), INFO)
    assert (row.sort, row.mark, row.at, row.event_id) == (MARK, "end", AT, None)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "not_json"),
        (b"\xff", "not_json"),
        (msgspec.json.encode(JOIN) + b" x", "not_json"),
        (msgspec.json.encode(JOIN | {"listener": "1"}), "wrong_shape"),
        (msgspec.json.encode(JOIN | {"v": 2}), "wrong_version"),
        (msgspec.json.encode(JOIN | {"space": "elsewhere"}), "out_of_range"),
        (msgspec.json.encode({"mark": "end", "at": AT, "run": "other", "v": 1}), "out_of_range"),
    ],
)
def test_a_dead_letter_has_its_reason_and_nothing_else(raw: bytes | None, reason: str) -> None:
    """A number in quotes is none, and what follows an object makes it no JSON."""
    assert row_of(PRESENCE, raw, INFO) == PresenceRow(DEAD_LETTER, problem=reason)


def test_every_kind_and_mark_is_a_plain_string() -> None:
    """Java gets the row, and knows no enumeration of Python's."""
    for topic, event in ((PRESENCE, JOIN), (TWEETS, TWEET)):
        row = row_of(topic, msgspec.json.encode(event), INFO)
        assert type(row.kind) is str
    mark = row_of(PRESENCE, msgspec.json.encode({"mark": "watermark", "at": AT, "run": INFO.run, "v": 1}), INFO)
    assert type(mark.mark) is str
