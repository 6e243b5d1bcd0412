"""Records of the input topics that are no events: each has a reason, none an exception of another kind."""

import pytest

from streams.contract.events import (
    NOT_JSON,
    WRONG_SHAPE,
    Mark,
    MarkKind,
    decode_presence,
    decode_tweet,
)
from streams.errors import DecodeError

END = b'{"v":1,"mark":"end","at":1684965600000,"run":"r","events":%s}'


def test_a_tombstone_is_not_json() -> None:
    """A record without a value is a dead letter like any other."""
    for decode in (decode_presence, decode_tweet):
        with pytest.raises(DecodeError) as caught:
            decode(None, "t[0]@5")
        assert caught.value.reason == NOT_JSON
        assert str(caught.value) == "t[0]@5: not_json: the record has no value"


@pytest.mark.parametrize(
    "count", [b"-1", b"9007199254740992", b"9223372036854775808", b"18446744073709551616", b"1e30"]
)
def test_an_end_mark_beyond_what_a_run_can_hold_is_refused(count: bytes) -> None:
    """A count outside 0 to 2^53 - 1 is a wrong shape, also where it exceeds 64 bits."""
    with pytest.raises(DecodeError) as caught:
        decode_presence(END % count)
    assert caught.value.reason == WRONG_SHAPE


def test_an_end_mark_holds_its_count() -> None:
    """The greatest count and none at all are marks."""
    assert decode_presence(END % b"9007199254740991") == Mark(MarkKind.END, 1684965600000, "r", 1, 2**53 - 1)
    assert decode_presence(END % b"null") == Mark(MarkKind.END, 1684965600000, "r", 1, None)
