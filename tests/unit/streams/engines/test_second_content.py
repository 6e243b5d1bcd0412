"""Of records with one event id and different content, every engine counts the first of the partition."""

from collections.abc import Callable

import msgspec
import pytest

from benchmarks.fuzzing.engines import ENGINES, expected
from benchmarks.fuzzing.fetches import plain
from streams.contract.topics import PRESENCE, TWEETS
from tests.oracle import long_night

INFO = long_night()
AT = INFO.start


def _presence(**different: object) -> bytes:
    join = {"event_id": 3, "at": AT, "kind": "join", "listener": 1, "space": "first", "client": "web", "try": 1, "v": 1}
    return msgspec.json.encode(join | different)


def _tweet(**different: object) -> bytes:
    post = {
        "event_id": 3, "at": AT, "kind": "post", "tweet_id": "9", "author": 1, "conversation": "9", "text": "",
        "lang": "en", "v": 1,
    }  # fmt: skip
    return msgspec.json.encode(post | different)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("topic", "record", "person"), [(PRESENCE, _presence, "listener"), (TWEETS, _tweet, "author")])
def test_the_first_record_of_an_event_id_counts(
    engine: str, topic: str, record: Callable[..., bytes], person: str
) -> None:
    """Another time or person in a later record changes nothing: it is a duplicate."""
    first = record()
    later = [record(at=AT + 10_000), record(**{person: 2}), record(kind="?")]
    found = ENGINES[engine](INFO, topic, plain([first, *later]))
    alone = ENGINES[engine](INFO, topic, plain([first]))
    assert (found.events, found.duplicates, found.dead_letters) == (1, 2, [(3, "wrong_shape")])
    assert found.counts == alone.counts


@pytest.mark.parametrize("engine", ENGINES)
def test_the_order_in_the_partition_decides(engine: str) -> None:
    """In the opposite order the other content counts, as the naive oracle has it."""
    records = [_presence(), _presence(at=AT + 10_000, space="second"), _presence(listener=2, kind="drop")]
    for order in (records, records[::-1]):
        fetched = plain(order)
        assert ENGINES[engine](INFO, PRESENCE, fetched) == expected(INFO, PRESENCE, fetched)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_dead_letter_uses_up_no_event_id(engine: str) -> None:
    """A good record counts after a damaged copy of it."""
    found = ENGINES[engine](INFO, PRESENCE, plain([_presence(space="elsewhere"), _presence(), None]))
    assert (found.events, found.duplicates) == (1, 0)
    assert found.dead_letters == [(0, "out_of_range"), (2, "not_json")]
