"""The simple fold rejects records that cannot be of its run, and names the field at fault."""

import pytest
from msgspec.structs import replace

from streams.contract.events import OUT_OF_RANGE, Mark, MarkKind, Presence, Tweet, decode_presence, decode_tweet, encode
from streams.contract.topics import PRESENCE, TWEETS
from streams.engines.shared.simplefold import PartitionFold, decode
from streams.errors import DecodeError
from streams.golden import load

NIGHT = load("thread")
INFO = NIGHT.info
ROOM = load("doors").info


def _presence() -> Presence:
    """Return a presence event of the night ``doors``."""
    event = decode_presence(next(r.value for r in load("doors").records if r.topic == PRESENCE and r.key))
    assert isinstance(event, Presence)
    return event


def _tweet() -> Tweet:
    """Return a tweet of the night ``thread``."""
    event = decode_tweet(next(r.value for r in NIGHT.records if r.topic == TWEETS and r.key))
    assert isinstance(event, Tweet)
    return event


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", ROOM.events),
        ("listener", ROOM.people),
        ("at", ROOM.start - 1),
        ("at", ROOM.end + 1),
        ("space", "?"),
    ],
)
def test_a_presence_event_beyond_run_info_is_put_aside(field: str, value: object) -> None:
    """Ids, times and spaces that run.info did not announce are none of this run's."""
    event = replace(_presence(), **{field: value})
    with pytest.raises(DecodeError, match=field.replace("listener", "person")) as caught:
        decode(PRESENCE, encode(event), ROOM, "here[0]@1")
    assert caught.value.reason == OUT_OF_RANGE


@pytest.mark.parametrize(("field", "value"), [("event_id", INFO.events), ("author", INFO.people), ("at", INFO.end + 1)])
def test_a_tweet_beyond_run_info_is_put_aside(field: str, value: object) -> None:
    """The same holds for tweets, which have no space."""
    event = replace(_tweet(), **{field: value})
    with pytest.raises(DecodeError, match=field.replace("author", "person")):
        decode(TWEETS, encode(event), INFO, "here[0]@1")


@pytest.mark.parametrize("at", [ROOM.start, ROOM.end])
def test_the_first_and_the_last_moment_belong_to_the_run(at: int) -> None:
    """Both bounds are inside."""
    event = replace(_presence(), at=at)
    assert decode(PRESENCE, encode(event), ROOM) == event


def test_a_mark_of_another_run_moves_nothing() -> None:
    """It is counted as a dead letter; watermark and end stay as they were."""
    fold = PartitionFold(ROOM, "simple", PRESENCE, 0)
    error = fold.step(encode(Mark(MarkKind.END, ROOM.end, "another-run", 1, events=0)), 0)
    assert error is not None
    assert "run: expected" in str(error)
    assert (fold.watermark, fold.ended, fold.dead_letters) == (None, False, 1)
